"""Product lists: search, filters and order."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from domain.errors import Forbidden, Invalid, LimitReached, NotFound
from gateways.search import SearchIndex
from loaders.listing import (
    AttributeChoice,
    ProductCriteria,
    ProductSort,
    count_products,
    load_attribute_applicability,
    load_flash_sale_products,
)
from loaders.listing import load_product_page as load_page
from loaders.page import FIRST_PAGE, Page, PageRequest, WrongCursor, memo_of
from loaders.search import plan_filled_match, plan_partial_match, plan_query
from models import CurrencyCode, Product, ProductStatus
from resolvers.catalog.category import look_up_category
from resolvers.catalog.product import apply_preferences
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import parse_id
from resolvers.inputs.catalog import CHOICES_LIMIT, AttributeFilter, PriceRangeInput, ProductFilter
from resolvers.inputs.money import MoneyInput
from resolvers.paging import check_page
from text import QUERY_LIMIT
from text.messages import Message
from text.query_parser import hash_query, parse_query
from text.query_plan import InvalidQueryPlan, QueryPlan, read_plan

T = TypeVar("T")


async def products(
    info: Info,
    query: str = "",
    filter: ProductFilter | None = None,
    sort: ProductSort = ProductSort.RELEVANCE,
    page: PageRequest = FIRST_PAGE,
    language: str | None = None,
    currency: CurrencyCode | None = None,
) -> Page[Product]:
    """Searches, filters and sorts products.

    query: words in any language, a SKU or a barcode, at most 200 characters; all words must occur, the last
        one may be unfinished, a typo is tolerated; if few products have all words, those with at least half
        of them follow by relevance (`ProductEdge.partialMatch`)
    filter: which products
    sort: the order
    language: the language of their texts, as a tag such as "zh-CN"; the viewer's own when left out
    currency: the currency to filter, sort and show prices in; the viewer's own when left out
    """
    viewer = apply_preferences(info, language=language, currency=currency)
    checked_query = check_query(query)
    criteria = await criteria_from(info, filter or ProductFilter(), viewer.currency)
    if not checked_query:
        # signs alone are no search for everything
        criteria = replace(criteria, nothing=bool(query.strip()))
        return await find_products(info, criteria, "", sort, page)
    metrics = info.context.shop.metrics
    with metrics.searches.measure("products"):
        found = await find_products(info, criteria, checked_query, sort, page)
    if not page.cursors and not found.rows:
        metrics.searches_without_results.add("products")
    return found


async def find_products(
    info: Info, criteria: ProductCriteria, query: str, sort: ProductSort, page: PageRequest
) -> Page[Product]:
    """A page of the products a query matches; if few have all its words, of those with most of them, too."""
    check_page(page)
    index = await ready_index(info)
    synonyms = await info.context.shop.synonyms.known() if query else ()
    plan = await plan_of_page(index, query, page, synonyms)
    if plan and sort is ProductSort.RELEVANCE and not page.cursors:
        plan = await plan_filled_match(index, plan, criteria.visible) or plan
    found = await load_product_page(info, index, replace(criteria, plan=plan), sort, page)
    if plan is None or plan.is_partial or found.rows or page.cursors:
        return found
    partial_plan = await plan_partial_match(index, plan, criteria.visible)
    if partial_plan is None:
        return found
    return await load_product_page(info, index, replace(criteria, plan=partial_plan), sort, page)


async def ready_index(info: Info) -> SearchIndex:
    """The index of products; the staff see in it what they have just changed."""
    return await info.context.shop.product_index.ready(newest=info.context.viewer.is_staff)


async def load_product_page(
    info: Info, index: SearchIndex, criteria: ProductCriteria, sort: ProductSort, page: PageRequest
) -> Page[Product]:
    try:
        found = await load_page(index, info.context.shop.database.reads, criteria, sort, page)
    except WrongCursor as error:
        raise Invalid(error.message, field=(error.argument,)) from None
    found.count_all = partial(count_products, index, criteria)
    found.extra |= {"criteria": criteria, "index": index}
    return found


def check_query(query: str) -> str:
    """The query without blanks around it; "" when there is no word in it. Raises Invalid for a long one."""
    if len(query) > QUERY_LIMIT:
        raise Invalid("A search has at most {limit} characters.", limit=QUERY_LIMIT, field=("query",))
    return query.strip() if parse_query(query) else ""


async def plan_of_page(
    index: SearchIndex, query: str, page: PageRequest, synonyms: Sequence[Sequence[str]]
) -> QueryPlan | None:
    """The plan of a query; a further page has the plan of the first one, which its cursors hold.

    Raises Invalid for a cursor of another query.
    """
    if not query:
        return None
    if not page.cursors:
        return await plan_query(index, query, synonyms=synonyms)
    plans = [plan_of_cursor(cursor, query, field=(argument,)) for argument, cursor in page.cursors]
    return plans[0]


def plan_of_cursor(cursor: str, query: str, *, field: tuple[str, ...]) -> QueryPlan:
    """The plan in a cursor; raises Invalid for a cursor of another query."""
    try:
        plan = read_plan(memo_of(cursor))
    except (WrongCursor, InvalidQueryPlan):
        raise Invalid("This cursor is not one of this search.", field=field) from None
    if plan.query_hash != hash_query(query):
        raise Invalid("This cursor belongs to another search.", field=field)
    return plan


def corrected_query(root: Page[Product]) -> str | None:
    """The query that was looked for, with typos corrected; null without a query."""
    plan: QueryPlan | None = root.extra["criteria"].plan
    return plan.query if plan else None


def is_partial_match(root: Page[Product]) -> bool:
    """Whether no product has all words of the query, and these have most of them."""
    plan: QueryPlan | None = root.extra["criteria"].plan
    return bool(plan and plan.is_partial and root.rows and not root.extra["full_matches"])


def lacks_words(root: Page[Product], product: Product) -> bool:
    """Whether a product of a page does not have all words of the query."""
    plan: QueryPlan | None = root.extra["criteria"].plan
    return bool(plan and plan.is_partial and product.id not in root.extra["full_matches"])


async def criteria_from(info: Info, filter: ProductFilter, currency: CurrencyCode) -> ProductCriteria:
    """A filter with its ids and amounts checked. Raises NotFound, Invalid, Forbidden and LimitReached."""
    price = filter.price or PriceRangeInput()
    criteria = ProductCriteria(
        currency=currency,
        statuses=visible_statuses(info, filter.status),
        category=await category_path(info, filter.category) if filter.category is not None else None,
        brands=limit_choices(filter.brands, "brands"),
        min_price=minor_amount(price.min, currency, "min"),
        max_price=minor_amount(price.max, currency, "max"),
        attributes=tuple(attribute_choice(each) for each in limit_choices(filter.attributes, "attributes")),
        in_stock=bool(filter.in_stock),
        flash_sale_ids=await flash_sale_products(info, currency) if filter.flash_sale else None,
    )
    lowest, highest = criteria.min_price, criteria.max_price
    if lowest is not None and highest is not None and lowest > highest:
        raise Invalid("The least price is above the most.", field=("filter", "price"))
    if criteria.attributes:
        await check_attributes(info, criteria)
    return criteria


async def flash_sale_products(info: Info, currency: CurrencyCode) -> tuple[int, ...]:
    return await load_flash_sale_products(info.context.shop.database.reads, currency, info.context.now)


async def check_attributes(info: Info, criteria: ProductCriteria) -> None:
    """Raises NotFound for unknown attributes, Invalid for those that no product of the category can have."""
    codes = [each.code for each in criteria.attributes]
    reads = info.context.shop.database.reads
    is_applicable = await load_attribute_applicability(reads, codes, criteria.category)
    for place, code in enumerate(codes):
        field = ("filter", "attributes", place, "code")
        if code not in is_applicable:
            raise NotFound(Message('attribute "{code}"', code=code[:100]), field=field)
        if not is_applicable[code]:
            raise Invalid('No product of this category has an attribute "{code}".', code=code, field=field)


def visible_statuses(info: Info, statuses: list[ProductStatus] | None) -> tuple[ProductStatus, ...]:
    """The statuses to list; raises Forbidden where customers ask for others than ACTIVE."""
    if statuses is None:
        return (ProductStatus.ACTIVE,)
    if not info.context.viewer.may(Permission.CATALOG_VIEW) and set(statuses) - {ProductStatus.ACTIVE}:
        raise Forbidden
    return tuple(statuses)


async def category_path(info: Info, name: str) -> str:
    """The path of the category with this global id or slug; raises NotFound."""
    parsed = parse_id(name)
    by_id = parsed is not None and parsed[0] == "Category"
    found = await look_up_category(info, name, by_slug=not by_id)
    if found is None:
        raise NotFound("category", field=("filter", "category"))
    return found.path


def minor_amount(amount: MoneyInput | None, currency: CurrencyCode, end: str) -> int | None:
    """One end of a price range in minor units; raises Invalid for another currency and negative amounts."""
    if amount is None:
        return None
    field = ("filter", "price", end)
    money = amount.money(field=field)
    if money.currency is not currency:
        raise Invalid("Prices are shown in {currency}.", currency=currency.value, field=field)
    if money.minor < 0:
        raise Invalid("Nothing costs less than nothing.", field=field)
    return money.minor


def attribute_choice(filter: AttributeFilter) -> AttributeChoice:
    return AttributeChoice(filter.code, limit_choices(filter.values, "values"))


def limit_choices(choices: Sequence[T] | None, name: str) -> tuple[T, ...]:
    """The choices; raises LimitReached for more than CHOICES_LIMIT."""
    if choices and len(choices) > CHOICES_LIMIT:
        raise LimitReached("At most {limit} at once.", limit=CHOICES_LIMIT, field=("filter", name))
    return tuple(choices or ())
