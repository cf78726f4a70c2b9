"""What else there is to choose from among the products of a list, with how many there are of each."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
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
from sqlalchemy.types import TypeEngine

from loaders.listing.wanted import (
    Wanted,
    coded,
    has_one_of,
    in_price_range,
    in_subtree,
    is_of_brand,
    standing,
)
from loaders.prepared import (
    Connection,
    Prepared,
    Reads,
    columns_of,
    connected,
    dialect_of,
    entities,
    is_among,
    packed,
)
from loaders.search import finds
from models import (
    Attribute,
    AttributeType,
    AttributeValue,
    Category,
    Price,
    Product,
    ProductChoices,
    Variant,
)
from words.choices import BETWEEN, counted, most_frequent

FACET_LIMIT = 100
"""Choices of one kind."""

STATEMENTS = 128
"""Statements that are kept, of the lists asked for last."""

DIGITS = 19
"""Fewer than these has the id of a value: a longer number is a text."""

ZERO, ONE = literal_column("0", Integer), literal_column("1", Integer)

COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "text": String(),
    "products": BigInteger(),
    "attribute_id": BigInteger(),
    "place": Integer(),
    "least": BigInteger(),
    "most": BigInteger(),
}


class Counted(NamedTuple):
    """A row of the statement that finds what there is to choose from."""

    kind: str
    text: str
    products: int
    attribute_id: int | None
    place: int | None
    """Where an attribute stands among those that are chosen."""
    least: int | None
    most: int | None


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


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices a list is filtered by: name -> what a product must be like."""

    made: Mapping[str, ColumnElement[bool]]
    attributes: Sequence[tuple[str, BindParameter[str]]]
    """Which of these are choices of an attribute, and the code of that."""

    @classmethod
    def of(cls, wanted: Wanted, *, dialect: str) -> "Choices":
        made: dict[str, ColumnElement[bool]] = {}
        if wanted.category is not None:
            made["fits_category"] = in_subtree(wanted.category)
        if wanted.brands:
            made["fits_brand"] = is_of_brand(wanted, dialect=dialect)
        if wanted.priced:
            made["fits_price"] = in_price_range(wanted)
        attributes = []
        for place, chosen in enumerate(wanted.attributes):
            attributes.append((f"fits_attribute_{place}", coded(chosen, place)))
            made[f"fits_attribute_{place}"] = has_one_of(chosen, place, dialect=dialect)
        return cls(made, attributes)


async def facets(reads: Reads, wanted: Wanted) -> Facets:
    """One statement finds everything there is to choose from; two more fetch what the choices are called."""
    dialect = dialect_of(reads)
    made = _counted(wanted.form, dialect=dialect)
    by_kind: dict[str, list[Counted]] = {"brand": [], "category": [], "price": [], "value": []}
    async with connected(reads) as connection:
        for row in await made.rows(connection, **wanted.bound(dialect)):
            by_kind[row[0]].append(Counted(*row))
        categories = await _categories(connection, {row.text: row.products for row in by_kind["category"]})
        values = await _values(connection, by_kind["value"])
    (price,) = by_kind["price"]
    return Facets(
        categories, [(row.text, row.products) for row in by_kind["brand"]], values, price.least, price.most
    )


@lru_cache(maxsize=STATEMENTS)
def _counted(wanted: Wanted, *, dialect: str) -> Prepared:
    """The same statement for all questions of one form: it is made, and compiled, once."""
    choices = Choices.of(wanted, dialect=dialect)
    pool = _pool(wanted, choices, dialect=dialect)

    def fits(*but: str) -> list[ColumnElement[bool]]:
        return [pool.c[name] == ONE for name in choices.made if name not in but]

    parts = [
        _brands(pool, fits("fits_brand")),
        _paths(pool, fits("fits_category")),
        _prices(pool, fits("fits_price"), wanted),
        _held(pool, fits()),
        *(
            _held_but_for(pool, [*fits(name), pool.c[name] == ZERO], code, place)
            for place, (name, code) in enumerate(choices.attributes)
        ),
    ]
    return Prepared(union_all(*parts), dialect)


def _pool(wanted: Wanted, choices: Choices, *, dialect: str) -> Any:
    """Everything found that at most one choice speaks against, and which choices it fits."""
    flags = {name: case((fit, ONE), else_=ZERO) for name, fit in choices.made.items()}
    statement = select(
        Product.id,
        Product.brand,
        Product.category_id,
        *(flag.label(name) for name, flag in flags.items()),
    ).where(*standing(wanted))
    if wanted.plan:
        hits = finds(wanted.plan, dialect=dialect)
        statement = statement.join(hits, hits.c.id == Product.id)
    pool = statement.cte("pool").prefix_with("MATERIALIZED")
    if len(flags) < 2:
        return pool
    fitting: ColumnElement[Any] = sum((pool.c[name] for name in flags), start=literal(0, Integer))
    return select(pool).where(fitting >= len(flags) - 1).cte("near").prefix_with("MATERIALIZED")


def _row(kind: str, **told: Any) -> list[Any]:
    """The columns all parts of the statement have."""
    return [
        literal_column(f"'{kind}'", String).label("kind"),
        *(told.get(name, cast(null(), type_)).label(name) for name, type_ in COLUMNS.items()),
    ]


def _brands(pool: Any, fits: Sequence[ColumnElement[bool]]) -> Select[Any]:
    count = func.count()
    counted = (
        select(*_row("brand", products=count, text=pool.c.brand))
        .select_from(pool)
        .where(*fits, pool.c.brand != "")
        .group_by(pool.c.brand)
        .order_by(count.desc(), pool.c.brand)
        .limit(FACET_LIMIT)
    )
    return counted.subquery("brands").select()


def _paths(pool: Any, fits: Sequence[ColumnElement[bool]]) -> Select[Any]:
    counted: Select[Any] = (
        select(*_row("category", products=func.count(), text=Category.path))
        .select_from(pool)
        .join(Category, Category.id == pool.c.category_id)
        .where(*fits)
        .group_by(Category.path)
    )
    return counted


def _prices(pool: Any, fits: Sequence[ColumnElement[bool]], wanted: Wanted) -> Select[Any]:
    """From the products to their variants to their prices; joined, SQLite would rather read all prices."""
    products = select(pool.c.id).where(*fits)
    variants = select(Variant.id).where(Variant.product_id.in_(products), Variant.archived_at.is_(None))
    counted: Select[Any] = (
        select(*_row("price", least=func.min(Price.amount), most=func.max(Price.amount)))
        .select_from(Price)
        .where(Price.variant_id.in_(variants), Price.currency == wanted.currency)
    )
    return counted


def _held(pool: Any, fits: Sequence[ColumnElement[bool]], **told: Any) -> Select[Any]:
    """What all products can be chosen by, one text behind the other: Python counts quicker what is short."""
    texts = func.aggregate_strings(ProductChoices.choices, BETWEEN)
    held: Select[Any] = (
        select(*_row("value", text=texts, **told))
        .select_from(pool)
        .join(ProductChoices, ProductChoices.product_id == pool.c.id)
        .where(*fits)
    )
    return held


def _held_but_for(
    pool: Any, fits: Sequence[ColumnElement[bool]], code: BindParameter[str], place: int
) -> Select[Any]:
    """The same of products that only the choice of one attribute speaks against: it counts them, too."""
    attribute_id = select(Attribute.id).where(Attribute.code == code).scalar_subquery()
    return _held(pool, fits, attribute_id=attribute_id, place=literal_column(str(place)))


async def _categories(connection: Connection, by_path: Mapping[str, int]) -> list[tuple[Category, int]]:
    """Each category with what stands in it and below it, in the order of the tree."""
    counts: Counter[int] = Counter()
    for path, products in by_path.items():
        for step in path.strip("/").split("/"):
            counts[int(step)] += products
    if not counts:
        return []
    dialect = connection.dialect
    found = await _named(dialect).rows(connection, ids=packed(counts, dialect))
    ordered = sorted(
        entities(Category, found), key=lambda row: (row.depth, -counts[row.id], row.position, row.id)
    )
    return [(row, counts[row.id]) for row in ordered[:FACET_LIMIT]]


async def _values(connection: Connection, held: Sequence[Counted]) -> list[CountedValue]:
    """By the name of the attribute, the most frequent value first."""
    found = counted(row.text for row in held if row.text and row.place is None)
    chosen = sorted((row for row in held if row.place is not None), key=lambda row: row.place or 0)
    for attribute_id, text in {row.attribute_id: row.text for row in chosen}.items():
        own = f"{attribute_id}:"
        more = counted([text or ""])
        found.update({choice: count for choice, count in more.items() if choice.startswith(own)})
    frequent = most_frequent(found, FACET_LIMIT)
    if not frequent:
        return []
    dialect = connection.dialect
    rows = await _described(dialect).rows(
        connection,
        attributes=packed({attribute_id for attribute_id, _, _ in frequent}, dialect),
        values=packed(
            {int(said) for _, said, _ in frequent if said.isdecimal() and len(said) < DIGITS}, dialect
        ),
    )
    start = len(columns_of(Attribute))
    attributes = {row.id: row for row in entities(Attribute, rows)}
    listed = [row for row in rows if row[start] is not None]
    values = {row.id: row for row in entities(AttributeValue, listed, start=start)}
    shown = [_shown(attributes[each[0]], values, *each[1:]) for each in frequent if each[0] in attributes]
    return sorted(shown, key=_place)


def _shown(attribute: Attribute, values: Mapping[int, AttributeValue], said: str, count: int) -> CountedValue:
    kind = attribute.type
    return CountedValue(
        attribute,
        values.get(int(said)) if kind is AttributeType.ENUM else None,
        Decimal(said) if kind is AttributeType.NUMBER else None,
        said == "true" if kind is AttributeType.BOOLEAN else None,
        said if kind is AttributeType.TEXT else None,
        datetime.date.fromisoformat(said) if kind is AttributeType.DATE else None,
        count,
    )


def _place(each: CountedValue) -> tuple[Any, ...]:
    position = each.value.position if each.value else 0
    rest = each.text or str(each.date or "")
    return (each.attribute.name, each.attribute.id, -each.count, position, each.number or 0, rest)


@cache
def _named(dialect: str) -> Prepared:
    return Prepared(select(*columns_of(Category)).where(is_among(Category.id, "ids", dialect)), dialect)


@cache
def _described(dialect: str) -> Prepared:
    """Attributes, and those of their values that are asked for."""
    of_it = and_(AttributeValue.attribute_id == Attribute.id, is_among(AttributeValue.id, "values", dialect))
    statement = select(*columns_of(Attribute), *columns_of(AttributeValue)).outerjoin_from(
        Attribute, AttributeValue, of_it
    )
    return Prepared(statement.where(is_among(Attribute.id, "attributes", dialect)), dialect)
