"""Counting views, cart additions and sales of products."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Order, OrderLine, OrderStatus, ProductDay, ProductSales, Variant
from models.sql.batches import in_batches
from models.sql.upsert import upsert_into

CountByDay = Mapping[tuple[int, date], int]
"""Id and day -> count."""


async def record_views(session: AsyncSession, *, views: CountByDay, cart_additions: CountByDay) -> None:
    """Adds views (by product) and cart additions (by variant) to the days of their products.

    One statement per thousand products and days, and one for the products of the variants.
    """
    additions: Counter[tuple[int, date]] = Counter()
    if cart_additions:
        products = await product_ids_of(session, {variant_id for variant_id, _ in cart_additions})
        for (variant_id, day), count in cart_additions.items():
            additions[products[variant_id], day] += count
    # sorted, so that no two processes wait for each other
    for batch in in_batches(sorted(views.keys() | additions.keys())):
        rows = [
            {
                "product_id": key[0],
                "day": key[1],
                "views": views.get(key, 0),
                "cart_additions": additions[key],
            }
            for key in batch
        ]
        statement = upsert_into(session, ProductDay)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[ProductDay.product_id, ProductDay.day],
                set_={
                    "views": ProductDay.views + statement.excluded.views,
                    "cart_additions": ProductDay.cart_additions + statement.excluded.cart_additions,
                },
            ),
            rows,
        )


async def product_ids_of(session: AsyncSession, variant_ids: set[int]) -> dict[int, int]:
    """Variant id -> product id."""
    found: dict[int, int] = {}
    for batch in in_batches(sorted(variant_ids)):
        rows = await session.execute(select(Variant.id, Variant.product_id).where(Variant.id.in_(batch)))
        found |= {row.id: row.product_id for row in rows}
    return found


async def load_units_sold(session: AsyncSession, *, since: datetime) -> dict[int, int]:
    """Product id -> units sold in orders placed since then, without cancelled ones."""
    units = cast(func.sum(OrderLine.quantity - OrderLine.cancelled), BigInteger).label("units")
    sold = (
        select(OrderLine.product_id, units)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= since, Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.product_id)
    )
    return {row.product_id: row.units for row in await session.execute(sold)}


async def load_clicks(session: AsyncSession, *, since: date) -> dict[int, tuple[int, int]]:
    """Product id -> views and additions to carts from that day on."""
    views, additions = (
        cast(func.sum(column), BigInteger) for column in (ProductDay.views, ProductDay.cart_additions)
    )
    clicked = (
        select(ProductDay.product_id, views, additions)
        .where(ProductDay.day >= since)
        .group_by(ProductDay.product_id)
    )
    return {id: (viewed, added) for id, viewed, added in await session.execute(clicked)}


VIEWS_PER_UNIT, ADDITIONS_PER_UNIT = 50, 10
"""Views and additions to carts that say as much of the interest in a product as one unit sold."""


class SalesFigures(NamedTuple):
    """The units of a product that were sold recently, and the level of the interest in it."""

    units: int = 0
    interest: int = 0


def measure_sales(units: int, views: int, additions: int) -> SalesFigures:
    """The level is 1 for the interest that one unit sold shows, and one more for twice as much."""
    shown = units + views // VIEWS_PER_UNIT + additions // ADDITIONS_PER_UNIT
    return SalesFigures(units, max(shown, 0).bit_length())


async def load_sales(session: AsyncSession, *, since: datetime) -> dict[int, SalesFigures]:
    """Product id -> what was sold and clicked since then."""
    sold = await load_units_sold(session, since=since)
    clicks = await load_clicks(session, since=since.date())
    return {id: measure_sales(sold.get(id, 0), *clicks.get(id, (0, 0))) for id in sold.keys() | clicks.keys()}


async def load_recorded_sales(session: AsyncSession) -> dict[int, SalesFigures]:
    """Product id -> its figures, as `record_sales` last wrote them."""
    rows = await session.execute(select(ProductSales.product_id, ProductSales.units, ProductSales.interest))
    return {id: SalesFigures(units, interest) for id, units, interest in rows}


async def record_sales(session: AsyncSession, figures: Mapping[int, SalesFigures]) -> None:
    """Writes the figures of these products, by which best-sellers are sorted and searches are ranked."""
    # sorted, so that no two processes wait for each other
    for batch in in_batches(sorted(figures)):
        statement = upsert_into(session, ProductSales).values(
            [{"product_id": id, **figures[id]._asdict()} for id in batch]
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[ProductSales.product_id],
                set_={"units": statement.excluded.units, "interest": statement.excluded.interest},
            )
        )
