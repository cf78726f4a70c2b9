"""Articles of the knowledge base: written, published, rated."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, NotFound, Taken, Unauthenticated, WrongState, collect_refusals
from domain.knowledge.article_text import (
    SLUG_LIMIT,
    ArticleText,
    check_article_text,
    check_questions,
    clean_tags,
)
from domain.removal import RemovalOutcome, delete_with_owned, is_referenced
from domain.state import move, transition_table
from domain.versions import check_version
from models import (
    Account,
    Article,
    ArticleAudience,
    ArticleRating,
    ArticleStatus,
    ArticleVersion,
    Cart,
    Permission,
    is_granted,
)

TRANSITIONS = transition_table(
    ArticleStatus.DRAFT,
    {
        ArticleStatus.DRAFT: {ArticleStatus.PUBLISHED},
        ArticleStatus.PUBLISHED: {ArticleStatus.DRAFT},
    },
)

OWNED_BY_ARTICLE = (ArticleVersion,)


@dataclass(frozen=True, slots=True)
class ArticleCare:
    """Who answers for an article, and from when on somebody should look at it again."""

    owner_id: int | None
    review_at: datetime | None


async def add_article(session: AsyncSession, text: ArticleText, *, cause: Cause) -> Article:
    """Add an article as a draft."""
    article = Article(
        status=ArticleStatus.DRAFT,
        version=0,
        helpful=0,
        unhelpful=0,
        created_at=cause.now,
        updated_at=cause.now,
    )
    session.add(article)
    await save_article_text(session, article, text, cause=cause)
    return article


async def update_article(
    session: AsyncSession,
    article_id: int,
    text: ArticleText,
    *,
    version: int,
    cause: Cause,
    minor: bool = False,
) -> Article:
    """Change an article; Conflict unless `version` is its current one.

    Whoever has learned a published one is asked again, unless the change is minor.
    """
    article = await lock_article(session, article_id)
    refuse_other_version(article, version)
    await save_article_text(session, article, text, cause=cause)
    if article.status is ArticleStatus.PUBLISHED and not minor:
        article.substance_changed_at = cause.now
    return article


async def save_draft(
    session: AsyncSession, article_id: int, text: ArticleText, *, version: int, cause: Cause
) -> Article:
    """Save a change beside the published text, which stays until the draft is published.

    Conflict unless `version` is the current one. What is not published yet is changed itself.
    """
    article = await lock_article(session, article_id)
    refuse_other_version(article, version)
    if article.status is not ArticleStatus.PUBLISHED:
        await save_article_text(session, article, text, cause=cause)
        return article
    with collect_refusals() as check:
        with check:
            check_article_text(text)
        for field, given, kept in (
            ("slug", text.slug, article.slug),
            ("language", text.language, article.language),
            ("audience", text.audience or article.audience, article.audience),
            ("translation_of", text.original_id or article.original_id, article.original_id),
        ):
            if given != kept:
                check.add(Invalid("A draft keeps this as it is published.", field=(field,)))
    article.published_version = article.published_version or article.version
    article.version, article.updated_at = article.version + 1, cause.now
    article.draft_version = article.version
    session.add(version_of(article, text, cause=cause))
    await session.flush()
    return article


async def discard_draft(session: AsyncSession, article_id: int) -> Article:
    """Drop the draft beside the published text; its versions are kept."""
    article = await lock_article(session, article_id)
    if article.draft_version is None:
        raise WrongState("This article has no draft beside its text.", field=("id",))
    article.draft_version = None
    return article


async def set_article_care(session: AsyncSession, article_id: int, care: ArticleCare) -> Article:
    """Say who answers for an article and when it is looked at again."""
    article = await lock_article(session, article_id)
    if care.owner_id is not None:
        owner = await session.get(Account, care.owner_id)
        if owner is None or not can_own(owner):
            raise NotFound("account", field=("owner_id",))
    article.owner_id, article.review_at = care.owner_id, care.review_at
    return article


def can_own(account: Account) -> bool:
    """Whether an account may answer for articles: who has left or lost the role no longer does."""
    return account.disabled_at is None and is_granted(Permission.ARTICLE_EDIT, account.role)


def refuse_other_version(article: Article, version: int) -> None:
    if article.version != version:
        raise Conflict("Somebody else has changed this article meanwhile.", field=("version",))


async def remove_article(
    session: AsyncSession, article_id: int, *, version: int | None, cause: Cause
) -> tuple[Article, RemovalOutcome]:
    """Remove a draft that nobody has rated or refers to; archive any other article."""
    article = await lock_article(session, article_id)
    check_version(article, version)
    if article.archived_at is not None:
        raise WrongState("This article is archived already.", field=("id",))
    needed = article.status is ArticleStatus.PUBLISHED or await is_referenced(
        session, article, row_id=article_id, owned=OWNED_BY_ARTICLE
    )
    if not needed:
        await delete_with_owned(session, article, row_id=article_id, owned=OWNED_BY_ARTICLE)
        return article, RemovalOutcome.REMOVED
    article.archived_at = cause.now
    await session.flush()
    return article, RemovalOutcome.ARCHIVED


async def restore_article(session: AsyncSession, article_id: int) -> Article:
    """List an archived article again."""
    article = await lock_article(session, article_id)
    if article.archived_at is None:
        raise WrongState("This article is not archived.", field=("id",))
    article.archived_at = None
    return article


async def publish_article(
    session: AsyncSession, article_id: int, *, cause: Cause, minor: bool = False
) -> Article:
    """Publish a draft, or the one beside a published text.

    Whoever has learned it is asked again, unless what has changed since is minor.
    """
    article = await lock_article(session, article_id)
    if article.archived_at is not None:
        raise WrongState("This article is archived; restore it first.", field=("id",))
    if article.draft_version is not None:
        await take_draft(session, article)
        article.updated_at = cause.now
    else:
        move(article, ArticleStatus.PUBLISHED, TRANSITIONS)
        article.published_at = cause.now
    if not minor:
        article.substance_changed_at = cause.now
    return article


async def take_draft(session: AsyncSession, article: Article) -> None:
    """Let the text of the draft be the text of the article."""
    draft = await session.get_one(ArticleVersion, (article.id, article.draft_version))
    article.title, article.body = draft.title, draft.body
    article.category, article.tags = draft.category or article.category, draft.tags or []
    article.published_version, article.draft_version = draft.version, None


async def withdraw_article(session: AsyncSession, article_id: int) -> Article:
    """Make a published article a draft again, with the text that was written beside it."""
    article = await lock_article(session, article_id)
    move(article, ArticleStatus.DRAFT, TRANSITIONS)
    if article.draft_version is not None:
        await take_draft(session, article)
    article.published_at = None
    return article


async def rate_article(
    session: AsyncSession,
    article_id: int,
    *,
    reader: str,
    helpful: bool,
    cause: Cause,
    is_staff: bool = False,
) -> Article:
    """Count the rating of a reader, named by a key of theirs; a second one replaces the first.

    Articles for agents are rated by the staff only.
    """
    article = await lock_article(session, article_id)
    if article.status is not ArticleStatus.PUBLISHED or (
        article.audience is ArticleAudience.AGENTS and not is_staff
    ):
        raise NotFound("article", field=("id",))
    rating = await session.get(ArticleRating, (article_id, reader))
    if rating is None:
        session.add(
            ArticleRating(article_id=article_id, reader=reader, helpful=helpful, created_at=cause.now)
        )
    else:
        add_to_rating_count(article, helpful=rating.helpful, readers=-1)
        rating.helpful, rating.created_at = helpful, cause.now
    add_to_rating_count(article, helpful=helpful, readers=1)
    return article


async def guest_reader(session: AsyncSession, token_hash: str | None) -> str:
    """The key of a guest as a reader: the hash of their cart's token. Unauthenticated without a cart.

    A made-up token has no cart: otherwise one guest could rate as many readers.
    """
    known = select(Cart.id).where(Cart.token_hash == token_hash)
    if token_hash is None or await session.scalar(known) is None:
        raise Unauthenticated
    return f"guest:{token_hash}"


def account_reader(account_id: int) -> str:
    """The key of an account as a reader."""
    return f"account:{account_id}"


async def lock_article(session: AsyncSession, article_id: int) -> Article:
    article = await session.get(Article, article_id, with_for_update=True, populate_existing=True)
    if article is None:
        raise NotFound("article", field=("id",))
    return article


async def save_article_text(
    session: AsyncSession, article: Article, text: ArticleText, *, cause: Cause
) -> None:
    """Save the text of an article as its next version."""
    await refuse_wrong_text(session, article, text)
    article.slug, article.language = text.slug, text.language
    article.category, article.tags = text.category.strip(), clean_tags(text.tags)
    article.title, article.body = text.title.strip(), text.body.strip()
    article.audience = text.audience or article.audience or ArticleAudience.PUBLIC
    if text.questions is not None:
        article.questions = clean_tags(text.questions)
    await set_original(session, article, text.original_id)
    article.version, article.updated_at = article.version + 1, cause.now
    article.published_version, article.draft_version = article.version, None
    try:
        await session.flush()
    except IntegrityError:
        raise Taken("Another article has this slug.", field=("slug",)) from None
    session.add(version_of(article, text, cause=cause))
    await session.flush()


def version_of(article: Article, text: ArticleText, *, cause: Cause) -> ArticleVersion:
    """The present version of an article with this text."""
    return ArticleVersion(
        article_id=article.id,
        version=article.version,
        title=text.title.strip(),
        body=text.body.strip(),
        category=text.category.strip(),
        tags=clean_tags(text.tags),
        author_id=cause.by,
        created_at=cause.now,
    )


async def set_original(session: AsyncSession, article: Article, original_id: int | None) -> None:
    """Make an article a translation of another one, or leave it where it is: one article a language."""
    field = ("translation_of",)
    with session.no_autoflush:
        if original_id is not None and original_id != article.original_id:
            original = await session.get(Article, original_id)
            if original is None:
                raise NotFound("article", field=field)
            original_id = original.original_id or original.id
            if original_id == article.id or await has_translations(session, article):
                raise Invalid("This article has translations itself.", field=field)
            article.original_id = original_id
        first_id = article.original_id or article.id
        if first_id is None:  # a new one, of nobody's translations yet
            return
        same = select(Article.id).where(
            or_(Article.id == first_id, Article.original_id == first_id),
            Article.language == article.language,
            Article.id != article.id,
        )
        if await session.scalar(same.limit(1)) is not None:
            raise Taken("There is a translation into this language.", field=field)


async def has_translations(session: AsyncSession, article: Article) -> bool:
    statement = select(Article.id).where(Article.original_id == article.id, Article.original_id.is_not(None))
    return await session.scalar(statement.limit(1)) is not None


async def refuse_wrong_text(session: AsyncSession, article: Article, text: ArticleText) -> None:
    """Raise every refusal of a text: what is wrong in it, and that another article has its slug."""
    with collect_refusals() as check:
        with check:
            check_article_text(text)
        with check:
            check_questions(text.questions or ())
        with check:
            await refuse_taken_slug(session, article, text.slug)


async def refuse_taken_slug(session: AsyncSession, article: Article, slug: str) -> None:
    same = select(Article.id).where(Article.slug == slug[:SLUG_LIMIT])
    with session.no_autoflush:
        owner = await session.scalar(same)
    if owner not in (None, article.id):
        raise Taken("Another article has this slug.", field=("slug",))


def add_to_rating_count(article: Article, *, helpful: bool, readers: int) -> None:
    if helpful:
        article.helpful += readers
    else:
        article.unhelpful += readers
