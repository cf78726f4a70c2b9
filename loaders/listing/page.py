"""The order and the pages of a product list."""

from dataclasses import replace
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Integer, bindparam, func, select

from loaders.listing.facets import STATEMENT_CACHE_SIZE
from loaders.listing.filters import ProductCriteria, filter_conditions, price_figure
from loaders.page import Key, Page, PageRequest, Sort, build_page, write_cursors
from loaders.search import matching_products, ranked_products
from models import Price, Product, ProductSales
from models.database import Reads
from models.sql.dialects import columns_of, dialect_of
from models.sql.prepared import PreparedSelect, build_entities, fetch_rows
from models.sql.types import AnySelect

WITHOUT_PRICE = 2**62
"""Sorts products without a price last where the lowest price comes first."""


class ProductSort(StrEnum):
    """The order of a list of products."""

    RELEVANCE = "RELEVANCE"
    """The best matches of the search first; without a search the same as NEWEST."""
    NEWEST = "NEWEST"
    """The products published last first."""
    PRICE_ASC = "PRICE_ASC"
    """The lowest price first."""
    PRICE_DESC = "PRICE_DESC"
    """The highest price first."""
    BEST_SELLING = "BEST_SELLING"
    """The products sold most recently (in the last 30 days, unless the shop is set up otherwise) first."""


def select_products(criteria: ProductCriteria, sort: ProductSort, *, dialect: str) -> tuple[AnySelect, Sort]:
    """The statement of a list, and the order its cursors belong to."""
    statement = select(Product).where(*filter_conditions(criteria, dialect=dialect))
    newest = func.coalesce(Product.published_at, Product.created_at)
    key = Key(newest, descending=True)
    if criteria.plan:
        by_relevance = sort is ProductSort.RELEVANCE
        matches = (ranked_products if by_relevance else matching_products)(criteria.plan, dialect=dialect)
        statement = statement.join(matches, matches.c.id == Product.id)
        if by_relevance:
            key = Key(matches.c.score, descending=True)
    if sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC):
        descending = sort is ProductSort.PRICE_DESC
        lowest = price_figure(func.min(Price.amount), criteria.currency)
        key = Key(func.coalesce(lowest, -1 if descending else WITHOUT_PRICE), descending)
    if sort is ProductSort.BEST_SELLING:
        statement = statement.outerjoin(ProductSales, ProductSales.product_id == Product.id)
        key = Key(func.coalesce(ProductSales.units, 0), descending=True)
    keys = (key, Key(Product.id, descending=key.descending))
    return statement, replace(sort_without_keys(criteria, sort), keys=keys)


def sort_without_keys(criteria: ProductCriteria, sort: ProductSort) -> Sort:
    """The order of a list as cursors name it, without its columns."""
    by_price = sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC)
    name = f"{sort.value} {criteria.currency.value}" if by_price else sort.value
    return Sort(name, (), criteria.plan.to_values() if criteria.plan else None)


async def load_outer_page(
    reads: Reads, criteria: ProductCriteria, sort: ProductSort, request: PageRequest
) -> Page[Product]:
    """The first or last page of a list; its statement is compiled once for all criteria of one shape."""
    dialect, backward = dialect_of(reads), request.is_backward
    statement = _outer_page_statement(criteria.shape, sort, dialect, backward)
    rows = await fetch_rows(reads, statement, limit=request.size + 1, **criteria.parameters(dialect))
    shown = rows[: request.size]
    if backward:
        shown = shown[::-1]
    width = len(columns_of(Product))
    return build_page(
        build_entities(Product, shown),
        write_cursors(sort_without_keys(criteria, sort), [row[width:] for row in shown]),
        request,
        has_more=len(rows) > request.size,
    )


@lru_cache(STATEMENT_CACHE_SIZE)
def _outer_page_statement(
    shape: ProductCriteria, sort: ProductSort, dialect: str, backward: bool
) -> PreparedSelect:
    """Ids and sort keys are ordered and limited first; the other columns are read of those rows only."""
    statement, order = select_products(shape, sort, dialect=dialect)
    if backward:
        order = order.reversed
    names = [f"key_{place}" for place, _ in enumerate(order.keys)]
    best = (
        statement.with_only_columns(
            Product.id.label("product_id"),
            *(key.column.label(name) for name, key in zip(names, order.keys, strict=True)),
            maintain_column_froms=True,
        )
        .order_by(*(key.ordering for key in order.keys))
        .limit(bindparam("limit", None, Integer))
        .cte("best")
        .prefix_with("MATERIALIZED")
    )
    whole = select(*columns_of(Product), *(best.c[name] for name in names)).join(
        best, best.c.product_id == Product.id
    )
    return PreparedSelect(
        whole.order_by(
            *(Key(best.c[name], key.descending).ordering for name, key in zip(names, order.keys, strict=True))
        ),
        dialect,
    )


async def count_products(reads: Reads, criteria: ProductCriteria) -> int:
    dialect = dialect_of(reads)
    statement = _count_statement(criteria.shape, dialect)
    ((count,),) = await fetch_rows(reads, statement, **criteria.parameters(dialect))
    return int(count)


@lru_cache(STATEMENT_CACHE_SIZE)
def _count_statement(shape: ProductCriteria, dialect: str) -> PreparedSelect:
    statement = select(func.count(Product.id)).where(*filter_conditions(shape, dialect=dialect))
    if shape.plan:
        matches = matching_products(shape.plan, dialect=dialect)
        statement = statement.join(matches, matches.c.id == Product.id)
    return PreparedSelect(statement, dialect)
