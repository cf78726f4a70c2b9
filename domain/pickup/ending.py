"""Deliveries that are not collected: the goods go back to stock, and the money back to the customer."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines_of_delivery
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import OrderPickupEnded
from domain.outbox import record
from domain.pickup.states import TRANSITIONS, find_packed, lock_pickup
from domain.shipment import (
    InspectedUnits,
    TrackingFact,
    add_tracking_events,
    end_replacement,
    find_reserved_units,
    inspect_shipment,
    refresh_fulfilment,
    set_receipt_due,
    unpack_shipment,
)
from domain.shipment.inspection import load_returned_lines
from domain.state import move
from domain.stock import ship_stock
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderStatus,
    Pickup,
    PickupStatus,
    Shipment,
    ShipmentStatus,
    TrackingEvent,
)
from models.sql.types import AnySelect
from text.messages import Message

NOT_COLLECTED = Message("Not collected in time.")


def select_overdue_pickups(now: datetime) -> AnySelect:
    """Select the ids of deliveries that were not collected in time, the longest due first."""
    return (
        select(Pickup.delivery_id)
        .join(Delivery, Delivery.id == Pickup.delivery_id)
        .join(Order, Order.id == Delivery.order_id)
        .where(Pickup.due_at <= now, Pickup.status == PickupStatus.READY, Order.held_at.is_(None))
        .where(Order.status == OrderStatus.CONFIRMED)
        .order_by(Pickup.due_at)
    )


async def end_overdue_pickup(
    session: AsyncSession, delivery_id: int, *, receipt_after: timedelta, cause: Cause
) -> bool:
    """End a pickup that is still not collected when its time is over; False when it is not due."""
    order, delivery, pickup = await lock_pickup(session, delivery_id)
    due = pickup.due_at is not None and pickup.due_at <= cause.now
    if not due or pickup.status is not PickupStatus.READY or order.status is not OrderStatus.CONFIRMED:
        return False
    if order.held_at is not None:
        return False
    if delivery.ticket_id is not None:
        await end_replacement_pickup(
            session, order, delivery, pickup, receipt_after=receipt_after, cause=cause
        )
        return True
    await end_pickup(
        session, order, delivery, pickup, reason=str(NOT_COLLECTED), receipt_after=receipt_after, cause=cause
    )
    return True


async def cancel_pickup(
    session: AsyncSession, delivery_id: int, *, reason: str, receipt_after: timedelta, cause: Cause
) -> Pickup:
    """Cancel what of a delivery is not collected yet, packed or not, as the customer may until then."""
    order, delivery, pickup = await lock_pickup(session, delivery_id)
    if order.status is not OrderStatus.CONFIRMED:
        raise WrongState("This order is {status}.", status=order.status, field=("delivery_id",))
    if pickup.status is PickupStatus.ENDED or delivery.ticket_id is not None:
        raise WrongState("Nothing of it can be cancelled any more.", field=("delivery_id",))
    await end_pickup(
        session, order, delivery, pickup, reason=reason, receipt_after=receipt_after, cause=cause
    )
    return pickup


async def end_pickup(
    session: AsyncSession,
    order: Order,
    delivery: Delivery,
    pickup: Pickup,
    *,
    reason: str,
    receipt_after: timedelta,
    cause: Cause,
) -> None:
    """Unpack what was not collected, and cancel it by the same rule as any other units."""
    await unpack_uncollected(session, delivery, cause=cause)
    lines = await session.scalars(
        select(DeliveryLine)
        .where(DeliveryLine.delivery_id == delivery.id, DeliveryLine.packed < DeliveryLine.quantity)
        .execution_options(populate_existing=True)
    )
    units = Counter[int]()
    for line in lines:
        units[line.order_line_id] += line.quantity - line.packed
    if not units:
        raise WrongState("All of it was collected.", field=("delivery_id",))
    claimed = [ClaimedUnits(line_id, quantity) for line_id, quantity in sorted(units.items())]
    if pickup.status is not PickupStatus.COLLECTED:
        move(pickup, PickupStatus.ENDED, TRANSITIONS)
    pickup.due_at = None
    record(session, OrderPickupEnded(order, delivery_id=delivery.id), cause)
    await cancel_lines_of_delivery(
        session, order.id, delivery.id, claimed, reason=reason, receipt_after=receipt_after, cause=cause
    )


async def end_replacement_pickup(
    session: AsyncSession,
    order: Order,
    delivery: Delivery,
    pickup: Pickup,
    *,
    receipt_after: timedelta,
    cause: Cause,
) -> None:
    """Put a replacement that was not collected back into stock: its ticket owes it again, and its customer
    chooses anew."""
    packed = await find_packed(session, delivery)
    for shipment in packed:
        if shipment.status is ShipmentStatus.READY_FOR_PICKUP:
            await take_back_replacement(session, order, shipment, receipt_after=receipt_after, cause=cause)
    prepared = any(shipment.status is ShipmentStatus.PENDING for shipment in packed)
    rest = prepared or await has_units_to_prepare(session, delivery)
    move(pickup, PickupStatus.PREPARING if rest else PickupStatus.ENDED, TRANSITIONS)
    pickup.due_at = None
    record(session, OrderPickupEnded(order, delivery_id=delivery.id), cause)


async def take_back_replacement(
    session: AsyncSession, order: Order, shipment: Shipment, *, receipt_after: timedelta, cause: Cause
) -> None:
    """Book a parcel out and in again, as one that came back whole, and end it."""
    await ship_stock(session, await find_reserved_units(session, shipment), order_id=order.id, cause=cause)
    shipment.dispatched_at = cause.now
    fact = TrackingFact(ShipmentStatus.RETURNED, "PICKUP-UNCOLLECTED", str(NOT_COLLECTED), cause.now)
    await add_tracking_events(session, shipment, [fact], cause=cause, receipt_after=receipt_after)
    returned = await load_returned_lines(session, shipment)
    back = [InspectedUnits(id, line.missing, 0, 0) for id, (line, _, _) in returned.items()]
    await inspect_shipment(session, shipment.id, back, cause=cause)
    await end_replacement(session, order, shipment, cause=cause)
    await refresh_fulfilment(session, order, cause=cause)
    set_receipt_due(order, receipt_after=receipt_after)


async def has_units_to_prepare(session: AsyncSession, delivery: Delivery) -> bool:
    left = DeliveryLine.packed < DeliveryLine.quantity
    lines = select(DeliveryLine.id).where(DeliveryLine.delivery_id == delivery.id, left)
    return await session.scalar(lines.limit(1)) is not None


async def unpack_uncollected(session: AsyncSession, delivery: Delivery, *, cause: Cause) -> None:
    for shipment in await find_packed(session, delivery):
        await session.execute(delete(TrackingEvent).where(TrackingEvent.shipment_id == shipment.id))
        await unpack_shipment(session, shipment.id, cause=cause)


async def end_pickups_of_order(session: AsyncSession, order_id: int, *, cause: Cause) -> None:
    """Unpack what of a cancelled order was to be collected; its stock is released already."""
    delivery_ids = await session.scalars(
        select(Pickup.delivery_id)
        .join(Delivery, Delivery.id == Pickup.delivery_id)
        .where(Delivery.order_id == order_id, Pickup.status.in_({PickupStatus.PREPARING, PickupStatus.READY}))
        .order_by(Pickup.delivery_id)
    )
    for delivery_id in delivery_ids.all():
        _, delivery, pickup = await lock_pickup(session, delivery_id)
        if PickupStatus.ENDED in TRANSITIONS[pickup.status]:
            await unpack_uncollected(session, delivery, cause=cause)
            move(pickup, PickupStatus.ENDED, TRANSITIONS)
            pickup.due_at = None
