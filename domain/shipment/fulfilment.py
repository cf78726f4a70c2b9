"""The fulfilment status of an order, derived from its parcels."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import FULFILMENT_EVENTS
from domain.outbox import record
from models import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    ShippingMethod,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
    TicketUnits,
)

NOT_KEPT = (ShipmentEnding.WITHDRAWN, ShipmentEnding.SENT_AGAIN)
"""How parcels end that do not count for how far an order is."""

REPLACED_BY = (TicketType.EXCHANGE, TicketType.RESHIP)
"""Tickets that end with a replacement."""


class PartOfOrder(NamedTuple):
    """What of an order was bought, or what replaces part of it."""

    order_id: int
    replacements: bool = False


@dataclass(frozen=True, slots=True)
class PackedParcel:
    """How many units are in a parcel, and how far it is."""

    units: int
    dispatched_at: datetime | None
    status: ShipmentStatus
    delivered_at: datetime | None = None
    ending: ShipmentEnding | None = None
    """How it ended without having been kept: then its units are not among those ordered."""


def fulfilment_of(ordered: int, parcels: Sequence[PackedParcel], *, replaced: int = 0) -> FulfilmentStatus:
    """The fulfilment status of an order of `ordered` units with these parcels.

    `replaced` are units of those that came back in whose place others have arrived.
    """
    if parcels and not ordered:
        return FulfilmentStatus.RETURNED
    parcels = [parcel for parcel in parcels if parcel.ending is not ShipmentEnding.WITHDRAWN]
    if not parcels:
        return FulfilmentStatus.UNFULFILLED
    if all(parcel.dispatched_at is None for parcel in parcels):
        return FulfilmentStatus.PACKING
    live = [parcel for parcel in parcels if parcel.ending is None]
    shipped = count_units(live, lambda parcel: parcel.dispatched_at is not None)
    delivered = replaced + count_units(live, lambda parcel: parcel.status is ShipmentStatus.DELIVERED)
    returned = count_units(live, lambda parcel: parcel.status is ShipmentStatus.RETURNED) - replaced
    if returned == ordered:
        return FulfilmentStatus.RETURNED
    if delivered and delivered + returned == ordered:
        return FulfilmentStatus.DELIVERED
    if delivered:
        return FulfilmentStatus.PARTIALLY_DELIVERED
    return FulfilmentStatus.SHIPPED if shipped == ordered else FulfilmentStatus.PARTIALLY_SHIPPED


def count_units(parcels: Sequence[PackedParcel], counts: Callable[[PackedParcel], bool]) -> int:
    return sum(parcel.units for parcel in parcels if counts(parcel))


async def refresh_fulfilment(session: AsyncSession, order: Order, *, cause: Cause) -> bool:
    """Derive a locked order's fulfilment status anew and record a change; returns whether it changed."""
    return order.id in await refresh_fulfilments(session, [order], cause=cause)


async def refresh_fulfilments(session: AsyncSession, orders: Sequence[Order], *, cause: Cause) -> set[int]:
    """Derive the fulfilment statuses of locked orders anew, in a constant number of statements, and record
    changes; returns the ids of the orders that changed.

    An order is delivered when what was bought has arrived, without what ended undelivered. Replacements count
    for what came back, and where all that was bought has ended undelivered. Whether a parcel waits to be
    collected, and whether only what needs no shipping is delivered, is derived as well.
    """
    ids = [order.id for order in orders]
    ready = await find_ready_for_pickup(session, ids)
    parcels, ordered = await load_parcels(session, ids), await count_ordered_units(session, ids)
    replaced = await count_replaced_units(session, ids)
    statuses = {}
    for order in orders:
        bought, again = PartOfOrder(order.id), PartOfOrder(order.id, replacements=True)
        if parcels[bought] and not ordered[bought]:
            counted = parcels[again] or parcels[bought]
            statuses[order.id] = fulfilment_of(ordered[again], counted), counted
        else:
            status = fulfilment_of(ordered[bought], parcels[bought], replaced=replaced.get(order.id, 0))
            statuses[order.id] = status, parcels[bought]
    in_part = [id for id in ids if statuses[id][0] is FulfilmentStatus.PARTIALLY_DELIVERED]
    sent = await find_sent(session, in_part) if in_part else set()
    changed = set()
    for order in orders:
        status, counted = statuses[order.id]
        order.ready_for_pickup = order.id in ready
        order.nothing_sent = order.id in in_part and order.id not in sent
        if change_fulfilment(session, order, status, counted, cause=cause):
            changed.add(order.id)
    return changed


def change_fulfilment(
    session: AsyncSession,
    order: Order,
    status: FulfilmentStatus,
    parcels: Sequence[PackedParcel],
    *,
    cause: Cause,
) -> bool:
    """Give an order the status that follows from its parcels and record it; whether it is another one."""
    if status is order.fulfilment_status:
        return False
    if order.fulfilment_status is FulfilmentStatus.DELIVERED:
        order.delivered_at, order.receipt_due_at = None, None
    order.fulfilment_status = status
    if status is FulfilmentStatus.DELIVERED:
        arrived = [parcel.delivered_at for parcel in parcels if parcel.delivered_at]
        order.delivered_at = max(arrived, default=cause.now)
    record(session, FULFILMENT_EVENTS[status](order), cause)
    return True


async def find_ready_for_pickup(session: AsyncSession, order_ids: Sequence[int]) -> set[int]:
    """The orders of which a parcel waits at its place, or in a locker, for the customer."""
    found = await session.scalars(
        select(Shipment.order_id)
        .where(Shipment.order_id.in_(order_ids), Shipment.ended_at.is_(None))
        .where(Shipment.status == ShipmentStatus.READY_FOR_PICKUP)
    )
    return set(found)


async def find_sent(session: AsyncSession, order_ids: Sequence[int]) -> set[int]:
    """The orders of which something that is sent or collected has left."""
    sent = select_sent_parcels().with_only_columns(Shipment.order_id)
    return set(await session.scalars(sent.where(Shipment.order_id.in_(order_ids))))


def select_sent_parcels() -> Select[int]:
    """Select the ids of parcels that have left, but those whose units were withdrawn or are sent again, and
    what goes back to a customer after an inspection."""
    return (
        select(Shipment.id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.method != ShippingMethod.NONE, Shipment.dispatched_at.is_not(None))
        .where(~Delivery.sends_back)
        .where(or_(Shipment.ending.is_(None), Shipment.ending.not_in(NOT_KEPT)))
    )


def only_unshipped_delivered() -> ColumnElement[bool]:
    """What `Order.nothing_sent` is to be, as a condition in SQL."""
    sent = select_sent_parcels().where(Shipment.order_id == Order.id).correlate(Order).exists()
    return and_(Order.fulfilment_status == FulfilmentStatus.PARTIALLY_DELIVERED, ~sent)


def set_receipt_due(order: Order, *, receipt_after: timedelta) -> None:
    """Give the customer of a delivered order time to confirm the receipt, unless they have."""
    delivered = order.fulfilment_status is FulfilmentStatus.DELIVERED
    if delivered and order.delivered_at and order.receipt_confirmed_at is None:
        order.receipt_due_at = order.delivered_at + receipt_after


async def count_ordered_units(session: AsyncSession, order_ids: Sequence[int]) -> Counter[PartOfOrder]:
    """Units of orders that were or will be sent, without those that ended undelivered."""
    part = Delivery.order_id, Delivery.ticket_id.is_not(None)
    ordered = await session.execute(
        select(*part, func.sum(DeliveryLine.quantity - DeliveryLine.ended))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id.in_(order_ids), ~Delivery.sends_back)
        .group_by(*part)
    )
    settled = await session.execute(
        select(*part, func.sum(ShipmentLine.claimed))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.order_id.in_(order_ids), Shipment.ended_at.is_not(None), ~Delivery.sends_back)
        .group_by(*part)
    )
    units = Counter({PartOfOrder(id, bool(again)): int(total) for id, again, total in ordered})
    units.subtract({PartOfOrder(id, bool(again)): int(total) for id, again, total in settled})
    return units


async def load_parcels(
    session: AsyncSession, order_ids: Sequence[int]
) -> Mapping[PartOfOrder, list[PackedParcel]]:
    """The parcels of orders and of their replacements; not those whose units are sent again."""
    rows = await session.execute(
        select(
            Delivery.order_id,
            Delivery.ticket_id.is_not(None),
            func.sum(ShipmentLine.quantity),
            Shipment.dispatched_at,
            Shipment.status,
            Shipment.delivered_at,
            Shipment.ending,
        )
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.order_id.in_(order_ids), ~Delivery.sends_back)
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .group_by(Shipment.id, Delivery.order_id, Delivery.ticket_id)
        .order_by(Shipment.id)
    )
    parcels = defaultdict[PartOfOrder, list[PackedParcel]](list)
    for order_id, again, count, left, status, arrived, ending in rows:
        parcel = PackedParcel(int(count), left, status, arrived, ending)
        parcels[PartOfOrder(order_id, bool(again))].append(parcel)
    return parcels


async def count_replaced_units(session: AsyncSession, order_ids: Sequence[int]) -> dict[int, int]:
    found = await session.execute(select_replaced_units().where(Shipment.order_id.in_(order_ids)))
    return {order_id: int(total) for order_id, total in found}


def select_replaced_units() -> Select[int, int]:
    """Units that came back undelivered in whose place others have arrived, by order."""
    refunded = select(TicketLine.ticket_id).where(TicketLine.refunded_in_place > 0)
    return (
        select(Shipment.order_id, func.sum(TicketUnits.quantity).label("total"))
        .select_from(TicketUnits)
        .join(Ticket, Ticket.id == TicketUnits.ticket_id)
        .join(Shipment, Shipment.id == TicketUnits.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.status == ShipmentStatus.RETURNED, Shipment.ended_at.is_(None))
        .where(Delivery.ticket_id.is_(None), Ticket.status == TicketStatus.COMPLETED)
        .where(Ticket.type.in_(REPLACED_BY), Ticket.id.not_in(refunded))
        .group_by(Shipment.order_id)
    )
