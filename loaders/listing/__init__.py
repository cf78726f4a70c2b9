"""Lists of products: which are wanted, in which order, and what else there is to choose from."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select

from loaders.listing.facets import CountedValue, Facets, facets
from loaders.listing.wanted import Chosen, Wanted, attributes_held, conditions, price_of
from loaders.page import Key, Sort
from loaders.search import finds, found
from models import Order, OrderLine, OrderStatus, Price, Product

__all__ = [
    "Chosen",
    "CountedValue",
    "Facets",
    "ProductSort",
    "Wanted",
    "attributes_held",
    "counting",
    "facets",
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
    """What was sold most comes first."""


def listing(wanted: Wanted, sort: ProductSort, *, dialect: str) -> tuple[Select[Any], Sort]:
    """The statement of a page, and the order its cursors belong to."""
    statement = select(Product).where(*conditions(wanted))
    name = sort.value
    newest = func.coalesce(Product.published_at, Product.created_at)
    key = Key(newest, descending=True)
    if wanted.plan:
        ranked = sort is ProductSort.RELEVANCE
        hits = (found if ranked else finds)(wanted.plan, dialect=dialect)
        statement = statement.join(hits, hits.c.id == Product.id)
        if ranked:
            key = Key(hits.c.score, descending=True)
    if sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC):
        name = f"{sort.value} {wanted.currency.value}"
        descending = sort is ProductSort.PRICE_DESC
        key = Key(
            func.coalesce(price_of(func.min(Price.amount), wanted.currency), -1 if descending else NO_PRICE),
            descending,
        )
    if sort is ProductSort.BEST_SELLING:
        sold = units_sold()
        statement = statement.outerjoin(sold, sold.c.product_id == Product.id)
        key = Key(func.coalesce(sold.c.units, 0), descending=True)
    memo = wanted.plan.written() if wanted.plan else None
    return statement, Sort(name, (key, Key(Product.id, descending=key.descending)), memo)


def counting(wanted: Wanted, *, dialect: str) -> Select[int]:
    """How many products a list has, whatever its order."""
    statement = select(func.count(Product.id)).where(*conditions(wanted))
    if wanted.plan:
        hits = finds(wanted.plan, dialect=dialect)
        statement = statement.join(hits, hits.c.id == Product.id)
    return statement


def units_sold() -> Any:
    """Units of each product in orders that were not cancelled."""
    return (
        select(
            OrderLine.product_id,
            cast(func.sum(OrderLine.quantity - OrderLine.cancelled), BigInteger).label("units"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.product_id)
        .subquery("sold")
    )
