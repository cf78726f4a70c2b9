"""How far an order has come, told by its parcels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.outbox import record
from models import Delivery, DeliveryLine, FulfilmentStatus, Order, Shipment, ShipmentLine, ShipmentStatus


@dataclass(frozen=True, slots=True)
class PackedParcel:
    """What matters of a parcel: how many units are in it and how far it is."""

    units: int
    dispatched_at: datetime | None
    status: ShipmentStatus
    delivered_at: datetime | None = None


def fulfilment_of(ordered: int, parcels: Sequence[PackedParcel]) -> FulfilmentStatus:
    """Where an order of so many units stands, given its parcels."""
    shipped = units(parcels, lambda parcel: parcel.dispatched_at is not None)
    delivered = units(parcels, lambda parcel: parcel.status is ShipmentStatus.DELIVERED)
    returned = units(parcels, lambda parcel: parcel.status is ShipmentStatus.RETURNED)
    if not parcels:
        return FulfilmentStatus.UNFULFILLED
    if not shipped:
        return FulfilmentStatus.PACKING
    if returned == ordered:
        return FulfilmentStatus.RETURNED
    if delivered and delivered + returned == ordered:
        return FulfilmentStatus.DELIVERED
    if delivered:
        return FulfilmentStatus.PARTIALLY_DELIVERED
    return FulfilmentStatus.SHIPPED if shipped == ordered else FulfilmentStatus.PARTIALLY_SHIPPED


def units(parcels: Sequence[PackedParcel], counts: Callable[[PackedParcel], bool]) -> int:
    return sum(parcel.units for parcel in parcels if counts(parcel))


async def refresh_fulfilment(
    session: AsyncSession, order: Order, *, now: datetime, by: int | None = None
) -> bool:
    """Derive a locked order's fulfilment status anew; a change is an event of the order. Whether it changed.

    Replacements do not count: the order has arrived when what was bought has.
    """
    parcels = await parcels_of(session, order)
    status = fulfilment_of(await units_ordered(session, order), parcels)
    if status is order.fulfilment_status:
        return False
    order.fulfilment_status = status
    if status is FulfilmentStatus.DELIVERED:
        order.delivered_at = max(parcel.delivered_at for parcel in parcels if parcel.delivered_at)
    record(session, f"order.{status.value.lower()}", order, now=now, by=by)
    return True


async def units_ordered(session: AsyncSession, order: Order) -> int:
    found = await session.scalar(
        select(func.sum(DeliveryLine.quantity))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == order.id, Delivery.ticket_id.is_(None))
    )
    return int(found or 0)


async def parcels_of(session: AsyncSession, order: Order) -> list[PackedParcel]:
    rows = await session.execute(
        select(
            func.sum(ShipmentLine.quantity), Shipment.dispatched_at, Shipment.status, Shipment.delivered_at
        )
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.order_id == order.id, Delivery.ticket_id.is_(None))
        .group_by(Shipment.id)
    )
    return [PackedParcel(int(count), left, status, arrived) for count, left, status, arrived in rows]
