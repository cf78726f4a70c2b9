"""Facets of a product list: the categories, brands, values and prices to filter by, with their counts."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)

from loaders.listing.filters import (
    ProductCriteria,
    attribute_code_parameter,
    fixed_conditions,
    has_attribute_value,
    in_price_range,
    in_subtree,
    is_of_brand,
)
from loaders.search import matching_products
from models import (
    Attribute,
    AttributeType,
    AttributeValue,
    Category,
    Price,
    Product,
    ProductFacetValues,
    Variant,
)
from models.database import Reads
from models.sql.dialects import columns_of, dialect_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import DriverConnection, PreparedSelect, build_entities, driver_connection
from models.sql.types import AnyColumn, AnyExpression, AnySelect, ColumnTypes
from text.facet_values import SEPARATOR, count_choices, most_frequent_choices

FACET_LIMIT = 100
"""Entries of one facet."""

STATEMENT_CACHE_SIZE = 128
"""Compiled statements that are kept, the ones used last."""

ID_DIGITS = 19
"""The id of a value has fewer digits; a longer number is the text of a TEXT attribute."""

ZERO, ONE = literal_column("0", Integer), literal_column("1", Integer)

FACET_COLUMNS: ColumnTypes = {
    "text": String(),
    "products": BigInteger(),
    "attribute_id": BigInteger(),
    "place": Integer(),
    "min_price": BigInteger(),
    "max_price": BigInteger(),
}


class FacetRow(NamedTuple):
    """A row of the statement that counts all facets."""

    kind: str
    text: str
    products: int
    attribute_id: int | None
    place: int | None
    """The place of an attribute among the attribute choices of the filter."""
    min_price: int | None
    max_price: int | None


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
    """What to filter by; each facet is counted as if the filter had no choice of its own kind."""

    categories: Sequence[tuple[Category, int]]
    brands: Sequence[tuple[str, int]]
    values: Sequence[AttributeValueCount]
    min_price: int | None
    """In minor units, like `max_price`."""
    max_price: int | None


@dataclass(frozen=True, slots=True)
class FilterFlags:
    """The choices of a filter, each as a condition under the name of its flag column."""

    conditions: Mapping[str, ColumnElement[bool]]
    attributes: Sequence[tuple[str, BindParameter[str]]]
    """Those of attributes: the name of the flag, and the code of the attribute."""

    @classmethod
    def of(cls, criteria: ProductCriteria, *, dialect: str) -> "FilterFlags":
        conditions: dict[str, ColumnElement[bool]] = {}
        if criteria.category is not None:
            conditions["fits_category"] = in_subtree(criteria.category)
        if criteria.brands:
            conditions["fits_brand"] = is_of_brand(criteria, dialect=dialect)
        if criteria.has_price_range:
            conditions["fits_price"] = in_price_range(criteria)
        attributes = []
        for place, choice in enumerate(criteria.attributes):
            name = f"fits_attribute_{place}"
            attributes.append((name, attribute_code_parameter(choice, place)))
            conditions[name] = has_attribute_value(choice, place, dialect=dialect)
        return cls(conditions, attributes)


async def load_facets(reads: Reads, criteria: ProductCriteria) -> Facets:
    """The facets of a list: one statement counts, two more load the categories and attributes counted."""
    dialect = dialect_of(reads)
    statement = _facets_statement(criteria.shape, dialect=dialect)
    by_kind: dict[str, list[FacetRow]] = {"brand": [], "category": [], "price": [], "value": []}
    async with driver_connection(reads) as connection:
        for row in await statement.fetch(connection, **criteria.parameters(dialect)):
            by_kind[row[0]].append(FacetRow(*row))
        products_by_path = {row.text: row.products for row in by_kind["category"]}
        categories = await _load_categories(connection, products_by_path)
        values = await _load_values(connection, by_kind["value"])
    (price,) = by_kind["price"]
    brands = [(row.text, row.products) for row in by_kind["brand"]]
    return Facets(categories, brands, values, price.min_price, price.max_price)


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _facets_statement(shape: ProductCriteria, *, dialect: str) -> PreparedSelect:
    flags = FilterFlags.of(shape, dialect=dialect)
    pool = _candidate_products(shape, flags, dialect=dialect)

    def fits_all_but(*excluded: str) -> list[ColumnElement[bool]]:
        return [pool.c[name] == ONE for name in flags.conditions if name not in excluded]

    parts = [
        _select_brands(pool, fits_all_but("fits_brand")),
        _select_category_paths(pool, fits_all_but("fits_category")),
        _select_price_range(pool, fits_all_but("fits_price"), shape),
        _select_values(pool, fits_all_but()),
        *(
            _select_other_values(pool, [*fits_all_but(name), pool.c[name] == ZERO], code, place)
            for place, (name, code) in enumerate(flags.attributes)
        ),
    ]
    return PreparedSelect(union_all(*parts), dialect)


def _candidate_products(criteria: ProductCriteria, flags: FilterFlags, *, dialect: str) -> CTE:
    """The products that match the search and fit all choices but at most one, with a flag per choice."""
    columns = {name: case((fits, ONE), else_=ZERO) for name, fits in flags.conditions.items()}
    statement = select(
        Product.id,
        Product.brand,
        Product.category_id,
        *(flag.label(name) for name, flag in columns.items()),
    ).where(*fixed_conditions(criteria))
    if criteria.plan:
        matches = matching_products(criteria.plan, dialect=dialect)
        statement = statement.join(matches, matches.c.id == Product.id)
    pool = statement.cte("pool").prefix_with("MATERIALIZED")
    if len(columns) < 2:
        return pool
    fitting: AnyExpression = sum((pool.c[name] for name in columns), start=literal(0, Integer))
    return select(pool).where(fitting >= len(columns) - 1).cte("near").prefix_with("MATERIALIZED")


def _facet_row(kind: str, **values: AnyColumn) -> list[AnyExpression]:
    """The columns that all parts of the statement have, NULL where no value is given."""
    return [
        literal_column(f"'{kind}'", String).label("kind"),
        *(values.get(name, cast(null(), type_)).label(name) for name, type_ in FACET_COLUMNS.items()),
    ]


def _select_brands(pool: CTE, fits: Sequence[ColumnElement[bool]]) -> AnySelect:
    count = func.count()
    brands = (
        select(*_facet_row("brand", products=count, text=pool.c.brand))
        .select_from(pool)
        .where(*fits, pool.c.brand != "")
        .group_by(pool.c.brand)
        .order_by(count.desc(), pool.c.brand)
        .limit(FACET_LIMIT)
    )
    return brands.subquery("brands").select()


def _select_category_paths(pool: CTE, fits: Sequence[ColumnElement[bool]]) -> AnySelect:
    paths: AnySelect = (
        select(*_facet_row("category", products=func.count(), text=Category.path))
        .select_from(pool)
        .join(Category, Category.id == pool.c.category_id)
        .where(*fits)
        .group_by(Category.path)
    )
    return paths


def _select_price_range(
    pool: CTE, fits: Sequence[ColumnElement[bool]], criteria: ProductCriteria
) -> AnySelect:
    # nested from products to variants to prices: with a join SQLite reads all prices first
    products = select(pool.c.id).where(*fits)
    variants = select(Variant.id).where(Variant.product_id.in_(products), Variant.archived_at.is_(None))
    prices: AnySelect = (
        select(*_facet_row("price", min_price=func.min(Price.amount), max_price=func.max(Price.amount)))
        .select_from(Price)
        .where(Price.variant_id.in_(variants), Price.currency == criteria.currency)
    )
    return prices


def _select_values(pool: CTE, fits: Sequence[ColumnElement[bool]], **values: AnyColumn) -> AnySelect:
    """The filterable values of all products joined to one text, since Python counts short texts faster."""
    texts = func.aggregate_strings(ProductFacetValues.facet_values, SEPARATOR)
    statement: AnySelect = (
        select(*_facet_row("value", text=texts, **values))
        .select_from(pool)
        .join(ProductFacetValues, ProductFacetValues.product_id == pool.c.id)
        .where(*fits)
    )
    return statement


def _select_other_values(
    pool: CTE, fits: Sequence[ColumnElement[bool]], code: BindParameter[str], place: int
) -> AnySelect:
    """The same of products that fit all but the choice of one attribute: its facet counts them, too."""
    attribute_id = select(Attribute.id).where(Attribute.code == code).scalar_subquery()
    return _select_values(pool, fits, attribute_id=attribute_id, place=literal_column(str(place)))


async def _load_categories(
    connection: DriverConnection, products_by_path: Mapping[str, int]
) -> list[tuple[Category, int]]:
    """Each category with the number of products in it and below it, in the order of the tree."""
    counts: Counter[int] = Counter()
    for path, products in products_by_path.items():
        for step in path.strip("/").split("/"):
            counts[int(step)] += products
    if not counts:
        return []
    dialect = connection.dialect
    rows = await _categories_statement(dialect).fetch(connection, ids=encode_values(counts, dialect))
    categories = sorted(
        build_entities(Category, rows), key=lambda row: (row.depth, -counts[row.id], row.position, row.id)
    )
    return [(row, counts[row.id]) for row in categories[:FACET_LIMIT]]


async def _load_values(connection: DriverConnection, rows: Sequence[FacetRow]) -> list[AttributeValueCount]:
    """By the name of the attribute, the most frequent value first."""
    frequent = most_frequent_choices(_count_values(rows), FACET_LIMIT)
    if not frequent:
        return []
    dialect = connection.dialect
    value_ids = {int(value) for _, value, _ in frequent if value.isdecimal() and len(value) < ID_DIGITS}
    loaded = await _attributes_statement(dialect).fetch(
        connection,
        attributes=encode_values({attribute_id for attribute_id, _, _ in frequent}, dialect),
        values=encode_values(value_ids, dialect),
    )
    start = len(columns_of(Attribute))
    attributes = {row.id: row for row in build_entities(Attribute, loaded)}
    with_value = [row for row in loaded if row[start] is not None]
    values = {row.id: row for row in build_entities(AttributeValue, with_value, start=start)}
    counts = [
        _value_count(attributes[attribute_id], values, value, count)
        for attribute_id, value, count in frequent
        if attribute_id in attributes
    ]
    return sorted(counts, key=_display_order)


def _count_values(rows: Sequence[FacetRow]) -> Counter[str]:
    """How many products have each value; those of filtered attributes are counted without that filter."""
    counts = count_choices(row.text for row in rows if row.text and row.place is None)
    of_filtered = sorted((row for row in rows if row.place is not None), key=lambda row: row.place or 0)
    for attribute_id, text in {row.attribute_id: row.text for row in of_filtered}.items():
        own = f"{attribute_id}:"
        others = count_choices([text or ""])
        counts.update({choice: count for choice, count in others.items() if choice.startswith(own)})
    return counts


def _value_count(
    attribute: Attribute, values: Mapping[int, AttributeValue], text: str, count: int
) -> AttributeValueCount:
    kind = attribute.type
    return AttributeValueCount(
        attribute,
        values.get(int(text)) if kind is AttributeType.ENUM else None,
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
        AttributeValue.attribute_id == Attribute.id, is_among(AttributeValue.id, "values", dialect)
    )
    statement = select(*columns_of(Attribute), *columns_of(AttributeValue)).outerjoin_from(
        Attribute, AttributeValue, has_value
    )
    return PreparedSelect(
        statement.where(is_among(Attribute.id, "attributes", dialect), Attribute.archived_at.is_(None)),
        dialect,
    )
