import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import strawberry

from domain.errors import Invalid, NotFound
from domain.knowledge import (
    ArticleCare,
    TextChange,
    account_reader,
    add_article,
    can_own,
    compare_texts,
    discard_draft,
    guest_reader,
    publish_article,
    rate_article,
    remove_article,
    restore_article,
    save_draft,
    set_article_care,
    update_article,
    withdraw_article,
)
from domain.removal import RemovalOutcome
from gateways.secrets import fingerprint_of
from loaders.knowledge import (
    NEWEST_ARTICLE,
    ArticleCriteria,
    ArticleSearch,
    load_found_articles,
    select_articles,
)
from loaders.page import FIRST_PAGE, Page, PageRequest, WrongCursor
from models import Account, Article, ArticleAudience, ArticleStatus, ArticleVersion
from resolvers.catalog.listing import check_query
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.knowledge import ArticleSaveInput
from resolvers.paging import check_page, query_page
from text.markdown import render_markdown


async def article(info: Info, id: strawberry.ID | None = None, slug: str | None = None) -> Article | None:
    """One article, by id or by slug; null when it does not exist or is not published.

    id: its global id
    slug: its place in an address
    """
    if (id is None) == (slug is None):
        raise Invalid("Give either the id or the slug.", field=("id",))
    if slug is not None:
        return visible_article(info, await info.context.load.article_by_slug.load(slug))
    try:
        return await find_article(info, row_id(id or "", "Article"))
    except NotFound:
        return None


async def find_article(info: Info, article_id: int) -> Article | None:
    """The article, if this viewer may see it."""
    return visible_article(info, await info.context.load.article.load(article_id))


def visible_article(info: Info, found: Article | None) -> Article | None:
    """Drafts and what is for agents are for the staff."""
    if found is None or sees_all(info):
        return found
    is_readable = found.status is ArticleStatus.PUBLISHED and found.audience is ArticleAudience.PUBLIC
    return found if is_readable else None


def sees_all(info: Info) -> bool:
    """Whether the viewer reads drafts and articles for agents, too."""
    return info.context.viewer.may(Permission.ARTICLE_VIEW)


async def articles(
    info: Info,
    query: str | None = None,
    category: str | None = None,
    tag: str | None = None,
    language: str | None = None,
    status: ArticleStatus | None = None,
    archived: bool = False,
    page: PageRequest = FIRST_PAGE,
) -> Page[Article]:
    """Articles: the best matches first with a query, else the newest first.

    query: words in any language, at most 200 characters, signs alone find nothing; all words must occur,
        the last one may be unfinished, a typo is tolerated; after them come those that say the same in
        other words, and those that mean nearly the same; if no article has all words, those with most
        of them match
    category: only of this category
    tag: only with this tag
    language: only in this language, as a tag such as "zh-CN"
    status: only with this status; customers always see published ones only
    archived: true for those that are archived, too; for the staff
    """
    is_staff = sees_all(info)
    criteria = ArticleCriteria(
        status=status if is_staff else ArticleStatus.PUBLISHED,
        audience=None if is_staff else ArticleAudience.PUBLIC,
        category=category,
        tag=tag,
        language=language,
        archived=archived and is_staff,
    )
    if query and query.strip():
        return await find_articles(info, criteria, check_query(query), page)
    statement = select_articles(criteria, dialect=info.context.shop.database.dialect)
    return await query_page(info, statement, NEWEST_ARTICLE, page)


async def find_articles(
    info: Info, criteria: ArticleCriteria, query: str, page: PageRequest
) -> Page[Article]:
    """A page of what a query finds; signs alone find nothing."""
    check_page(page)
    if not query:
        return Page((), (), has_next=False, has_previous=False)
    search, reads = await ready_search(info, newest=sees_all(info)), info.context.shop.database.reads
    try:
        found = await load_found_articles(search, reads, criteria, query, page)
    except WrongCursor as error:
        raise Invalid(error.message, field=(error.argument,)) from None
    is_chosen = any((criteria.category, criteria.tag, criteria.language))
    if not (found.rows or page.cursors or is_chosen):
        info.context.note_question(query, ())
    return found


async def ready_search(info: Info, *, newest: bool = False) -> ArticleSearch:
    """What articles are searched with; with `newest` it knows what was changed just now."""
    shop = info.context.shop
    index = await shop.article_index.ready(newest=newest)
    return ArticleSearch(index, await shop.synonyms.known(), shop.meaning)


async def article_save(info: Info, input: ArticleSaveInput) -> Article:
    """Adds an article as a draft, or changes one; each version is kept."""
    context, text = info.context, input.text()
    async with context.transaction() as session:
        if input.id is None:
            return await add_article(session, text, cause=context.cause)
        version = input.changed_version()
        article_id = row_id(input.id, "Article")
        if input.draft:
            return await save_draft(session, article_id, text, version=version, cause=context.cause)
        return await update_article(
            session, article_id, text, version=version, cause=context.cause, minor=input.minor
        )


@dataclass(frozen=True, slots=True)
class ArticleRemoval:
    """What became of an article: the archived one, or none where it is gone."""

    article: Article | None
    outcome: RemovalOutcome


async def article_remove(info: Info, id: strawberry.ID, version: int | None = None) -> ArticleRemoval:
    """Removes a draft that nobody has rated. Any other article is archived: it is not listed, found or
    suggested any more; who has its address can still read it.

    id: the article
    version: the version you have read; CONFLICT when somebody changed it since
    """
    context, article_id = info.context, row_id(id, "Article")
    async with context.transaction() as session:
        row, outcome = await remove_article(session, article_id, version=version, cause=context.cause)
    return ArticleRemoval(row if outcome is RemovalOutcome.ARCHIVED else None, outcome)


async def article_restore(info: Info, id: strawberry.ID) -> Article:
    """Lists an archived article again.

    id: the article
    """
    async with info.context.transaction() as session:
        return await restore_article(session, row_id(id, "Article"))


async def article_publish(info: Info, id: strawberry.ID, minor: bool = False) -> Article:
    """Publishes a draft: everybody can read it. One beside a published text takes its place. The staff who
    have learned it in a course are asked to pass its quiz again.

    id: the article
    minor: whether nothing of substance has changed: then nobody is asked again
    """
    article_id = row_id(id, "Article")
    async with info.context.transaction() as session:
        return await publish_article(session, article_id, cause=info.context.cause, minor=minor)


async def article_withdraw(info: Info, id: strawberry.ID) -> Article:
    """Makes a published article a draft again, with the text that was written beside it.

    id: the article
    """
    async with info.context.transaction() as session:
        return await withdraw_article(session, row_id(id, "Article"))


async def article_rate(info: Info, id: strawberry.ID, helpful: bool) -> Article:
    """Rates an article as helpful or not; each reader counts once, with the latest rating. A guest is known
    by the token of their cart.

    id: the article
    helpful: whether it did
    """
    context, viewer = info.context, info.context.viewer
    async with context.transaction() as session:
        if viewer.account_id is not None:
            reader = account_reader(viewer.account_id)
        else:
            reader = await guest_reader(session, viewer.cart_token and fingerprint_of(viewer.cart_token))
        return await rate_article(
            session,
            row_id(id, "Article"),
            reader=reader,
            helpful=helpful,
            cause=context.cause,
            is_staff=sees_all(info),
        )


async def versions(articles: Sequence[Article], info: Info) -> Sequence[Sequence[ArticleVersion]]:
    """All its versions, the first one first; none for customers."""
    if not sees_all(info):
        return [()] * len(articles)
    return await info.context.load.article_versions.load_many([article.id for article in articles])


async def article_draft_discard(info: Info, id: strawberry.ID) -> Article:
    """Drops the draft beside a published text; its versions are kept.

    id: the article
    """
    async with info.context.transaction() as session:
        return await discard_draft(session, row_id(id, "Article"))


async def article_care_set(
    info: Info, id: strawberry.ID, owner_id: strawberry.ID | None = None, review_at: datetime | None = None
) -> Article:
    """Says who answers for an article, and from when on somebody should look whether it is still true.

    id: the article
    owner_id: who of those who may edit articles; nobody when left out
    review_at: the moment; none when left out
    """
    owner = row_id(owner_id, "Account", field=("owner_id",)) if owner_id else None
    async with info.context.transaction() as session:
        return await set_article_care(session, row_id(id, "Article"), ArticleCare(owner, review_at))


async def html(articles: Sequence[Article], info: Info) -> Sequence[str]:
    """The answer as HTML that is safe in any page: no scripts, no pictures, links open elsewhere."""
    return await asyncio.to_thread(lambda: [render_markdown(article.body) for article in articles])


async def translations(articles: Sequence[Article], info: Info) -> Sequence[Sequence[Article]]:
    """The same article in other languages."""
    load = info.context.load
    first_ids = [article.original_id or article.id for article in articles]
    groups = await load.article_translations.load_many(first_ids)
    originals = await load.article.load_many([article.original_id or article.id for article in articles])
    return [
        [
            each
            for each in ([original, *group] if original else group)
            if each.id != article.id and each.archived_at is None and visible_article(info, each)
        ]
        for article, original, group in zip(articles, originals, groups, strict=True)
    ]


async def questions(articles: Sequence[Article], info: Info) -> Sequence[Sequence[str]]:
    """Other ways to ask what it answers, for the search; none for customers."""
    return [article.questions if sees_all(info) else () for article in articles]


async def owner(articles: Sequence[Article], info: Info) -> Sequence[Account | None]:
    """Who of the staff answers for it; null where nobody does who still may, and for customers."""
    if not sees_all(info):
        return [None] * len(articles)
    owner_ids = [article.owner_id for article in articles if article.owner_id is not None]
    rows = await info.context.load.account.load_many(owner_ids)
    found = {row.id: row for row in rows if row and can_own(row)}
    return [found.get(article.owner_id or 0) for article in articles]


async def review_at(articles: Sequence[Article], info: Info) -> Sequence[datetime | None]:
    """From when on somebody should look whether it is still true; null for customers."""
    return [article.review_at if sees_all(info) else None for article in articles]


async def draft(articles: Sequence[Article], info: Info) -> Sequence[ArticleVersion | None]:
    """What is written beside the published text; null where nothing is, and for customers."""
    if not sees_all(info):
        return [None] * len(articles)
    keys = [(article.id, article.draft_version) for article in articles if article.draft_version]
    found = dict(zip(keys, await info.context.load.article_version.load_many(keys), strict=True))
    return [found.get((article.id, article.draft_version or 0)) for article in articles]


async def difference(
    articles: Sequence[Article], info: Info, from_version: int, to_version: int
) -> Sequence[Sequence[TextChange]]:
    """What changed from one version to another, line by line, title first; nothing for customers and where
    one of the versions does not exist.

    from_version: the earlier version
    to_version: the later version
    """
    if not sees_all(info):
        return [()] * len(articles)
    load = info.context.load.article_version
    old = await load.load_many([(article.id, from_version) for article in articles])
    new = await load.load_many([(article.id, to_version) for article in articles])

    def compare() -> list[Sequence[TextChange]]:
        return [
            compare_texts(before.text, after.text) if before and after else ()
            for before, after in zip(old, new, strict=True)
        ]

    return await asyncio.to_thread(compare)
