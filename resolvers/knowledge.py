from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.errors import Invalid, NotFound
from domain.knowledge import (
    account_reader,
    add_article,
    guest_reader,
    publish_article,
    rate_article,
    remove_article,
    restore_article,
    update_article,
    withdraw_article,
)
from domain.removal import RemovalOutcome
from gateways.search import SearchIndex
from gateways.secrets import fingerprint_of
from loaders.knowledge import (
    NEWEST_ARTICLE,
    SUGGESTIONS_LIMIT,
    ArticleCriteria,
    load_found_articles,
    select_articles,
    suggest_article_ids,
)
from loaders.page import FIRST_PAGE, Page, PageRequest, WrongCursor
from loaders.search import ARTICLE_BOOSTS, plan_partial_match, plan_query
from models import Article, ArticleStatus, ArticleVersion
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.knowledge import ArticleSaveInput
from resolvers.paging import check_page, query_page
from text import QUERY_LIMIT
from text.query_parser import parse_query


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
    """Drafts are for the staff."""
    if (
        found is None
        or info.context.viewer.may(Permission.ARTICLE_VIEW)
        or found.status is ArticleStatus.PUBLISHED
    ):
        return found
    return None


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

    query: words in any language, at most 200 characters; all words must occur, the last one may be
        unfinished, a typo is tolerated; if no article has all words, those with most of them match
    category: only of this category
    tag: only with this tag
    language: only in this language, as a tag such as "zh-CN"
    status: only with this status; customers always see published ones only
    archived: true for those that are archived, too; for the staff
    """
    sees_all = info.context.viewer.may(Permission.ARTICLE_VIEW)
    criteria = ArticleCriteria(
        status=status if sees_all else ArticleStatus.PUBLISHED,
        category=category,
        tag=tag,
        language=language,
        archived=archived and sees_all,
    )
    if query and parse_query(query[:QUERY_LIMIT]):
        return await find_articles(info, criteria, query[:QUERY_LIMIT], page)
    statement = select_articles(criteria, dialect=info.context.shop.database.dialect)
    return await query_page(info, statement, NEWEST_ARTICLE, page)


async def find_articles(
    info: Info, criteria: ArticleCriteria, query: str, page: PageRequest
) -> Page[Article]:
    """A page of the articles a query matches; if none has all its words, of those with most of them."""
    check_page(page)
    index = await ready_index(info)
    plan = await plan_query(index, query)
    if plan is None:
        return Page((), (), has_next=False, has_previous=False)
    plan = await plan_partial_match(index, plan, *criteria.filters, boosts=ARTICLE_BOOSTS) or plan
    try:
        return await load_found_articles(index, info.context.shop.database.reads, criteria, plan, page)
    except WrongCursor as error:
        raise Invalid(error.message, field=(error.argument,)) from None


async def ready_index(info: Info) -> SearchIndex:
    """The index of articles; the staff see in it what they have just changed."""
    return await info.context.shop.article_index.ready(
        newest=info.context.viewer.may(Permission.ARTICLE_VIEW)
    )


async def article_suggestions(info: Info, query: str, first: int = 5) -> Sequence[Article]:
    """Articles that may answer what somebody is typing, the best first.

    query: what they have typed so far
    first: how many, at most 10
    """
    return (await suggest_articles(info, [query], first=first))[0]


async def suggest_articles(info: Info, texts: Sequence[str], *, first: int) -> Sequence[Sequence[Article]]:
    """The best articles for each of these texts, at most `first` each."""
    limit, index = check_suggestion_count(first), await info.context.shop.article_index.ready()
    found = [(await suggest_article_ids(index, text))[:limit] for text in texts]
    rows = await info.context.load.article.load_many([id for ids in found for id in ids])
    shown = {row.id: row for row in rows if row and is_published(row)}
    return [[shown[id] for id in ids if id in shown] for ids in found]


def is_published(article: Article) -> bool:
    """Whether everybody can find it: between the index and the database time passes."""
    return article.status is ArticleStatus.PUBLISHED and article.archived_at is None


def check_suggestion_count(first: int) -> int:
    """The number of suggestions; Invalid, about the argument `first`, out of its limits."""
    if not 1 <= first <= SUGGESTIONS_LIMIT:
        raise Invalid("There are 1 to {limit} suggestions.", limit=SUGGESTIONS_LIMIT, field=("first",))
    return first


async def article_save(info: Info, input: ArticleSaveInput) -> Article:
    """Adds an article as a draft, or changes one; each version is kept."""
    context, text = info.context, input.text()
    async with context.transaction() as session:
        if input.id is None:
            return await add_article(session, text, cause=context.cause)
        version = input.changed_version()
        article_id = row_id(input.id, "Article")
        return await update_article(session, article_id, text, version=version, cause=context.cause)


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


async def article_publish(info: Info, id: strawberry.ID) -> Article:
    """Publishes a draft: everybody can read it.

    id: the article
    """
    async with info.context.transaction() as session:
        return await publish_article(session, row_id(id, "Article"), cause=info.context.cause)


async def article_withdraw(info: Info, id: strawberry.ID) -> Article:
    """Makes a published article a draft again.

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
            session, row_id(id, "Article"), reader=reader, helpful=helpful, cause=context.cause
        )


async def versions(articles: Sequence[Article], info: Info) -> Sequence[Sequence[ArticleVersion]]:
    """All its versions, the first one first; none for customers."""
    if not info.context.viewer.may(Permission.ARTICLE_VIEW):
        return [()] * len(articles)
    return await info.context.load.article_versions.load_many([article.id for article in articles])
