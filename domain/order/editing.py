"""Changing orders after they were placed: holds, notes, and buying the same again.

Cancelling part of an order is in domain/aftersales/cancelling.py, editing it in
domain/aftersales/order_editing, since they need refunds and open claims.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import ADDITIONS_LIMIT, CartAddition, add_sellable
from domain.cause import Cause
from domain.errors import DomainError, Invalid, LimitReached, WrongState
from domain.events import OrderHeld, OrderReleased
from domain.order.lifecycle import lock_order, required_reason, settle_order
from domain.order.states import FINAL, WHOLLY_SHIPPED
from domain.outbox import record
from models import (
    Cart,
    Order,
    OrderLine,
    OrderNote,
    OrderStatus,
)
from models.sql.batches import in_batches
from text.messages import Message

NOTE_TEXT_LIMIT = 2_000
NOTES_LIMIT = 200
DISPUTED = Message("The customer disputes a payment of this order.")
"""Why an order is held whose money may be lost."""


async def hold_order(session: AsyncSession, order_id: int, *, reason: str, cause: Cause) -> Order:
    """Keep an order from being sent and from falling due until it is released; its status stays."""
    order = await lock_order(session, order_id)
    reason = required_reason(reason)
    check_holdable(order)
    keep_order(session, order, reason=reason, cause=cause)
    return order


def check_holdable(order: Order) -> None:
    """WrongState where there is nothing, or nothing more, to hold."""
    if order.held_at is not None:
        raise WrongState("This order is held already.", field=("id",))
    if order.status in FINAL or order.status is OrderStatus.COMPLETED:
        raise WrongState(
            "This order is {status}; there is nothing to hold.", status=order.status, field=("id",)
        )
    if order.fulfilment_status in WHOLLY_SHIPPED:
        raise WrongState("Everything on this order has left already.", field=("id",))


def keep_order(session: AsyncSession, order: Order, *, reason: str, cause: Cause) -> None:
    """Keep a locked order that can be held."""
    order.held_at, order.hold_reason = cause.now, reason
    record(session, OrderHeld(order), cause)


async def hold_disputed_order(session: AsyncSession, order: Order, *, cause: Cause) -> None:
    """Keep a locked order whose customer takes the money back, unless it has left or is held already."""
    with suppress(WrongState):
        check_holdable(order)
        keep_order(session, order, reason=str(DISPUTED), cause=cause)


async def release_disputed_order(session: AsyncSession, order: Order, *, cause: Cause) -> None:
    """Release a locked order that was kept for a dispute, now that the shop has its money."""
    if order.held_at is not None and order.hold_reason == str(DISPUTED):
        await release_order(session, order.id, cause=cause)


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
