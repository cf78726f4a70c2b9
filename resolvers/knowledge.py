from collections.abc import Sequence

import strawberry

from domain.errors import Invalid, NotFound
from domain.knowledge import (
    Writing,
    account_reader,
    guest_reader,
    publish_article,
    rate_article,
    rewrite_article,
    withdraw_article,
    write_article,
)
from gateways.secrets import fingerprint
from loaders.knowledge import SUGGESTIONS_LIMIT, articles_wanted
from loaders.page import PAGE_DEFAULT, Page
from models import Article, ArticleStatus, ArticleVersion
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.paging import paged
from words import match, match_any


async def article(info: Info, id: strawberry.ID | None = None, slug: str | None = None) -> Article | None:
    """One article, by id or by slug; null when it does not exist or is not published.

    id: its global id
    slug: its place in an address
    """
    if (id is None) == (slug is None):
        raise Invalid("Give either the id or the slug.", field=("id",))
    if slug is not None:
        return seen(info, await info.context.load.article_by_slug.load(slug))
    try:
        return await find_article(info, row_id(id or "", "Article"))
    except NotFound:
        return None


async def find_article(info: Info, article_id: int) -> Article | None:
    """The article, if this viewer may see it."""
    return seen(info, await info.context.load.article.load(article_id))


def seen(info: Info, found: Article | None) -> Article | None:
    """Drafts are for the staff."""
    if found is None or info.context.viewer.is_staff or found.status is ArticleStatus.PUBLISHED:
        return found
    return None


async def articles(
    info: Info,
    search: str | None = None,
    category: str | None = None,
    tag: str | None = None,
    language: str | None = None,
    status: ArticleStatus | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Article]:
    """Articles: the best first when words are looked for, else the newest first.

    search: words that must be there, in Chinese or English
    category: only of this category
    tag: only with this tag
    language: only in this language, as a tag such as "zh-CN"
    status: only in this state; customers see published ones whatever they ask for
    first: how many, at most 100
    after: the cursor to go on from
    """
    statement, sort = articles_wanted(
        dialect=info.context.shop.database.dialect,
        status=status if info.context.viewer.is_staff else ArticleStatus.PUBLISHED,
        match=match(search or "", dialect=info.context.shop.database.dialect),
        category=category,
        tag=tag,
        language=language,
    )
    return await paged(info, statement, sort, first=first, after=after)


async def article_suggestions(info: Info, text: str, first: int = 5) -> Sequence[Article]:
    """Articles that may answer what somebody is typing, the best first.

    text: what they have typed so far
    first: how many, at most 10
    """
    return (await suggested(info, [text], first=first))[0]


async def suggested(info: Info, texts: Sequence[str], *, first: int) -> Sequence[Sequence[Article]]:
    """The best articles for each of these texts."""
    wanted, dialect = few(first), info.context.shop.database.dialect
    asked = [match_any(text, dialect=dialect) for text in texts]
    found = await info.context.load.article_suggestions.load_many(asked)
    return [articles[:wanted] for articles in found]


def few(first: int) -> int:
    """A number of suggestions, or a refusal that names the argument."""
    if not 1 <= first <= SUGGESTIONS_LIMIT:
        raise Invalid(f"There are 1 to {SUGGESTIONS_LIMIT} suggestions.", field=("first",))
    return first


async def article_save(
    info: Info,
    slug: str,
    language: str,
    category: str,
    title: str,
    body: str,
    tags: list[str] = [],  # noqa: B006 - read only
    id: strawberry.ID | None = None,
    version: int | None = None,
) -> Article:
    """Write an article, or change one; what it said before is kept. A new one is a draft.

    slug: its place in an address: small letters, digits and hyphens
    language: the language it is written in, as a tag such as "zh-CN"
    category: what it is about
    title: what it answers, in up to 200 characters
    body: the answer, in Markdown
    tags: words it is filed under
    id: the one to change; a new one without it
    version: the version that was changed; needed with `id`
    """
    context, writing = info.context, Writing(slug, language, category, tuple(tags), title, body)
    async with context.transaction() as session:
        if id is None:
            return await write_article(session, writing, now=context.now, by=context.viewer.id)
        if version is None:
            raise Invalid("Say which version you have changed.", field=("version",))
        return await rewrite_article(
            session,
            row_id(id, "Article"),
            writing,
            version=version,
            now=context.now,
            by=context.viewer.id,
        )


async def article_publish(info: Info, id: strawberry.ID) -> Article:
    """Let everybody read an article.

    id: the article
    """
    async with info.context.transaction() as session:
        return await publish_article(session, row_id(id, "Article"), now=info.context.now)


async def article_withdraw(info: Info, id: strawberry.ID) -> Article:
    """Make a published article a draft again.

    id: the article
    """
    async with info.context.transaction() as session:
        return await withdraw_article(session, row_id(id, "Article"))


async def article_rate(info: Info, id: strawberry.ID, helpful: bool) -> Article:
    """Say whether an article helped; each reader counts once, and the last word counts. A guest is known
    by the token of their cart.

    id: the article
    helpful: whether it did
    """
    context, viewer = info.context, info.context.viewer
    async with context.transaction() as session:
        if viewer.account_id is not None:
            reader = account_reader(viewer.account_id)
        else:
            reader = await guest_reader(session, viewer.cart_token and fingerprint(viewer.cart_token))
        return await rate_article(
            session, row_id(id, "Article"), reader=reader, helpful=helpful, now=context.now
        )


async def versions(articles: Sequence[Article], info: Info) -> Sequence[Sequence[ArticleVersion]]:
    """What it said at each of its versions, the first one first; none for customers."""
    if not info.context.viewer.is_staff:
        return [()] * len(articles)
    return await info.context.load.article_versions.load_many([article.id for article in articles])
