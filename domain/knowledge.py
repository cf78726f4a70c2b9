"""Articles of the knowledge base: written, published, rated."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, NotFound, Taken, Unauthenticated, WrongState, collect_refusals
from domain.removal import RemovalOutcome, delete_with_owned, is_referenced
from domain.state import move, transition_table
from domain.versions import check_version
from models import Article, ArticleRating, ArticleStatus, ArticleVersion, Cart

TRANSITIONS = transition_table(
    ArticleStatus.DRAFT,
    {
        ArticleStatus.DRAFT: {ArticleStatus.PUBLISHED},
        ArticleStatus.PUBLISHED: {ArticleStatus.DRAFT},
    },
)

TITLE_LIMIT = 200
BODY_LIMIT = 100_000
CATEGORY_LIMIT = 100
TAGS_LIMIT = 20
TAG_LIMIT = 50
SLUG_LIMIT = 100

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

OWNED_BY_ARTICLE = (ArticleVersion,)


@dataclass(frozen=True, slots=True)
class ArticleText:
    """All that an author writes in an article."""

    slug: str
    language: str
    category: str
    tags: tuple[str, ...]
    title: str
    body: str


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
    session: AsyncSession, article_id: int, text: ArticleText, *, version: int, cause: Cause
) -> Article:
    """Change an article; Conflict unless `version` is its current one."""
    article = await lock_article(session, article_id)
    if article.version != version:
        raise Conflict("Somebody else has changed this article meanwhile.", field=("version",))
    await save_article_text(session, article, text, cause=cause)
    return article


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


async def publish_article(session: AsyncSession, article_id: int, *, cause: Cause) -> Article:
    """Publish a draft."""
    article = await lock_article(session, article_id)
    if article.archived_at is not None:
        raise WrongState("This article is archived; restore it first.", field=("id",))
    move(article, ArticleStatus.PUBLISHED, TRANSITIONS)
    article.published_at = cause.now
    return article


async def withdraw_article(session: AsyncSession, article_id: int) -> Article:
    """Make a published article a draft again."""
    article = await lock_article(session, article_id)
    move(article, ArticleStatus.DRAFT, TRANSITIONS)
    article.published_at = None
    return article


async def rate_article(
    session: AsyncSession, article_id: int, *, reader: str, helpful: bool, cause: Cause
) -> Article:
    """Count the rating of a reader, named by a key of theirs; a second one replaces the first."""
    article = await lock_article(session, article_id)
    if article.status is not ArticleStatus.PUBLISHED:
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
    article.version, article.updated_at = article.version + 1, cause.now
    try:
        await session.flush()
    except IntegrityError:
        raise Taken("Another article has this slug.", field=("slug",)) from None
    session.add(
        ArticleVersion(
            article_id=article.id,
            version=article.version,
            title=article.title,
            body=article.body,
            author_id=cause.by,
            created_at=cause.now,
        )
    )
    await session.flush()


async def refuse_wrong_text(session: AsyncSession, article: Article, text: ArticleText) -> None:
    """Raise every refusal of a text: what is wrong in it, and that another article has its slug."""
    with collect_refusals() as check:
        with check:
            check_article_text(text)
        with check:
            await refuse_taken_slug(session, article, text.slug)


async def refuse_taken_slug(session: AsyncSession, article: Article, slug: str) -> None:
    same = select(Article.id).where(Article.slug == slug[:SLUG_LIMIT])
    with session.no_autoflush:
        owner = await session.scalar(same)
    if owner not in (None, article.id):
        raise Taken("Another article has this slug.", field=("slug",))


def check_article_text(text: ArticleText) -> None:
    """Raise Invalid for every part that is wrong."""
    with collect_refusals() as check:
        if not SLUG.fullmatch(text.slug) or len(text.slug) > SLUG_LIMIT:
            check.add(
                Invalid(
                    "A slug is made of small letters, digits and hyphens, at most {limit}.",
                    limit=SLUG_LIMIT,
                    field=("slug",),
                )
            )
        if not LANGUAGE.fullmatch(text.language):
            check.add(Invalid('A language is a tag such as "zh-CN".', field=("language",)))
        for field, value, limit in (
            ("category", text.category, CATEGORY_LIMIT),
            ("title", text.title, TITLE_LIMIT),
            ("body", text.body, BODY_LIMIT),
        ):
            if not 1 <= len(value.strip()) <= limit:
                check.add(Invalid("Write 1 to {limit} characters.", limit=limit, field=(field,)))
        if len(text.tags) > TAGS_LIMIT or any(not 1 <= len(tag.strip()) <= TAG_LIMIT for tag in text.tags):
            check.add(
                Invalid(
                    "At most {tags} tags of 1 to {limit} characters.",
                    tags=TAGS_LIMIT,
                    limit=TAG_LIMIT,
                    field=("tags",),
                )
            )


def clean_tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in tags))


def add_to_rating_count(article: Article, *, helpful: bool, readers: int) -> None:
    if helpful:
        article.helpful += readers
    else:
        article.unhelpful += readers
