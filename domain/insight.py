"""What customers looked at and what they bought, added up."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.upsert import insert
from models import Order, OrderLine, OrderStatus, ProductDay, ProductSales, Variant

ByDay = Mapping[tuple[int, date], int]
"""Id and day -> how often."""


async def add_up(session: AsyncSession, *, views: ByDay, adds: ByDay) -> None:
    """Add views, by product, and adds to a cart, by variant, to the days of their products.

    One statement per thousand products and days, and one to know whose the variants are; in sorted order,
    so that no two processes wait for each other.
    """
    added: Counter[tuple[int, date]] = Counter()
    if adds:
        products = await products_of(session, {variant_id for variant_id, _ in adds})
        for (variant_id, day), times in adds.items():
            added[products[variant_id], day] += times
    for batch in batches(sorted(views.keys() | added.keys())):
        rows = [
            {"product_id": key[0], "day": key[1], "views": views.get(key, 0), "adds": added[key]}
            for key in batch
        ]
        wanted = insert(session, ProductDay).values(rows)
        await session.execute(
            wanted.on_conflict_do_update(
                index_elements=[ProductDay.product_id, ProductDay.day],
                set_={
                    "views": ProductDay.views + wanted.excluded.views,
                    "adds": ProductDay.adds + wanted.excluded.adds,
                },
            )
        )


async def products_of(session: AsyncSession, variant_ids: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for batch in batches(sorted(variant_ids)):
        rows = await session.execute(select(Variant.id, Variant.product_id).where(Variant.id.in_(batch)))
        found |= {row.id: row.product_id for row in rows}
    return found


async def units_sold(session: AsyncSession, *, since: datetime) -> dict[int, int]:
    """Units of each product in orders placed since then that were not cancelled."""
    units = cast(func.sum(OrderLine.quantity - OrderLine.cancelled), BigInteger).label("units")
    sold = (
        select(OrderLine.product_id, units)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= since, Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.product_id)
    )
    return {row.product_id: row.units for row in await session.execute(sold)}


async def units_noted(session: AsyncSession) -> dict[int, int]:
    """What `note_sales` has noted so far."""
    rows = await session.scalars(select(ProductSales))
    return {row.product_id: row.units for row in rows}


async def note_sales(session: AsyncSession, units: Mapping[int, int]) -> None:
    """What lists of best-sellers go by; in sorted order, so that no two processes wait for each other."""
    for batch in batches(sorted(units)):
        wanted = insert(session, ProductSales).values(
            [{"product_id": id, "units": units[id]} for id in batch]
        )
        await session.execute(
            wanted.on_conflict_do_update(
                index_elements=[ProductSales.product_id], set_={"units": wanted.excluded.units}
            )
        )
