"""What else there is to choose from among the products of a list, with how many there are of each."""

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Numeric,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.listing.wanted import Wanted, has_one_of, in_price_range, in_subtree, price_of, standing
from loaders.search import bound, finds, form
from models import Attribute, AttributeValue, Category, Price, Product, ProductAttribute

FACET_LIMIT = 100
"""Choices of one kind."""

STATEMENTS = 128
"""Statements that are kept, of the lists asked for last."""


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
    attributes: Mapping[str, str]
    """Code of an attribute -> the name of the choice made of it."""

    @classmethod
    def of(cls, wanted: Wanted) -> "Choices":
        made: dict[str, ColumnElement[bool]] = {}
        if wanted.category is not None:
            made["category"] = in_subtree(wanted.category)
        if wanted.brands:
            made["brand"] = Product.brand.in_(wanted.brands)
        if wanted.priced:
            made["price"] = in_price_range(wanted)
        attributes = {}
        for number, chosen in enumerate(wanted.attributes):
            attributes[chosen.code] = name = f"attribute_{number}"
            made[name] = has_one_of(chosen)
        return cls(made, attributes)


async def facets(session: AsyncSession, wanted: Wanted, *, dialect: str) -> Facets:
    """One statement finds and counts everything; three more fetch what the choices are called."""
    by_kind: dict[str, list[Any]] = {"brand": [], "category": [], "price": [], "value": []}
    statement = _counted(replace(wanted, plan=form(wanted.plan)), dialect=dialect)
    for row in await session.execute(statement, bound(wanted.plan, dialect=dialect)):
        by_kind[row.kind].append(row)
    (price,) = by_kind["price"]
    return Facets(
        await _categories(session, {row.text: row.products for row in by_kind["category"]}),
        [(row.text, row.products) for row in by_kind["brand"]],
        await _values(session, by_kind["value"]),
        price.least,
        price.most,
    )


@lru_cache(maxsize=STATEMENTS)
def _counted(wanted: Wanted, *, dialect: str) -> CompoundSelect[Any]:
    """The same statement for all questions of one form: it is made, and compiled, once."""
    choices = Choices.of(wanted)
    pool = _pool(wanted, choices, dialect=dialect)

    def fits(*but: str) -> list[ColumnElement[bool]]:
        return [pool.c[name] == 1 for name in choices.made if name not in but]

    return union_all(
        _brands(pool, fits("brand")),
        _paths(pool, fits("category")),
        _prices(pool, fits("price")),
        _held(pool, fits, choices),
    )


def _pool(wanted: Wanted, choices: Choices, *, dialect: str) -> Any:
    """Everything found that at most one choice speaks against, and which choices it fits."""
    flags = {name: case((fit, 1), else_=0) for name, fit in choices.made.items()}
    statement = select(
        Product.id,
        Product.brand,
        Product.category_id,
        price_of(func.min(Price.amount), wanted.currency).label("least"),
        price_of(func.max(Price.amount), wanted.currency).label("most"),
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


def _row(kind: str, products: Any, **told: Any) -> list[Any]:
    """The columns all parts of the statement have."""
    columns: dict[str, Any] = {
        "text": String(),
        "attribute_id": BigInteger(),
        "value_id": BigInteger(),
        "number": Numeric(20, 6),
        "boolean": Boolean(),
        "date": Date(),
        "least": BigInteger(),
        "most": BigInteger(),
    }
    return [
        literal(kind, String).label("kind"),
        products.label("products"),
        *(told.get(name, cast(null(), type_)).label(name) for name, type_ in columns.items()),
    ]


def _brands(pool: Any, fits: Sequence[ColumnElement[bool]]) -> Select[Any]:
    count = func.count()
    counted = (
        select(*_row("brand", count, text=pool.c.brand))
        .select_from(pool)
        .where(*fits, pool.c.brand != "")
        .group_by(pool.c.brand)
        .order_by(count.desc(), pool.c.brand)
        .limit(FACET_LIMIT)
    )
    return counted.subquery("brands").select()


def _paths(pool: Any, fits: Sequence[ColumnElement[bool]]) -> Select[Any]:
    counted: Select[Any] = (
        select(*_row("category", func.count(), text=Category.path))
        .select_from(pool)
        .join(Category, Category.id == pool.c.category_id)
        .where(*fits)
        .group_by(Category.path)
    )
    return counted


def _prices(pool: Any, fits: Sequence[ColumnElement[bool]]) -> Select[Any]:
    least, most = func.min(pool.c.least), func.max(pool.c.most)
    counted: Select[Any] = (
        select(*_row("price", func.count(), least=least, most=most)).select_from(pool).where(*fits)
    )
    return counted


def _held(pool: Any, fits: Callable[..., list[ColumnElement[bool]]], choices: Choices) -> Select[Any]:
    """Values of attributes: of one that is chosen already as if it were not."""
    names = choices.attributes
    holder = ProductAttribute
    own = [and_(Attribute.code == code, *fits(name)) for code, name in names.items()]
    others = [*fits(), Attribute.code.not_in(names)] if names else fits()
    values = (holder.attribute_id, holder.value_id, holder.number, holder.boolean, holder.text, holder.date)
    count = func.count()
    counted = (
        select(*_row("value", count, **{column.key: column for column in values}))
        .select_from(pool)
        .join(holder, holder.product_id == pool.c.id)
        .join(Attribute, Attribute.id == holder.attribute_id)
        .where(Attribute.filterable.is_(True), or_(and_(true(), *others), *own))
        .group_by(*values)
        .order_by(count.desc(), holder.attribute_id, holder.value_id)
        .limit(FACET_LIMIT)
    )
    return counted.subquery("held").select()


async def _categories(session: AsyncSession, by_path: Mapping[str, int]) -> list[tuple[Category, int]]:
    """Each category with what stands in it and below it, in the order of the tree."""
    counts: Counter[int] = Counter()
    for path, products in by_path.items():
        for step in path.strip("/").split("/"):
            counts[int(step)] += products
    rows = await _rows(session, Category, counts)
    ordered = sorted(rows, key=lambda row: (row.depth, -counts[row.id], row.position, row.id))
    return [(row, counts[row.id]) for row in ordered[:FACET_LIMIT]]


async def _values(session: AsyncSession, counted: Sequence[Any]) -> list[CountedValue]:
    """By the name of the attribute, the most frequent value first."""
    attributes = {
        row.id: row for row in await _rows(session, Attribute, {each.attribute_id for each in counted})
    }
    values = {
        row.id: row
        for row in await _rows(session, AttributeValue, {each.value_id for each in counted} - {None})
    }
    found_ = [
        CountedValue(
            attributes[each.attribute_id],
            values.get(each.value_id),
            each.number,
            each.boolean,
            each.text,
            each.date,
            each.products,
        )
        for each in counted
    ]
    return sorted(found_, key=_place)


def _place(each: CountedValue) -> tuple[Any, ...]:
    position = each.value.position if each.value else 0
    rest = each.text or str(each.date or "")
    return (each.attribute.name, each.attribute.id, -each.count, position, each.number or 0, rest)


async def _rows(session: AsyncSession, model: Any, ids: Collection[int]) -> Iterable[Any]:
    if not ids:
        return ()
    return (await session.scalars(select(model).where(model.id.in_(ids)))).all()
