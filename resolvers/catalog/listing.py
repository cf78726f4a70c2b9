"""Lists of products, what there is to choose from, and suggestions while somebody types."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from domain.catalog.numbers import spelled
from domain.errors import Forbidden, Invalid, LimitReached
from domain.words import match
from loaders.listing import Chosen, CountedValue, ProductSort, Wanted, listing, suggested
from loaders.listing import facets as count_facets
from loaders.page import PAGE_DEFAULT, Page
from models import Attribute, AttributeType, Category, CurrencyCode, Money, Product, ProductStatus
from resolvers.catalog.browsing import PriceRange, named_category, spoken
from resolvers.context import Info
from resolvers.ids import parse_id
from resolvers.inputs.catalog import CHOICES_LIMIT, AttributeFilter, PriceRangeInput, ProductFilter
from resolvers.inputs.money import MoneyInput
from resolvers.paging import paged

T = TypeVar("T")

SUGGESTIONS_LIMIT = 20
CATEGORIES = 3
"""Categories among the suggestions."""

NOWHERE = "/0/"
"""The path of a category that does not exist."""


@dataclass(frozen=True, slots=True)
class CategoryFacet:
    category: Category
    count: int


@dataclass(frozen=True, slots=True)
class BrandFacet:
    brand: str
    count: int


@dataclass(frozen=True, slots=True)
class ValueFacet:
    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class AttributeFacet:
    attribute: Attribute
    values: Sequence[ValueFacet]


@dataclass(frozen=True, slots=True)
class ProductFacets:
    categories: Sequence[CategoryFacet]
    brands: Sequence[BrandFacet]
    attributes: Sequence[AttributeFacet]
    price: PriceRange | None


@dataclass(frozen=True, slots=True)
class SearchSuggestion:
    text: str
    product: Product | None = None
    category: Category | None = None


async def products(
    info: Info,
    search: str = "",
    filter: ProductFilter | None = None,
    sort: ProductSort = ProductSort.RELEVANCE,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Product]:
    """Products by words, by what they are, and in the order asked.

    search: words in any language; all must occur, the last one may be unfinished
    filter: which products
    sort: what comes first
    first: how many, at most 100
    after: the cursor to go on from
    """
    dialect = info.context.shop.database.dialect
    wanted = await wish(info, filter or ProductFilter(), match(search, dialect=dialect))
    statement, order = listing(wanted, sort, dialect=dialect)
    page = await paged(info, statement, order, first=first, after=after)
    page.extra["wanted"] = wanted
    return page


async def wish(info: Info, filter: ProductFilter, words: str) -> Wanted:
    """What is asked for, in the words of the database."""
    currency = info.context.viewer.currency
    price = filter.price or PriceRangeInput()
    return Wanted(
        currency=currency,
        match=words,
        statuses=statuses(info, filter.status),
        category=await path(info, filter.category) if filter.category is not None else None,
        brands=limited(filter.brands, "brands"),
        least=minor(price.min, currency, "min"),
        most=minor(price.max, currency, "max"),
        attributes=tuple(chosen(each) for each in limited(filter.attributes, "attributes")),
        in_stock=bool(filter.in_stock),
    )


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
    return found.path if found else NOWHERE


def minor(amount: MoneyInput | None, currency: CurrencyCode, end: str) -> int | None:
    if amount is None:
        return None
    field = ("filter", "price", end)
    money = amount.money(field=field)
    if money.currency is not currency:
        raise Invalid(f"Prices are shown in {currency.value}.", field=field)
    return money.minor


def chosen(filter: AttributeFilter) -> Chosen:
    return Chosen(filter.code, limited(filter.values, "values"))


def limited(choices: Sequence[T] | None, name: str) -> tuple[T, ...]:
    if choices and len(choices) > CHOICES_LIMIT:
        raise LimitReached(f"At most {CHOICES_LIMIT} at once.", field=("filter", name))
    return tuple(choices or ())


async def facets(root: Page[Product], info: Info) -> ProductFacets:
    """What there is to choose from among all that was found, each choice counted as if it were not made."""
    wanted: Wanted = root.extra["wanted"]
    database = info.context.shop.database
    async with database.reads() as session:
        found = await count_facets(session, wanted, dialect=database.dialect)
    least, most = found.least, found.most
    return ProductFacets(
        [CategoryFacet(category, count) for category, count in found.categories],
        [BrandFacet(brand, count) for brand, count in found.brands],
        attribute_facets(info, found.values, wanted),
        None
        if least is None or most is None
        else PriceRange(Money(least, wanted.currency), Money(most, wanted.currency)),
    )


def attribute_facets(info: Info, values: Sequence[CountedValue], wanted: Wanted) -> list[AttributeFacet]:
    picked = {(each.code, value) for each in wanted.attributes for value in each.values}
    return [
        AttributeFacet(attribute, [value_facet(info, each, picked) for each in counted])
        for attribute, counted in groupby(values, key=lambda value: value.attribute)
    ]


def value_facet(info: Info, counted: CountedValue, picked: set[tuple[str, str]]) -> ValueFacet:
    value = value_text(counted)
    return ValueFacet(
        value,
        spoken(info, counted.attribute, counted.value, counted),
        counted.count,
        (counted.attribute.code, value) in picked,
    )


def value_text(counted: CountedValue) -> str:
    """What a filter asks for this value with."""
    match counted.attribute.type:
        case AttributeType.ENUM:
            return counted.value.code if counted.value else ""
        case AttributeType.NUMBER:
            return spelled(counted.number) if counted.number is not None else ""
        case AttributeType.BOOLEAN:
            return "true" if counted.boolean else "false"
        case AttributeType.DATE:
            return counted.date.isoformat() if counted.date else ""
        case AttributeType.TEXT:
            return counted.text or ""


async def search_suggestions(info: Info, text: str, first: int = 8) -> Sequence[SearchSuggestion]:
    """What somebody may mean who has typed this much: categories, then products.

    text: what has been typed so far
    first: how many, at most 20
    """
    if not 1 <= first <= SUGGESTIONS_LIMIT:
        raise Invalid(f"There are 1 to {SUGGESTIONS_LIMIT} suggestions.", field=("first",))
    database, read = info.context.shop.database, info.context.viewer.read
    words = match(text, dialect=database.dialect)
    if not words:
        return []
    asked = Wanted(info.context.viewer.currency, words)
    categories, products = await suggested(database.reads, asked, first=first, dialect=database.dialect)
    found = [
        SearchSuggestion(read(row.translations, "name", row.name), category=row)
        for row in [row for row in categories if is_called(row, text)][:CATEGORIES]
    ]
    found += [SearchSuggestion(read(row.translations, "title", row.title), product=row) for row in products]
    return found[:first]


def is_called(category: Category, text: str) -> bool:
    """Whether `text` is a part of its name in any language."""
    names = [category.name, *(texts.get("name", "") for texts in category.translations.values())]
    return any(text.strip().casefold() in name.casefold() for name in names)
