"""Lists of products: which are wanted, in which order, and what else there is to choose from."""

from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select

from loaders.listing.facets import STATEMENTS, CountedValue, Facets, facets
from loaders.listing.wanted import Chosen, Wanted, attributes_held, conditions, price_of
from loaders.page import Key, Page, Sort, write_cursors
from loaders.prepared import Prepared, Reads, columns_of, dialect_of, entities, rows_of
from loaders.search import finds, found
from models import Price, Product, ProductSales

__all__ = [
    "Chosen",
    "CountedValue",
    "Facets",
    "ProductSort",
    "Wanted",
    "attributes_held",
    "count",
    "facets",
    "first_page",
    "listing",
]

NO_PRICE = 2**62


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
    """What was sold most lately (30 days, where the shop says no other time) comes first."""


def listing(wanted: Wanted, sort: ProductSort, *, dialect: str) -> tuple[Select[Any], Sort]:
    """The statement of a page, and the order its cursors belong to."""
    statement = select(Product).where(*conditions(wanted, dialect=dialect))
    newest = func.coalesce(Product.published_at, Product.created_at)
    key = Key(newest, descending=True)
    if wanted.plan:
        ranked = sort is ProductSort.RELEVANCE
        hits = (found if ranked else finds)(wanted.plan, dialect=dialect)
        statement = statement.join(hits, hits.c.id == Product.id)
        if ranked:
            key = Key(hits.c.score, descending=True)
    if sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC):
        descending = sort is ProductSort.PRICE_DESC
        key = Key(
            func.coalesce(price_of(func.min(Price.amount), wanted.currency), -1 if descending else NO_PRICE),
            descending,
        )
    if sort is ProductSort.BEST_SELLING:
        statement = statement.outerjoin(ProductSales, ProductSales.product_id == Product.id)
        key = Key(func.coalesce(ProductSales.units, 0), descending=True)
    return statement, replace(order_of(wanted, sort), keys=(key, Key(Product.id, descending=key.descending)))


def order_of(wanted: Wanted, sort: ProductSort) -> Sort:
    """The order of a list, but for what its keys are in the database."""
    priced = sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC)
    name = f"{sort.value} {wanted.currency.value}" if priced else sort.value
    return Sort(name, (), wanted.plan.written() if wanted.plan else None)


async def first_page(reads: Reads, wanted: Wanted, sort: ProductSort, *, first: int) -> Page[Product]:
    """The first products of a list; its statement is made once for all searches of one form."""
    dialect = dialect_of(reads)
    made = _first(wanted.form, sort, dialect)
    rows = await rows_of(reads, made, first=first + 1, **wanted.bound(dialect))
    shown = rows[:first]
    width = len(columns_of(Product))
    return Page(
        rows=entities(Product, shown),
        cursors=write_cursors(order_of(wanted, sort), [row[width:] for row in shown]),
        has_next=len(rows) > first,
        has_previous=False,
    )


@lru_cache(STATEMENTS)
def _first(wanted: Wanted, sort: ProductSort, dialect: str) -> Prepared:
    """Which come first is found by what is short; all there is to say is read of those alone."""
    statement, order = listing(wanted, sort, dialect=dialect)
    names = [f"key_{place}" for place, _ in enumerate(order.keys)]
    best = (
        statement.with_only_columns(
            Product.id.label("product_id"),
            *(key.column.label(name) for name, key in zip(names, order.keys, strict=True)),
            maintain_column_froms=True,
        )
        .order_by(*(key.ordering for key in order.keys))
        .limit(bindparam("first", None, Integer))
        .cte("best")
        .prefix_with("MATERIALIZED")
    )
    whole = select(*columns_of(Product), *(best.c[name] for name in names)).join(
        best, best.c.product_id == Product.id
    )
    return Prepared(
        whole.order_by(
            *(Key(best.c[name], key.descending).ordering for name, key in zip(names, order.keys, strict=True))
        ),
        dialect,
    )


async def count(reads: Reads, wanted: Wanted) -> int:
    """How many products a list has, whatever its order."""
    dialect = dialect_of(reads)
    made = _counting(wanted.form, dialect)
    ((found,),) = await rows_of(reads, made, **wanted.bound(dialect))
    return int(found)


@lru_cache(STATEMENTS)
def _counting(wanted: Wanted, dialect: str) -> Prepared:
    statement = select(func.count(Product.id)).where(*conditions(wanted, dialect=dialect))
    if wanted.plan:
        hits = finds(wanted.plan, dialect=dialect)
        statement = statement.join(hits, hits.c.id == Product.id)
    return Prepared(statement, dialect)
