"""A parcel leaves the house."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, ErrorCode, Taken, WrongState
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.packing import check_packable
from domain.shipment.states import lock_shipment
from domain.stock import Allocation, ship
from models import CarrierCode, Delivery, DeliveryLine, Order, OrderLine, RunStop, Shipment, ShipmentLine


class CarrierUnavailable(DomainError):
    code = ErrorCode.PROVIDER_UNAVAILABLE

    def __init__(self, carrier: CarrierCode) -> None:
        super().__init__(f"{carrier.value} does not answer at the moment. Try again.", field=("carrier",))


async def dispatch_shipment(
    session: AsyncSession,
    shipment_id: int,
    *,
    carrier: CarrierCode,
    tracking_number: str,
    estimated_at: datetime | None = None,
    poll_at: datetime | None = None,
    now: datetime,
    by: int | None = None,
) -> Shipment:
    """Hand a packed parcel to its carrier: what was set aside for it leaves the stock."""
    order, shipment = await lock_shipment(session, shipment_id)
    check_dispatchable(shipment, order, await session.get_one(Delivery, shipment.delivery_id))
    if carrier is not CarrierCode.OWN:
        await check_on_no_run(session, shipment)
    await check_number_free(session, carrier, tracking_number)
    await ship(session, await set_aside(session, shipment), order_id=order.id, now=now, by=by)
    shipment.carrier, shipment.tracking_number = carrier, tracking_number
    shipment.dispatched_at, shipment.estimated_at, shipment.poll_at = now, estimated_at, poll_at
    facts = {"carrier": carrier, "tracking_number": tracking_number}
    record(session, "shipment.dispatched", shipment, now=now, by=by, account_id=order.account_id, **facts)
    await refresh_fulfilment(session, order, now=now, by=by)
    return shipment


def check_dispatchable(shipment: Shipment, order: Order, delivery: Delivery) -> None:
    """Asked before a carrier is called, and again under the lock."""
    if shipment.dispatched_at is not None:
        raise WrongState("This shipment has already left.", field=("id",))
    check_packable(order, delivery)


async def check_on_no_run(session: AsyncSession, shipment: Shipment) -> None:
    planned = select(RunStop.id).where(RunStop.shipment_id == shipment.id, RunStop.outcome.is_(None))
    if await session.scalar(planned.limit(1)):
        raise WrongState("This shipment is planned on a run of our own couriers.", field=("id",))


async def check_number_free(session: AsyncSession, carrier: CarrierCode, tracking_number: str) -> None:
    used = select(Shipment.id).where(Shipment.carrier == carrier, Shipment.tracking_number == tracking_number)
    if await session.scalar(used):
        raise Taken("This tracking number belongs to another shipment.", field=("tracking_number",))


async def set_aside(session: AsyncSession, shipment: Shipment) -> list[Allocation]:
    """The units of a parcel that were reserved; what is sold without a limit was not."""
    rows = await session.execute(
        select(OrderLine.variant_id, DeliveryLine.warehouse_id, ShipmentLine.quantity)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(ShipmentLine.shipment_id == shipment.id, DeliveryLine.reserved)
    )
    return [Allocation(variant, warehouse, quantity) for variant, warehouse, quantity in rows]
