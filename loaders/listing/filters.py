"""The filters of a product list as conditions of the index."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from sqlalchemy import ColumnElement, Select, literal, or_, select

from gateways.search import Filter, IdFilter, IndexQuery, KeywordFilter, NumberFilter
from loaders.promotion import is_on_flash_sale
from loaders.search.fields import (
    ATTRIBUTE,
    BRAND,
    CATEGORY,
    IN_STOCK,
    STATUS,
    STOCK,
    attribute_value,
    category_value,
    price_field,
    text_query,
)
from models import (
    Attribute,
    Category,
    CategoryAttribute,
    CurrencyCode,
    Product,
    ProductAttribute,
    ProductStatus,
    Promotion,
    Variant,
)
from models.database import Reads
from text.facet_values import write_number
from text.query_plan import QueryPlan

NUMBER_LIMIT = 10**9
"""Numbers of attributes are below it."""


@dataclass(frozen=True, slots=True)
class AttributeChoice:
    """Values of one attribute; a product must have at least one of them."""

    code: str
    values: tuple[str, ...]

    @property
    def filter(self) -> KeywordFilter:
        """Each value as it is, and as the number or the day that it may be."""
        values = dict.fromkeys(
            [
                *self.values,
                *map(write_number, parse_numbers(self.values)),
                *(day.isoformat() for day in parse_dates(self.values)),
            ]
        )
        return KeywordFilter(ATTRIBUTE, tuple(attribute_value(self.code, each) for each in values))


@dataclass(frozen=True, slots=True)
class ProductCriteria:
    """Which products a list has; everything given must hold."""

    currency: CurrencyCode
    plan: QueryPlan | None = None
    """What a search looks for."""
    statuses: tuple[ProductStatus, ...] = (ProductStatus.ACTIVE,)
    category: str | None = None
    """The path of a category: products in it or below it."""
    brands: tuple[str, ...] = ()
    min_price: int | None = None
    """In minor units, like `max_price`."""
    max_price: int | None = None
    attributes: tuple[AttributeChoice, ...] = ()
    in_stock: bool = False
    flash_sale_ids: tuple[int, ...] | None = None
    """The products in a flash sale, where only those are looked for."""
    nothing: bool = False
    """Whether no product matches."""

    @property
    def has_price_range(self) -> bool:
        return self.min_price is not None or self.max_price is not None

    @property
    def visible(self) -> KeywordFilter:
        return KeywordFilter(STATUS, tuple(each.value for each in self.statuses))

    @property
    def query(self) -> IndexQuery:
        return IndexQuery(text_query(self.plan) if self.plan else None, tuple(self.filters()))

    @property
    def ranked_queries(self) -> Sequence[IndexQuery]:
        """What is ranked, one after the other: what has all words of the search, then what has one less."""
        plan, query = self.plan, self.query
        if plan is None or plan.minimum_should_match is None:
            return (query,)
        fewer = (each for each in plan.partial_minimums if each >= (plan.minimum_should_match or 1))
        plans = [replace(plan, minimum_should_match=each) for each in (None, *fewer)]
        return [replace(query, text=text_query(each)) for each in plans]

    def filters(self) -> Iterator[Filter]:
        """All conditions but the search."""
        yield self.visible
        if self.category is not None:
            yield KeywordFilter(CATEGORY, (category_value(self.category),))
        if self.brands:
            yield KeywordFilter(BRAND, self.brands)
        if self.has_price_range:
            yield NumberFilter(price_field(self.currency), self.min_price, self.max_price)
        if self.in_stock:
            yield KeywordFilter(STOCK, (IN_STOCK,))
        if self.flash_sale_ids is not None:
            yield IdFilter(self.flash_sale_ids)
        if self.nothing:
            yield IdFilter(())
        for choice in self.attributes:
            yield choice.filter

    def without_price(self) -> "ProductCriteria":
        return replace(self, min_price=None, max_price=None)

    def without_attribute(self, code: str) -> "ProductCriteria":
        return replace(self, attributes=tuple(each for each in self.attributes if each.code != code))


async def load_flash_sale_products(
    reads: Reads, currency: CurrencyCode, moment: datetime.datetime
) -> tuple[int, ...]:
    """The products that are in a flash sale at a moment: few, and to the second."""
    statement = (
        select(Variant.product_id)
        .join(Promotion, Promotion.variant_id == Variant.id)
        .where(is_on_flash_sale(moment), Promotion.currency == currency, Variant.archived_at.is_(None))
        .distinct()
    )
    async with reads() as session:
        return tuple((await session.scalars(statement)).all())


def in_subtree(path: str) -> ColumnElement[bool]:
    return Product.category_id.in_(select_subtree(path))


def select_subtree(path: str) -> Select[int]:
    """The ids of the category with this path and of all below it."""
    return select(Category.id).where(Category.path.startswith(path))


def parse_numbers(values: Sequence[str]) -> list[Decimal]:
    """Those values that are numbers an attribute can have."""
    numbers = []
    for value in values:
        with suppress(InvalidOperation):
            numbers.append(Decimal(value))
    return [number for number in numbers if number.is_finite() and abs(number) < NUMBER_LIMIT]


def parse_dates(values: Sequence[str]) -> list[datetime.date]:
    """Those values that are dates in ISO 8601."""
    dates = []
    for value in values:
        with suppress(ValueError):
            dates.append(datetime.date.fromisoformat(value))
    return dates


async def load_attribute_applicability(
    reads: Reads, codes: Sequence[str], category: str | None
) -> Mapping[str, bool]:
    """The codes of those attributes that exist, and whether products of a category have them.

    They do when the category, one above or one below has the attribute, or when one of its products does.
    """
    is_applicable: ColumnElement[bool] = literal(value=True)
    if category is not None:
        line = [int(step) for step in category.strip("/").split("/")]
        in_categories = (
            select(CategoryAttribute.category_id)
            .where(CategoryAttribute.attribute_id == Attribute.id)
            .where(
                or_(
                    CategoryAttribute.category_id.in_(line),
                    CategoryAttribute.category_id.in_(select_subtree(category)),
                )
            )
        )
        in_products = (
            select(ProductAttribute.product_id)
            .join(Product, Product.id == ProductAttribute.product_id)
            .where(ProductAttribute.attribute_id == Attribute.id, in_subtree(category))
        )
        is_applicable = or_(in_categories.exists(), in_products.exists())
    async with reads() as session:
        rows = await session.execute(select(Attribute.code, is_applicable).where(Attribute.code.in_(codes)))
        return {code: bool(applies) for code, applies in rows}
