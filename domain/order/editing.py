"""Changing orders after they were placed: addresses, holds, notes, and buying the same again.

Cancelling part of an order is in domain/aftersales/cancelling.py, since it needs refunds and open claims.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress, normalize_address
from domain.cart import ADDITIONS_LIMIT, CartAddition, add_sellable
from domain.cause import Cause
from domain.errors import DomainError, Invalid, LimitReached, NotFound, WrongState
from domain.events import OrderAddressChanged, OrderHeld, OrderReleased
from domain.order.lifecycle import lock_order, required_reason, settle_order
from domain.order.states import FINAL, WHOLLY_SHIPPED
from domain.order.waiting_edit import drop_waiting_edit
from domain.outbox import record
from domain.shipping import NotDeliverable, load_tariff
from models import (
    Cart,
    Delivery,
    DeliveryLine,
    Money,
    Order,
    OrderLine,
    OrderNote,
    OrderStatus,
    ShippingMethod,
)
from models.sql.batches import in_batches

NOTE_TEXT_LIMIT = 2_000
NOTES_LIMIT = 200

LineToSend = tuple[DeliveryLine, OrderLine]


async def change_address(
    session: AsyncSession, delivery_id: int, address: PostalAddress, *, cause: Cause
) -> Delivery:
    """Send a delivery to another address, from the same warehouses, as long as nothing of it is packed.

    The fee stays as agreed, also where the new address would be cheaper; where it would cost more by the
    present tariff, or nothing is sent there, the change is refused.
    """
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None or delivery.method is ShippingMethod.NONE:
        raise NotFound("delivery")
    if delivery.method is ShippingMethod.PICKUP:
        raise WrongState("This is collected, and goes to no address.", field=("id",))
    order = await lock_order(session, delivery.order_id)
    if order.status in FINAL or order.status is OrderStatus.COMPLETED:
        raise WrongState("This order is {status}.", status=order.status, field=("id",))
    await drop_waiting_edit(session, order, cause=cause)
    lines = await read_lines_to_send(session, delivery)
    if any(line.packed for line, _ in lines):
        raise WrongState("Part of this is packed already.", field=("id",))
    postal = normalize_address(address, field=("address",))
    if delivery.ticket_id is None:
        await check_fee(session, order, delivery, postal, lines)
    for name, text in asdict(postal).items():
        setattr(delivery, name, text)
    record(session, OrderAddressChanged(order, delivery_id=delivery.id), cause)
    await session.flush()
    return delivery


async def read_lines_to_send(session: AsyncSession, delivery: Delivery) -> list[LineToSend]:
    """The lines of a delivery; WrongState where all of them were cancelled."""
    rows = await session.execute(
        select(DeliveryLine, OrderLine)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(DeliveryLine.delivery_id == delivery.id)
        .execution_options(populate_existing=True)
    )
    lines = [(line, order_line) for line, order_line in rows]
    if not lines:
        raise WrongState("Nothing is sent there any more.", field=("id",))
    return lines


async def check_fee(
    session: AsyncSession,
    order: Order,
    delivery: Delivery,
    postal: PostalAddress,
    lines: Sequence[LineToSend],
) -> None:
    """Raise NotDeliverable where sending the delivery to the new address costs more than was agreed."""
    tariff = await load_tariff(session, {order.currency})
    weight = sum(line.quantity * order_line.weight_grams for line, order_line in lines)
    value = sum(
        (order_line.unit_price * line.quantity for line, order_line in lines),
        start=Money.zero(order.currency),
    )
    try:
        fee = tariff.fee(delivery.method, postal, weight, value)
        agreed = max(delivery.fee, tariff.fee(delivery.method, delivery, weight, value))
    except DomainError as refusal:
        refusal.field = ("address",)
        raise
    if fee > agreed:
        more = fee - agreed
        raise NotDeliverable(
            "Sending it there costs {more} more; cancel it and order it anew.", more=more, field=("address",)
        )


async def hold_order(session: AsyncSession, order_id: int, *, reason: str, cause: Cause) -> Order:
    """Keep an order from being sent and from falling due until it is released; its status stays."""
    order = await lock_order(session, order_id)
    reason = required_reason(reason)
    if order.held_at is not None:
        raise WrongState("This order is held already.", field=("id",))
    if order.status in FINAL or order.status is OrderStatus.COMPLETED:
        raise WrongState(
            "This order is {status}; there is nothing to hold.", status=order.status, field=("id",)
        )
    if order.fulfilment_status in WHOLLY_SHIPPED:
        raise WrongState("Everything on this order has left already.", field=("id",))
    order.held_at, order.hold_reason = cause.now, reason
    record(session, OrderHeld(order), cause)
    return order


async def release_order(session: AsyncSession, order_id: int, *, cause: Cause) -> Order:
    """Release a held order."""
    order = await lock_order(session, order_id)
    if order.held_at is None:
        raise WrongState("This order is not held.", field=("id",))
    order.held_at, order.hold_reason = None, None
    record(session, OrderReleased(order), cause)
    await settle_order(session, order, cause=cause.automatic)
    return order


async def add_note(session: AsyncSession, order_id: int, *, text: str, cause: Cause) -> OrderNote:
    """Add a note for the staff to an order; no event is recorded, since customers read the events."""
    order = await lock_order(session, order_id)
    text = text.strip()
    if not 1 <= len(text) <= NOTE_TEXT_LIMIT:
        raise Invalid("A note has 1 to {limit} characters.", limit=NOTE_TEXT_LIMIT, field=("text",))
    notes = await session.scalar(select(func.count(OrderNote.id)).where(OrderNote.order_id == order.id))
    if (notes or 0) >= NOTES_LIMIT:
        raise LimitReached("An order has at most {limit} notes.", limit=NOTES_LIMIT)
    note = OrderNote(order_id=order.id, author_id=cause.by, text=text, created_at=cause.now)
    session.add(note)
    await session.flush()
    return note


async def buy_again(
    session: AsyncSession, cart: Cart, lines: Sequence[OrderLine], *, cause: Cause
) -> Mapping[int, DomainError]:
    """Add what old order lines had to a locked cart, as far as it is still sold; refusals by variant id."""
    units = Counter[int]()
    for line in lines:
        units[line.variant_id] += line.quantity
    additions = [CartAddition(variant_id, quantity, (variant_id,)) for variant_id, quantity in units.items()]
    refusals = [
        refusal
        for batch in in_batches(additions, ADDITIONS_LIMIT)
        for refusal in await add_sellable(session, cart, batch, cause=cause)
    ]
    return {int(refusal.field[0]): refusal for refusal in refusals}
