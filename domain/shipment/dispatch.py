"""Dispatching a parcel: it leaves with its carrier."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, Taken, WrongState
from domain.events import ShipmentDispatched
from domain.order import lock_shipment
from domain.order.cash import fix_cash
from domain.outbox import record
from domain.shipment.asked_cash import fix_asked_cash
from domain.shipment.carriers import find_carrier
from domain.shipment.eta import refresh_arrivals
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.incoming import wake_early_pushes
from domain.shipment.packable import check_packable
from domain.shipment.waybills import use_waybill
from domain.stock import Allocation, ship_stock
from models import (
    OWN_COURIERS,
    CarrierCode,
    Delivery,
    DeliveryLine,
    DeliveryRunStop,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShippingMethod,
    sent_variant_id,
)


class CarrierUnavailable(DomainError):
    code = ErrorCode.PROVIDER_UNAVAILABLE

    def __init__(self, name: str) -> None:
        super().__init__(
            "{method} does not answer at the moment. Try again.", method=name, field=("carrier",)
        )


class CarrierRefusal(DomainError):
    code = ErrorCode.PROVIDER_REFUSED

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            "{name} does not take this parcel: {reason}", name=name, reason=reason, field=("carrier",)
        )


async def dispatch_shipment(
    session: AsyncSession,
    shipment_id: int,
    *,
    carrier: CarrierCode,
    tracking_number: str,
    tracking_link: str | None = None,
    estimated_at: datetime | None = None,
    poll_at: datetime | None = None,
    cause: Cause,
) -> Shipment:
    """Hand a packed parcel to its carrier: the units reserved for it leave the stock."""
    order, shipment = await lock_shipment(session, shipment_id)
    check_dispatchable(shipment, order, await session.get_one(Delivery, shipment.delivery_id))
    carried_by = await find_carrier(session, carrier)
    if carrier != OWN_COURIERS:
        await check_not_on_delivery_run(session, shipment)
    await check_tracking_number_free(session, carrier, tracking_number)
    waybill = await use_waybill(session, shipment, carrier, tracking_number, now=cause.now)
    await ship_stock(session, await find_reserved_units(session, shipment), order_id=order.id, cause=cause)
    shipment.carrier, shipment.tracking_number = carrier, tracking_number
    shipment.tracking_link = tracking_link
    shipment.dispatched_at, shipment.estimated_at, shipment.poll_at = cause.now, estimated_at, poll_at
    await wake_early_pushes(session, carried_by, tracking_number, now=cause.now)
    if waybill is not None and shipment.cash_amount is None:
        await fix_asked_cash(session, order, shipment, waybill)
    await fix_cash(session, order, shipment)
    await refresh_arrivals(session, [shipment], now=cause.now)
    event = ShipmentDispatched(
        shipment, account_id=order.account_id, carrier=carrier, tracking_number=tracking_number
    )
    record(session, event, cause)
    await refresh_fulfilment(session, order, cause=cause)
    return shipment


def check_dispatchable(shipment: Shipment, order: Order, delivery: Delivery) -> None:
    """Refuse a parcel that may not leave; checked before a carrier is called and again under the lock."""
    if shipment.dispatched_at is not None:
        raise WrongState("This shipment has already left.", field=("id",))
    if delivery.method is ShippingMethod.PICKUP:
        raise WrongState("This is collected: make it ready instead.", field=("id",))
    check_packable(order, delivery)
    if shipment.ended_at is not None:
        raise WrongState("This shipment has ended already.", field=("id",))


async def check_not_on_delivery_run(session: AsyncSession, shipment: Shipment) -> None:
    planned = select(DeliveryRunStop.id).where(
        DeliveryRunStop.shipment_id == shipment.id, DeliveryRunStop.outcome.is_(None)
    )
    if await session.scalar(planned.limit(1)):
        raise WrongState("This shipment is planned on a run of our own couriers.", field=("id",))


async def check_tracking_number_free(
    session: AsyncSession, carrier: CarrierCode, tracking_number: str
) -> None:
    used = select(Shipment.id).where(Shipment.carrier == carrier, Shipment.tracking_number == tracking_number)
    if await session.scalar(used):
        raise Taken("This tracking number belongs to another shipment.", field=("tracking_number",))


async def find_reserved_units(session: AsyncSession, shipment: Shipment) -> list[Allocation]:
    """The reserved units of a parcel, without what is sold without a stock limit."""
    rows = await session.execute(
        select(sent_variant_id(), DeliveryLine.warehouse_id, ShipmentLine.quantity)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(ShipmentLine.shipment_id == shipment.id, DeliveryLine.reserved)
    )
    return [Allocation(variant, warehouse, quantity) for variant, warehouse, quantity in rows]
