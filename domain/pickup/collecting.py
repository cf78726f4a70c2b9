"""Making a delivery ready to be collected, and handing it over to who has its code."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached, WrongState
from domain.events import CashCollected, OrderPickupCollected, OrderPickupReady
from domain.order import AmountMismatch, settle_order
from domain.order.cash import find_cash_payments, fix_cash
from domain.outbox import record
from domain.payment.cash import capture_cash
from domain.pickup.states import TRANSITIONS, find_packed, lock_pickup
from domain.shipment import TrackingFact, add_tracking_events, check_packable, find_reserved_units
from domain.state import move
from domain.stock import ship_stock
from models import (
    Money,
    Order,
    Pickup,
    PickupStatus,
    Shipment,
    ShipmentStatus,
)
from text.messages import Message

READY = Message("Ready to be collected.")
AT_THE_COUNTER = Message("Handed over at the counter.")

TRIES_LIMIT = 5
"""Wrong codes at the counter, before the customer must ask for a new one."""


async def make_pickup_ready(
    session: AsyncSession,
    delivery_id: int,
    *,
    nonce: str,
    collect_within: timedelta,
    receipt_after: timedelta,
    cause: Cause,
) -> Pickup:
    """Let the customer collect what of a delivery is packed; a code that is not used yet stays good."""
    order, delivery, pickup = await lock_pickup(session, delivery_id)
    check_packable(order, delivery)
    packed = await find_packed(session, delivery)
    shipments = [each for each in packed if each.status is ShipmentStatus.PENDING]
    if not shipments:
        raise WrongState("Nothing of it is packed that is not ready already.", field=("delivery_id",))
    fact = TrackingFact(ShipmentStatus.READY_FOR_PICKUP, "PICKUP-READY", str(READY), cause.now)
    for shipment in shipments:
        await add_tracking_events(session, shipment, [fact], cause=cause, receipt_after=receipt_after)
    if pickup.status is not PickupStatus.READY:
        move(pickup, PickupStatus.READY, TRANSITIONS)
        pickup.nonce, pickup.failed_tries = nonce, 0
    pickup.ready_at, pickup.due_at = cause.now, cause.now + collect_within
    record(session, OrderPickupReady(order, delivery_id=delivery.id, due_at=pickup.due_at), cause)
    await session.flush()
    return pickup


async def renew_pickup_code(session: AsyncSession, delivery_id: int, *, nonce: str, cause: Cause) -> Pickup:
    """Give the customer another code, and as many tries again; the former one is good no longer."""
    order, _, pickup = await lock_pickup(session, delivery_id)
    if pickup.status is not PickupStatus.READY or pickup.due_at is None:
        raise WrongState("Nothing of it is ready to be collected.", field=("delivery_id",))
    pickup.nonce, pickup.failed_tries = nonce, 0
    record(session, OrderPickupReady(order, delivery_id=delivery_id, due_at=pickup.due_at), cause)
    await session.flush()
    return pickup


async def hand_over_pickup(
    session: AsyncSession,
    delivery_id: int,
    *,
    place_id: int,
    is_right: Callable[[Pickup], bool],
    cash: Money | None,
    receipt_after: timedelta,
    cause: Cause,
) -> Pickup | None:
    """Hand over what is ready to who has the code, and collect what is due in cash; None for a wrong code.

    Commit it either way, so that each try counts.
    """
    order, delivery, pickup = await lock_pickup(session, delivery_id)
    check_packable(order, delivery)
    packed = await find_packed(session, delivery)
    ready = [each for each in packed if each.status is ShipmentStatus.READY_FOR_PICKUP]
    if pickup.status is not PickupStatus.READY or not ready:
        raise WrongState("Nothing of it is ready to be collected.", field=("delivery_id",))
    if pickup.warehouse_id != place_id:
        raise WrongState("This is collected at another place.", field=("place_id",))
    if pickup.failed_tries >= TRIES_LIMIT:
        raise LimitReached(
            "{limit} wrong codes were given: the customer must ask for a new one.",
            limit=TRIES_LIMIT,
            field=("code",),
        )
    if not is_right(pickup):
        pickup.failed_tries += 1
        await session.flush()
        return None
    await check_cash(session, order, ready, cash)
    await hand_over_shipments(session, order, ready, receipt_after=receipt_after, cause=cause)
    if cash:
        await take_cash(session, order, ready, cash, cause=cause)
    move(pickup, PickupStatus.COLLECTED, TRANSITIONS)
    pickup.collected_at, pickup.due_at = cause.now, None
    record(session, OrderPickupCollected(order, delivery_id=delivery.id), cause)
    await settle_order(session, order, cause=cause.automatic)
    await session.flush()
    return pickup


async def check_cash(
    session: AsyncSession, order: Order, shipments: Sequence[Shipment], cash: Money | None
) -> None:
    """Refuse another amount than is due for these parcels at the counter."""
    due = order.money(sum([await fix_cash(session, order, shipment) for shipment in shipments]))
    given = cash or order.money(0)
    if given.currency is not due.currency:
        raise Invalid("This order is in {currency}.", currency=due.currency.value, field=("cash",))
    if given != due:
        raise AmountMismatch(due=due, given=given, field=("cash",))


async def take_cash(
    session: AsyncSession, order: Order, shipments: Sequence[Shipment], cash: Money, *, cause: Cause
) -> None:
    """Collect the cash for parcels at the counter."""
    [payment, *_] = await find_cash_payments(session, order)
    for shipment in shipments:
        shipment.cash_collected_at = cause.now
    await capture_cash(session, order, cash.minor, cause=cause)
    ids = [shipment.id for shipment in shipments]
    record(session, CashCollected(order, payment_id=payment.id, shipment_ids=ids), cause)


async def hand_over_shipments(
    session: AsyncSession,
    order: Order,
    shipments: Sequence[Shipment],
    *,
    receipt_after: timedelta,
    cause: Cause,
) -> None:
    """Take parcels out of the stock and note that the customer has them."""
    fact = handed_over_at(cause.now)
    for shipment in shipments:
        units = await find_reserved_units(session, shipment)
        await ship_stock(session, units, order_id=order.id, cause=cause)
        shipment.dispatched_at = cause.now
        await add_tracking_events(session, shipment, [fact], cause=cause, receipt_after=receipt_after)


def handed_over_at(now: datetime) -> TrackingFact:
    return TrackingFact(ShipmentStatus.DELIVERED, "PICKUP-COLLECTED", str(AT_THE_COUNTER), now)
