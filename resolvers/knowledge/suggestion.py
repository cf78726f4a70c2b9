"""Articles that answer while a customer types, and what they read of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import strawberry

from domain.errors import Invalid, NotFound
from domain.knowledge import account_reader, guest_reader
from domain.knowledge.reading import ArticleReader, read_article
from gateways.secrets import fingerprint_of
from loaders.knowledge import PUBLISHED, SUGGESTIONS_LIMIT, ArticleCriteria, ArticleSearch, find_candidates
from loaders.search.answers import fuse_candidates
from models import Article, ArticleStatus, FulfilmentStatus, OrderLine
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.knowledge.article import ready_search, sees_all, visible_article
from resolvers.knowledge.languages import ReadLanguage, show_in_languages

WAITING = "什么时候发货 取消订单 修改地址 dispatch cancel order change address"
ON_ITS_WAY = "物流 快递 包裹到哪 没收到 track parcel courier delivery late"
ARRIVED = "退货 换货 退款 损坏 少发 质量 return exchange refund damaged missing fault"

STAGE_WORDS: Mapping[FulfilmentStatus, str] = {
    FulfilmentStatus.UNFULFILLED: WAITING,
    FulfilmentStatus.PACKING: WAITING,
    FulfilmentStatus.PARTIALLY_SHIPPED: ON_ITS_WAY,
    FulfilmentStatus.SHIPPED: ON_ITS_WAY,
    FulfilmentStatus.PARTIALLY_DELIVERED: ARRIVED,
    FulfilmentStatus.DELIVERED: ARRIVED,
}
"""What customers mostly ask about an order that has come so far."""


@dataclass(frozen=True, slots=True)
class ArticleQuestion:
    """What articles are looked for with."""

    text: str
    reason: str = ""
    """Why somebody claims, in a sentence; empty where they only ask."""


async def article_suggestions(
    info: Info,
    query: str,
    first: int = 5,
    order_line_id: strawberry.ID | None = None,
    language: str | None = None,
) -> Sequence[Article]:
    """Articles that may answer what somebody is typing, the best first, each in one of its languages; none
    where nothing fits. Typing errors and pinyin are understood.

    query: what they have typed so far
    first: how many, at most 10
    order_line_id: what of their orders they ask about: what it is, and where, decides between articles that
        answer as well
    language: the language of the articles where they have it, as a tag such as "zh-CN"; that of the question
        when left out
    """
    limit, context = check_suggestion_count(first), await describe_line(info, order_line_id)
    asked = [ArticleQuestion(query)]
    (found,) = await rank_suggestions(info, asked, first=limit, context=context, language=language)
    info.context.note_question(query, [article.id for article in found])
    return found


async def suggest_articles(
    info: Info, questions: Sequence[ArticleQuestion], *, first: int, public: bool = False
) -> Sequence[Sequence[Article]]:
    """The best articles for each question, at most `first` each, in its language; `public` for what customers
    read.
    """
    return await rank_suggestions(info, questions, first=check_suggestion_count(first), public=public)


async def rank_suggestions(
    info: Info,
    questions: Sequence[ArticleQuestion],
    *,
    first: int,
    context: Sequence[str] = (),
    public: bool = False,
    language: str | None = None,
) -> Sequence[Sequence[Article]]:
    """The articles that answer each question, the best first; `public` leaves out those for agents."""
    search = await open_search(info)
    criteria = ArticleCriteria(audience=None) if sees_all(info) and not public else PUBLISHED
    texts = list(dict.fromkeys(text for each in questions for text in (each.text, each.reason)))
    ranked = await find_candidates(search, texts, criteria=criteria, context=context)
    known = dict(zip(texts, ranked, strict=True))
    rows = await info.context.load.article.load_many([id for each in ranked for id in each.ids])

    def may_show(row: Article) -> bool:
        is_listed = is_published(row) and visible_article(info, row) is not None
        return is_listed and criteria.audience in (None, row.audience)

    shown = {row.id: row for row in rows if row and may_show(row)}
    found = [
        fuse_candidates(known[each.text], shown, known[each.reason] if each.reason else None)[:first]
        for each in questions
    ]
    languages = [ReadLanguage.of(each.text, known[each.text].asked, language) for each in questions]
    return await show_in_languages(info, found, languages, may_show)


async def open_search(info: Info) -> ArticleSearch:
    """What articles are searched with, made ready once for all that an operation looks for."""
    search: ArticleSearch = await info.context.batch(ready_searches, info, {}).load("articles")
    return search


async def ready_searches(indexes: Sequence[str], info: Info) -> Sequence[ArticleSearch]:
    return [await ready_search(info)] * len(indexes)


async def describe_line(info: Info, line_id: strawberry.ID | None) -> Sequence[str]:
    """What a line of an order is, and what is mostly asked where it stands; NotFound for those of others."""
    if line_id is None:
        return ()
    line, load = await own_line(info, line_id), info.context.load
    order, product = await load.order.load(line.order_id), await load.product.load(line.product_id)
    category = await load.category.load(product.category_id) if product and product.category_id else None
    names = [line.title, *(each.get("title", "") for each in (line.translations or {}).values())]
    kinds = (
        [category.name, *(each.get("name", "") for each in category.translations.values())]
        if category
        else []
    )
    return [*names, *kinds, STAGE_WORDS.get(order.fulfilment_status, ARRIVED)] if order else []


async def own_line(info: Info, line_id: strawberry.ID) -> OrderLine:
    """A line of one of the viewer's own orders, or any for the support staff; NotFound for others."""
    field, viewer = ("order_line_id",), info.context.viewer
    line = await info.context.load.order_line.load(row_id(line_id, "OrderLine", field=field))
    order = await info.context.load.order.load(line.order_id) if line else None
    if line is None or order is None:
        raise NotFound("order line", field=field)
    if not (viewer.may(Permission.ORDER_VIEW_ALL) or viewer.owns(order.account_id)):
        raise NotFound("order line", field=field)
    return line


def is_published(article: Article) -> bool:
    """Whether everybody can find it: between the index and the database time passes."""
    return article.status is ArticleStatus.PUBLISHED and article.archived_at is None


def check_suggestion_count(first: int) -> int:
    """The number of suggestions; Invalid, about the argument `first`, out of its limits."""
    if not 1 <= first <= SUGGESTIONS_LIMIT:
        raise Invalid("There are 1 to {limit} suggestions.", limit=SUGGESTIONS_LIMIT, field=("first",))
    return first


async def article_read(info: Info, id: strawberry.ID, order_line_id: strawberry.ID | None = None) -> Article:
    """Notes that a customer has opened an article, once a day for each article and order: the shop learns
    which articles save a ticket. Who it was is forgotten a day later. A guest is known by the token of their
    cart; what the staff read is not noted.

    id: the article
    order_line_id: what of their orders they ask about
    """
    context, viewer, article_id = info.context, info.context.viewer, row_id(id, "Article")
    line = await own_line(info, order_line_id) if order_line_id else None
    if viewer.is_staff:
        article = visible_article(info, await context.load.article.load(article_id))
        if article is None:
            raise NotFound("article", field=("id",))
        return article
    async with context.transaction() as session:
        if viewer.account_id is not None:
            key = account_reader(viewer.account_id)
        else:
            key = await guest_reader(session, viewer.cart_token and fingerprint_of(viewer.cart_token))
        reader = ArticleReader(key, viewer.account_id, line.order_id if line else None)
        return await read_article(session, article_id, reader, day=context.shop.today, cause=context.cause)
