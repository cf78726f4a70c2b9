"""The open stops of a delivery run, their parcels and the orders of these."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.events import DeliveryRunStopSkipped
from domain.outbox import record
from domain.shipment import FINAL, check_packable
from models import (
    Account,
    Delivery,
    DeliveryRun,
    DeliveryRunStop,
    Order,
    Shipment,
    ShippingMethod,
    StopOutcome,
)


async def find_open_stops(session: AsyncSession, run: DeliveryRun) -> list[DeliveryRunStop]:
    """The stops without an outcome, in the order they are visited."""
    found = await session.scalars(
        select(DeliveryRunStop)
        .where(DeliveryRunStop.delivery_run_id == run.id, DeliveryRunStop.outcome.is_(None))
        .order_by(DeliveryRunStop.position)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def find_skipped(session: AsyncSession, shipment_ids: Sequence[int]) -> Mapping[int, WrongState]:
    """Those of these parcels that cannot be taken along, by their id, and why.

    They have arrived, come back or ended, or they wait and their order was cancelled or is held, or its
    customer collects them.
    """
    rows = await session.execute(
        select(Shipment, Order, Delivery)
        .join(Order, Order.id == Shipment.order_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
        .execution_options(populate_existing=True)
    )
    found = {shipment.id: find_skip_reason(shipment, order, delivery) for shipment, order, delivery in rows}
    return {shipment_id: reason for shipment_id, reason in found.items() if reason}


def find_skip_reason(shipment: Shipment, order: Order, delivery: Delivery) -> WrongState | None:
    """Why a parcel cannot be taken along; None when it can."""
    if delivery.method is ShippingMethod.PICKUP:
        return WrongState("Shipment {number} is collected by its customer.", number=shipment.number)
    if shipment.dispatched_at is None:
        try:
            check_packable(order, delivery)
        except WrongState as refusal:
            return refusal
    if shipment.status in FINAL or shipment.ended_at is not None:
        return WrongState("Shipment {number} has reached its end.", number=shipment.number)
    return None


def skip_stop(
    session: AsyncSession, run: DeliveryRun, stop: DeliveryRunStop, reason: WrongState, *, cause: Cause
) -> None:
    """Leave a parcel of a run in the warehouse, and say why."""
    stop.outcome, stop.skipped = StopOutcome.FAILED, True
    stop.note, stop.completed_at = str(reason), cause.now
    event = DeliveryRunStopSkipped(run, shipment_id=stop.shipment_id, reason=stop.note)
    record(session, event, cause)


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


async def lock_courier(session: AsyncSession, courier_id: int) -> None:
    """Lock an account until the transaction ends: whoever starts another run of its courier waits."""
    await session.execute(select(Account.id).where(Account.id == courier_id).with_for_update(key_share=True))
