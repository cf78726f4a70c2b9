"""What staff do with an order on the side: hold it, let it go on, write something down about it."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, LimitReached, WrongState
from domain.order.change import lock_order, stated
from domain.order.states import GONE, OVER
from domain.outbox import record
from domain.state import words
from models import Order, OrderNote, OrderStatus

NOTE_TEXT_LIMIT = 2_000
NOTES_LIMIT = 200


async def hold_order(
    session: AsyncSession, order_id: int, *, reason: str, now: datetime, by: int | None = None
) -> Order:
    """Let nothing leave, and nothing fall due, until somebody says that it may; its status stays."""
    order = await lock_order(session, order_id)
    said = stated(reason)
    if order.held_at is not None:
        raise WrongState("This order is held already.", field=("id",))
    if order.status in OVER or order.status is OrderStatus.COMPLETED:
        raise WrongState(f"This order is {words(order.status)}; there is nothing to hold.", field=("id",))
    if order.fulfilment_status in GONE:
        raise WrongState("Everything on this order has left already.", field=("id",))
    order.held_at, order.hold_reason = now, said
    record(session, "order.held", order, now=now, by=by)
    return order


async def release_order(
    session: AsyncSession, order_id: int, *, now: datetime, by: int | None = None
) -> Order:
    """Let an order go on that was held."""
    order = await lock_order(session, order_id)
    if order.held_at is None:
        raise WrongState("This order is not held.", field=("id",))
    order.held_at, order.hold_reason = None, None
    record(session, "order.released", order, now=now, by=by)
    return order


async def add_note(session: AsyncSession, order_id: int, *, text: str, now: datetime, by: int) -> OrderNote:
    """Write something down for colleagues; customers never see it, nor that it was written."""
    order = await lock_order(session, order_id)
    said = text.strip()
    if not 1 <= len(said) <= NOTE_TEXT_LIMIT:
        raise Invalid(f"A note has 1 to {NOTE_TEXT_LIMIT:,} characters.", field=("text",))
    written = await session.scalar(select(func.count(OrderNote.id)).where(OrderNote.order_id == order.id))
    if (written or 0) >= NOTES_LIMIT:
        raise LimitReached(f"An order has at most {NOTES_LIMIT} notes.")
    note = OrderNote(order_id=order.id, author_id=by, text=said, created_at=now)
    session.add(note)
    await session.flush()
    return note
