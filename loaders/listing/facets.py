"""Facets of a product list: the categories, brands, values and prices to filter by, with their counts."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from sqlalchemy import and_, select

from gateways.search import FieldRange, SearchIndex, ValueCount
from loaders.listing.filters import ProductCriteria
from loaders.search.fields import BRAND, CATEGORY_LEVELS, CHOICE, attribute_value, price_field
from models import Attribute, AttributeType, AttributeValue, Category
from models.database import Reads
from models.sql.dialects import columns_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import DriverConnection, PreparedSelect, build_entities, driver_connection

FACET_LIMIT = 100
"""Entries of one facet."""

COUNTS = (ValueCount(BRAND, FACET_LIMIT), ValueCount(CHOICE, FACET_LIMIT))

Counts = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class AttributeValueCount:
    """How many products have a value of an attribute; the attribute's type says which field holds it."""

    attribute: Attribute
    value: AttributeValue | None
    number: Decimal | None
    boolean: bool | None
    text: str | None
    date: datetime.date | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What to filter by: counted over what is shown, a facet with a choice as if it were not made."""

    categories: Sequence[tuple[Category, int]]
    """Those right below the one that is shown, or the roots."""
    brands: Counts
    values: Sequence[AttributeValueCount]
    min_price: int | None
    """In minor units, like `max_price`."""
    max_price: int | None


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """The counts of the index, before the rows of what they count are read."""

    categories: Counts
    brands: Counts
    values: Counts
    prices: FieldRange | None


async def load_facets(index: SearchIndex, reads: Reads, criteria: ProductCriteria) -> Facets:
    """The facets of a list: the index counts, two statements load the categories and attributes counted."""
    counts = await count_facets(index, criteria)
    async with driver_connection(reads) as connection:
        categories = await _load_categories(connection, counts.categories)
        values = await _load_values(connection, counts.values)
    prices = counts.prices
    return Facets(
        categories,
        counts.brands,
        values,
        prices.lowest if prices else None,
        prices.highest if prices else None,
    )


async def count_facets(index: SearchIndex, criteria: ProductCriteria) -> FacetCounts:
    """One request for all facets without a choice, and one for each that has one."""
    depth = len(criteria.category.strip("/").split("/")) if criteria.category else 0
    levels = (ValueCount(level, FACET_LIMIT) for level in CATEGORY_LEVELS[depth : depth + 1])
    price = price_field(criteria.currency)
    whole = await index.figures(criteria.query, (*COUNTS, *levels), (price,))
    brands, values, categories = (*whole.counts, ())[:3]
    prices = whole.ranges.get(price)
    if criteria.brands:
        others = await index.figures(replace(criteria, brands=()).query, (ValueCount(BRAND, FACET_LIMIT),))
        brands = others.counts[0]
    if criteria.has_price_range:
        prices = (await index.figures(criteria.without_price().query, (), (price,))).ranges.get(price)
    for choice in criteria.attributes:
        own = attribute_value(choice.code, "")
        query = criteria.without_attribute(choice.code).query
        others = await index.figures(query, (ValueCount(CHOICE, FACET_LIMIT, own),))
        values = [*(each for each in values if not each[0].startswith(own)), *others.counts[0]]
    return FacetCounts(categories, brands, values, prices)


async def _load_categories(connection: DriverConnection, counted: Counts) -> list[tuple[Category, int]]:
    """Each category with the number of products in it and below it, the largest first."""
    counts = {int(value.partition("/")[2]): count for value, count in counted}
    if not counts:
        return []
    dialect = connection.dialect
    rows = await _categories_statement(dialect).fetch(connection, ids=encode_values(counts, dialect))
    categories = sorted(
        build_entities(Category, rows), key=lambda row: (-counts[row.id], row.position, row.id)
    )
    return [(row, counts[row.id]) for row in categories]


async def _load_values(connection: DriverConnection, counted: Counts) -> list[AttributeValueCount]:
    """By the name of the attribute, the most frequent value first."""
    if not counted:
        return []
    frequent = sorted(counted, key=lambda each: (-each[1], each[0]))[:FACET_LIMIT]
    choices = [(*value.partition("=")[::2], count) for value, count in frequent]
    dialect = connection.dialect
    loaded = await _attributes_statement(dialect).fetch(
        connection,
        codes=encode_values({code for code, _, _ in choices}, dialect),
        values=encode_values({value for _, value, _ in choices}, dialect),
    )
    start = len(columns_of(Attribute))
    attributes = {row.code: row for row in build_entities(Attribute, loaded)}
    with_value = [row for row in loaded if row[start] is not None]
    values = {
        (row.attribute_id, row.code): row for row in build_entities(AttributeValue, with_value, start=start)
    }
    return sorted(_value_counts(attributes, values, choices), key=_display_order)


def _value_counts(
    attributes: Mapping[str, Attribute],
    values: Mapping[tuple[int, str], AttributeValue],
    choices: Iterable[tuple[str, str, int]],
) -> Iterable[AttributeValueCount]:
    for code, text, count in choices:
        attribute = attributes.get(code)
        if attribute is None:
            continue
        kind = attribute.type
        yield AttributeValueCount(
            attribute,
            values.get((attribute.id, text)) if kind is AttributeType.ENUM else None,
            Decimal(text) if kind is AttributeType.NUMBER else None,
            text == "true" if kind is AttributeType.BOOLEAN else None,
            text if kind is AttributeType.TEXT else None,
            datetime.date.fromisoformat(text) if kind is AttributeType.DATE else None,
            count,
        )


def _display_order(each: AttributeValueCount) -> tuple[str, int, int, int, Decimal | int, str]:
    position = each.value.position if each.value else 0
    rest = each.text or str(each.date or "")
    return (each.attribute.name, each.attribute.id, -each.count, position, each.number or 0, rest)


@cache
def _categories_statement(dialect: str) -> PreparedSelect:
    return PreparedSelect(
        select(*columns_of(Category)).where(
            is_among(Category.id, "ids", dialect), Category.archived_at.is_(None)
        ),
        dialect,
    )


@cache
def _attributes_statement(dialect: str) -> PreparedSelect:
    """Attributes, each with those of its values that are asked for."""
    has_value = and_(
        AttributeValue.attribute_id == Attribute.id, is_among(AttributeValue.code, "values", dialect)
    )
    statement = select(*columns_of(Attribute), *columns_of(AttributeValue)).outerjoin_from(
        Attribute, AttributeValue, has_value
    )
    return PreparedSelect(
        statement.where(is_among(Attribute.code, "codes", dialect), Attribute.archived_at.is_(None)),
        dialect,
    )
