"""The open stops of a delivery run: their times, their parcels and the orders of these."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import DeliveryRun, DeliveryRunStop, Order, Shipment


async def find_open_stops(session: AsyncSession, run: DeliveryRun) -> list[DeliveryRunStop]:
    """The stops without an outcome, in the order they are visited."""
    found = await session.scalars(
        select(DeliveryRunStop)
        .where(DeliveryRunStop.delivery_run_id == run.id, DeliveryRunStop.outcome.is_(None))
        .order_by(DeliveryRunStop.position)
        .execution_options(populate_existing=True)
    )
    return list(found)


def schedule_stops(stops: Iterable[DeliveryRunStop], *, start: datetime) -> None:
    """Set the estimated time of each stop, one after the other from `start`."""
    for stop in stops:
        start += timedelta(seconds=stop.travel_seconds)
        stop.estimated_at = start


async def lock_orders_of(session: AsyncSession, *shipment_ids: int) -> None:
    """Lock the orders of shipments. Orders before shipments, and both by id: this order avoids deadlocks."""
    order_ids = select(Shipment.order_id).where(Shipment.id.in_(shipment_ids))
    await session.execute(
        select(Order.id).where(Order.id.in_(order_ids)).order_by(Order.id).with_for_update(key_share=True)
    )


async def lock_shipments(session: AsyncSession, shipment_ids: Sequence[int]) -> dict[int, Shipment]:
    """The shipments that exist, locked, by their id."""
    rows = await session.scalars(
        select(Shipment)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {shipment.id: shipment for shipment in rows}
