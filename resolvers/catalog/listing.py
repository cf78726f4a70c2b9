"""Lists of products: which are wanted, in which order, and what is wrong with a wish."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from domain.errors import Forbidden, Invalid, LimitReached, NotFound
from loaders.listing import Chosen, ProductSort, Wanted, attributes_held, count, first_page, listing
from loaders.page import PAGE_DEFAULT, Page, WrongCursor, memo_of
from loaders.search import nearest, understood
from models import CurrencyCode, Product, ProductStatus
from resolvers.catalog.browsing import likes, named_category
from resolvers.context import Info
from resolvers.ids import parse_id
from resolvers.inputs.catalog import CHOICES_LIMIT, AttributeFilter, PriceRangeInput, ProductFilter
from resolvers.inputs.money import MoneyInput
from resolvers.paging import check_first, paged
from words import ASKED_LIMIT
from words.asking import NoPlan, Plan, mark, read_plan, wishes

T = TypeVar("T")


async def products(
    info: Info,
    search: str = "",
    filter: ProductFilter | None = None,
    sort: ProductSort = ProductSort.RELEVANCE,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
    language: str | None = None,
    currency: CurrencyCode | None = None,
) -> Page[Product]:
    """Products by words, by what they are, and in the order asked.

    search: words in any language, a SKU or a barcode, at most 200 characters; all words must occur, the last
        one may be unfinished, a typo is forgiven, and where nothing has all of them the nearest is found
    filter: which products
    sort: what comes first
    first: how many, at most 100
    after: the cursor to go on from, of the same search and sort
    language: tell them in this language, as a tag such as "zh-CN", instead of the viewer's own
    currency: filter, sort and tell prices in this currency instead of the viewer's own
    """
    viewer = likes(info, language=language, currency=currency)
    asked = searched(search)
    wanted = await wish(info, filter or ProductFilter(), viewer.currency)
    plan = await planned(info, asked, after)
    page = await listed(info, replace(wanted, plan=plan), sort, first=first, after=after)
    if plan is None or page.rows or after is not None:
        return page
    database = info.context.shop.database
    near = await nearest(database.reads, plan, wanted.statuses, dialect=database.dialect)
    if near is None:
        return page
    return await listed(info, replace(wanted, plan=near), sort, first=first, after=None)


async def listed(
    info: Info, wanted: Wanted, sort: ProductSort, *, first: int, after: str | None
) -> Page[Product]:
    reads = info.context.shop.database.reads
    if after is None:
        check_first(first)
        page = await first_page(reads, wanted, sort, first=first)
    else:
        statement, order = listing(wanted, sort, dialect=info.context.shop.database.dialect)
        page = await paged(info, statement, order, first=first, after=after)
    page.counting = partial(count, reads, wanted)
    page.extra["wanted"] = wanted
    return page


def searched(text: str, *, field: str = "search") -> str:
    """What is searched for; "" when there is no word in it."""
    if len(text) > ASKED_LIMIT:
        raise Invalid(f"A search has at most {ASKED_LIMIT} characters.", field=(field,))
    return text.strip() if wishes(text) else ""


async def planned(info: Info, search: str, after: str | None) -> Plan | None:
    """What a search looks for: on a further page what the first page looked for, whatever came meanwhile."""
    if not search:
        return None
    if after is None:
        return await understood(info.context.shop.database.reads, search)
    try:
        plan = read_plan(memo_of(after))
    except (WrongCursor, NoPlan):
        raise Invalid("This cursor is not one of this search.", field=("after",)) from None
    if plan.mark != mark(search):
        raise Invalid("This cursor belongs to another search.", field=("after",))
    return plan


def searched_for(root: Page[Product]) -> str | None:
    """The words that were looked for, typos put right; null without a search."""
    plan: Plan | None = root.extra["wanted"].plan
    return plan.asked if plan else None


def is_nearest(root: Page[Product]) -> bool:
    """Whether nothing has all the words that were looked for, and these products come nearest."""
    plan: Plan | None = root.extra["wanted"].plan
    return bool(plan and plan.nearest)


async def wish(info: Info, filter: ProductFilter, currency: CurrencyCode) -> Wanted:
    """What is asked for, in the words of the database."""
    price = filter.price or PriceRangeInput()
    wanted = Wanted(
        currency=currency,
        statuses=statuses(info, filter.status),
        category=await path(info, filter.category) if filter.category is not None else None,
        brands=limited(filter.brands, "brands"),
        least=minor(price.min, currency, "min"),
        most=minor(price.max, currency, "max"),
        attributes=tuple(chosen(each) for each in limited(filter.attributes, "attributes")),
        in_stock=bool(filter.in_stock),
        flash_sale_at=info.context.now if filter.flash_sale else None,
    )
    if wanted.least is not None and wanted.most is not None and wanted.least > wanted.most:
        raise Invalid("The least price is above the most.", field=("filter", "price"))
    if wanted.attributes:
        await check_attributes(info, wanted)
    return wanted


async def check_attributes(info: Info, wanted: Wanted) -> None:
    """Attributes that there are, and that products of the category can have."""
    codes = [each.code for each in wanted.attributes]
    held = await attributes_held(info.context.shop.database.reads, codes, wanted.category)
    for place, code in enumerate(codes):
        field = ("filter", "attributes", place, "code")
        if code not in held:
            raise NotFound(f'attribute "{code[:100]}"', field=field)
        if not held[code]:
            raise Invalid(f'No product of this category has an attribute "{code}".', field=field)


def statuses(info: Info, wanted: list[ProductStatus] | None) -> tuple[ProductStatus, ...]:
    if wanted is None:
        return (ProductStatus.ACTIVE,)
    if not info.context.viewer.is_staff and set(wanted) - {ProductStatus.ACTIVE}:
        raise Forbidden
    return tuple(wanted)


async def path(info: Info, name: str) -> str:
    """Where a category stands, by its id or its slug."""
    parsed = parse_id(name)
    by_id = parsed is not None and parsed[0] == "Category"
    found = await named_category(info, name, by_slug=not by_id)
    if found is None:
        raise NotFound("category", field=("filter", "category"))
    return found.path


def minor(amount: MoneyInput | None, currency: CurrencyCode, end: str) -> int | None:
    if amount is None:
        return None
    field = ("filter", "price", end)
    money = amount.money(field=field)
    if money.currency is not currency:
        raise Invalid(f"Prices are shown in {currency.value}.", field=field)
    if money.minor < 0:
        raise Invalid("Nothing costs less than nothing.", field=field)
    return money.minor


def chosen(filter: AttributeFilter) -> Chosen:
    return Chosen(filter.code, limited(filter.values, "values"))


def limited(choices: Sequence[T] | None, name: str) -> tuple[T, ...]:
    if choices and len(choices) > CHOICES_LIMIT:
        raise LimitReached(f"At most {CHOICES_LIMIT} at once.", field=("filter", name))
    return tuple(choices or ())
