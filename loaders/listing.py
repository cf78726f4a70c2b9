"""Lists of products: which are wanted, in which order, and what else there is to choose from."""

import datetime
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import Reads
from loaders.page import Key, Sort
from loaders.search import hits
from models import (
    Attribute,
    AttributeValue,
    Category,
    CurrencyCode,
    Order,
    OrderLine,
    OrderStatus,
    Price,
    Product,
    ProductAttribute,
    ProductStatus,
    ProductWords,
    StockLevel,
    Variant,
    in_active_warehouse,
)

FACET_LIMIT = 100
"""Choices of one kind."""

NO_PRICE = 2**62
FLAGS = {"true": True, "false": False}


class ProductSort(StrEnum):
    """The order of a list of products."""

    RELEVANCE = "RELEVANCE"
    """What fits the search best comes first; without a search the same as NEWEST."""
    NEWEST = "NEWEST"
    """What was published last comes first."""
    PRICE_ASC = "PRICE_ASC"
    """What costs least comes first."""
    PRICE_DESC = "PRICE_DESC"
    """What costs most comes first."""
    BEST_SELLING = "BEST_SELLING"
    """What was sold most comes first."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Values of one attribute, of which a product has at least one."""

    code: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which products; everything given must hold."""

    currency: CurrencyCode
    match: str = ""
    """What domain.words made of a search."""
    statuses: tuple[ProductStatus, ...] = (ProductStatus.ACTIVE,)
    category: str | None = None
    """The path of a category: with everything below it."""
    brands: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    attributes: tuple[Chosen, ...] = ()
    in_stock: bool = False

    @property
    def any_price(self) -> "Wanted":
        return replace(self, least=None, most=None)

    def but_for(self, code: str) -> "Wanted":
        return replace(self, attributes=tuple(each for each in self.attributes if each.code != code))


@dataclass(frozen=True, slots=True)
class CountedValue:
    """How many products have one value of an attribute; which column is set follows from its type."""

    attribute: Attribute
    value: AttributeValue | None
    number: Decimal | None
    boolean: bool | None
    text: str | None
    date: datetime.date | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from, each counted as if its own choice were not made."""

    categories: Sequence[tuple[Category, int]]
    brands: Sequence[tuple[str, int]]
    values: Sequence[CountedValue]
    least: int | None
    most: int | None


def listing(wanted: Wanted, sort: ProductSort, *, dialect: str) -> tuple[Select[Any], Sort]:
    """The statement of a page, and the order its cursors belong to."""
    statement = select(Product).where(*conditions(wanted))
    newest = func.coalesce(Product.published_at, Product.created_at)
    key = Key(newest, descending=True)
    if wanted.match:
        found = hits(ProductWords, wanted.match, dialect=dialect)
        statement = statement.join(found, found.c.id == Product.id)
        if sort is ProductSort.RELEVANCE:
            key = Key(found.c.score, descending=True)
    if sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC):
        descending = sort is ProductSort.PRICE_DESC
        key = Key(func.coalesce(lowest_price(wanted.currency), -1 if descending else NO_PRICE), descending)
    if sort is ProductSort.BEST_SELLING:
        sold = units_sold()
        statement = statement.outerjoin(sold, sold.c.product_id == Product.id)
        key = Key(func.coalesce(sold.c.units, 0), descending=True)
    return statement, Sort(sort.value, (key, Key(Product.id, descending=key.descending)))


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Everything but the search."""
    found: list[ColumnElement[bool]] = [Product.status.in_(wanted.statuses)]
    if wanted.category is not None:
        found.append(Product.category_id.in_(subtree(wanted.category)))
    if wanted.brands:
        found.append(Product.brand.in_(wanted.brands))
    if wanted.least is not None or wanted.most is not None:
        found.append(in_price_range(wanted))
    if wanted.in_stock:
        found.append(can_be_bought())
    return found + [has_one_of(chosen) for chosen in wanted.attributes]


def subtree(path: str) -> Select[int]:
    return select(Category.id).where(Category.path.startswith(path))


def in_price_range(wanted: Wanted) -> ColumnElement[bool]:
    priced = (
        select(literal(1))
        .join(Variant, Variant.id == Price.variant_id)
        .select_from(Price)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None))
        .where(Price.currency == wanted.currency)
    )
    if wanted.least is not None:
        priced = priced.where(Price.amount >= wanted.least)
    if wanted.most is not None:
        priced = priced.where(Price.amount <= wanted.most)
    return priced.correlate(Product).exists()


def can_be_bought() -> ColumnElement[bool]:
    """A variant without a limit, or one of which some is left."""
    left = (
        select(literal(1))
        .where(StockLevel.variant_id == Variant.id, StockLevel.on_hand > StockLevel.reserved)
        .where(in_active_warehouse())
        .correlate(Variant)
        .exists()
    )
    free = or_(Variant.tracked.is_(False), Variant.sells_when_out.is_(True), left)
    return (
        select(literal(1))
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None), free)
        .correlate(Product)
        .exists()
    )


def has_one_of(chosen: Chosen) -> ColumnElement[bool]:
    numbers, dates = as_numbers(chosen.values), as_dates(chosen.values)
    flags = [FLAGS[value] for value in chosen.values if value in FLAGS]
    return (
        select(literal(1))
        .select_from(ProductAttribute)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id == Product.id, Attribute.code == chosen.code)
        .where(
            or_(
                AttributeValue.code.in_(chosen.values),
                ProductAttribute.text.in_(chosen.values),
                ProductAttribute.number.in_(numbers),
                ProductAttribute.boolean.in_(flags),
                ProductAttribute.date.in_(dates),
            )
        )
        .correlate(Product)
        .exists()
    )


def as_numbers(values: Sequence[str]) -> list[Decimal]:
    found = []
    for value in values:
        with suppress(InvalidOperation):
            found.append(Decimal(value))
    return [number for number in found if number.is_finite() and abs(number) < 10**9]


def as_dates(values: Sequence[str]) -> list[datetime.date]:
    found = []
    for value in values:
        with suppress(ValueError):
            found.append(datetime.date.fromisoformat(value))
    return found


def lowest_price(currency: CurrencyCode) -> ColumnElement[Any]:
    return (
        select(func.min(Price.amount))
        .join(Variant, Variant.id == Price.variant_id)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None), Price.currency == currency)
        .correlate(Product)
        .scalar_subquery()
    )


def units_sold() -> Any:
    """Units of each product in orders that were not cancelled."""
    return (
        select(OrderLine.product_id, cast(func.sum(OrderLine.quantity), BigInteger).label("units"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.product_id)
        .subquery("sold")
    )


async def facets(session: AsyncSession, wanted: Wanted, *, dialect: str) -> Facets:
    """Four statements, and one for each attribute that is chosen already."""
    least, most = await _price_range(session, wanted.any_price, dialect)
    counted = await _values(session, wanted, dialect, [])
    for chosen in wanted.attributes:
        counted += await _values(session, wanted.but_for(chosen.code), dialect, [chosen.code])
    return Facets(
        await _categories(session, replace(wanted, category=None), dialect),
        await _brands(session, replace(wanted, brands=()), dialect),
        counted,
        least,
        most,
    )


def _those(wanted: Wanted, dialect: str) -> ColumnElement[bool]:
    if not wanted.match:
        return and_(*conditions(wanted))
    found = hits(ProductWords, wanted.match, dialect=dialect)
    return and_(*conditions(wanted), Product.id.in_(select(found.c.id)))


async def _categories(session: AsyncSession, wanted: Wanted, dialect: str) -> list[tuple[Category, int]]:
    """Each category with what stands in it and below it, in the order of the tree."""
    placed = (
        select(Category.path, func.count(Product.id).label("products"))
        .join(Product, Product.category_id == Category.id)
        .where(_those(wanted, dialect))
        .group_by(Category.path)
        .cte("placed")
    )
    below = func.substr(placed.c.path, 1, func.length(Category.path)) == Category.path
    total = cast(func.sum(placed.c.products), BigInteger).label("products")
    counted = select(Category.id, total).join(placed, below).group_by(Category.id).subquery("counted")
    rows = await session.execute(
        select(Category, counted.c.products)
        .join(counted, counted.c.id == Category.id)
        .order_by(Category.depth, counted.c.products.desc(), Category.position, Category.id)
        .limit(FACET_LIMIT)
    )
    return [(category, count) for category, count in rows]


async def _brands(session: AsyncSession, wanted: Wanted, dialect: str) -> list[tuple[str, int]]:
    count = func.count(Product.id)
    rows = await session.execute(
        select(Product.brand, count)
        .where(_those(wanted, dialect), Product.brand != "")
        .group_by(Product.brand)
        .order_by(count.desc(), Product.brand)
        .limit(FACET_LIMIT)
    )
    return [(brand, products) for brand, products in rows]


async def _values(
    session: AsyncSession, wanted: Wanted, dialect: str, codes: Sequence[str]
) -> list[CountedValue]:
    """Values of these attributes, or of all that nothing is chosen of."""
    chosen = [each.code for each in wanted.attributes]
    which = Attribute.code.in_(codes) if codes else Attribute.code.not_in(chosen)
    held = (
        ProductAttribute.attribute_id,
        ProductAttribute.value_id,
        ProductAttribute.number,
        ProductAttribute.boolean,
        ProductAttribute.text,
        ProductAttribute.date,
    )
    count = func.count(ProductAttribute.product_id.distinct()).label("products")
    counted = (
        select(*held, count)
        .join(Product, Product.id == ProductAttribute.product_id)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .where(_those(wanted, dialect), Attribute.filterable.is_(True), which)
        .group_by(*held)
        .order_by(count.desc())
        .limit(FACET_LIMIT)
        .subquery("counted")
    )
    statement: Select[*tuple[Any, ...]] = (
        select(
            Attribute, AttributeValue, *(counted.c[name] for name in ("number", "boolean", "text", "date"))
        )
        .add_columns(counted.c.products)
        .join_from(counted, Attribute, Attribute.id == counted.c.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == counted.c.value_id)
        .order_by(Attribute.name, Attribute.id, counted.c.products.desc(), AttributeValue.position)
    )
    return [CountedValue(*row) for row in await session.execute(statement)]


async def _price_range(session: AsyncSession, wanted: Wanted, dialect: str) -> tuple[int | None, int | None]:
    row = await session.execute(
        select(func.min(Price.amount), func.max(Price.amount))
        .join(Variant, Variant.id == Price.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(_those(wanted, dialect), Variant.archived_at.is_(None), Price.currency == wanted.currency)
    )
    least, most = row.one()
    return least, most


async def suggested(
    reads: Reads, wanted: Wanted, *, first: int, dialect: str
) -> tuple[Sequence[Category], Sequence[Product]]:
    """The categories of all that fits, and the products that fit best."""
    statement, sort = listing(wanted, ProductSort.RELEVANCE, dialect=dialect)
    best = statement.order_by(*(key.ordering for key in sort.keys)).limit(first)
    async with reads() as session:
        categories = await _categories(session, wanted, dialect)
        products: Sequence[Product] = (await session.scalars(best)).all()
    return [category for category, _ in categories], products
