"""Edits that wait for their payment: finding them, and dropping them so that the order is as it was."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.events import OrderEditDropped
from domain.ledger import refresh_payment_status
from domain.order.extra_amount import add_extra, take_extra_off
from domain.order.payments_under_way import check_none_under_way
from domain.outbox import record
from domain.state import move, transition_table
from domain.stock import Allocation, release_stock
from models import (
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderEditUnits,
    Payment,
    PaymentStatus,
)
from models.sql.types import AnySelect
from text.messages import Message

EDIT_TRANSITIONS = transition_table(
    OrderEditStatus.AWAITING_PAYMENT,
    {
        OrderEditStatus.AWAITING_PAYMENT: {OrderEditStatus.DONE, OrderEditStatus.DROPPED},
        OrderEditStatus.DONE: set(),
        OrderEditStatus.DROPPED: set(),
    },
)


BEING_PAID = Message("A change of this order is being paid; try again when it is through.")


def select_unpaid_edits(now: datetime) -> AnySelect:
    """Select the ids of edits that were not paid in time, the longest due first; not of held orders."""
    return (
        select(OrderEdit.id)
        .join(Order, Order.id == OrderEdit.order_id)
        .where(Order.held_at.is_(None))
        .where(OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT, OrderEdit.due_at <= now)
        .order_by(OrderEdit.due_at)
    )


async def find_waiting_edit(session: AsyncSession, order_id: int) -> OrderEdit | None:
    """The edit of a locked order that waits for its payment."""
    return await session.scalar(
        select(OrderEdit)
        .where(OrderEdit.order_id == order_id, OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT)
        .execution_options(populate_existing=True)
    )


async def check_no_waiting_edit(session: AsyncSession, order: Order) -> None:
    """Raise WrongState while a change of a locked order waits for its payment."""
    if await find_waiting_edit(session, order.id) is not None:
        raise WrongState(
            "A change of this order is being paid; it is carried out or dropped soon.", field=("id",)
        )


async def drop_waiting_edit(session: AsyncSession, order: Order, *, cause: Cause) -> None:
    """Drop the edit of a locked order that waits for its payment, if there is one.

    WrongState while it is being paid; an edit that was paid is carried out first.
    """
    edit = await find_waiting_edit(session, order.id)
    if edit is None:
        return
    payment = await session.get_one(Payment, edit.payment_id, populate_existing=True)
    if payment.status is PaymentStatus.CAPTURED:
        raise WrongState(BEING_PAID, field=("id",))
    check_none_under_way([payment], BEING_PAID)
    await drop_edit(session, order, edit, cause=cause)


async def drop_edits_of_orders(session: AsyncSession, orders: Sequence[Order], *, cause: Cause) -> None:
    """Drop the waiting edits of locked orders that are cancelled, also those that are being paid."""
    by_id = {order.id: order for order in orders}
    edits = await session.scalars(
        select(OrderEdit).where(
            OrderEdit.order_id.in_(by_id), OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT
        )
    )
    for edit in edits.all():
        await drop_edit(session, by_id[edit.order_id], edit, cause=cause)


async def drop_edit(session: AsyncSession, order: Order, edit: OrderEdit, *, cause: Cause) -> None:
    """Release what was reserved for an edit, and take what it costs off what is due."""
    payment = await session.get_one(Payment, edit.payment_id, populate_existing=True)
    if payment.status is not PaymentStatus.CAPTURED:
        payment.status = PaymentStatus.CLOSED
        key = f"edit dropped:{payment.reference}"
        await take_extra_off(session, order, edit.difference, key=key, now=cause.now)
    await release_edit_units(session, order, edit, cause=cause)
    move(edit, OrderEditStatus.DROPPED, EDIT_TRANSITIONS)
    edit.plan = None
    await refresh_payment_status(session, order)
    record(session, OrderEditDropped(order, payment_id=payment.id), cause)


async def release_edit_units(session: AsyncSession, order: Order, edit: OrderEdit, *, cause: Cause) -> None:
    rows = await session.scalars(select(OrderEditUnits).where(OrderEditUnits.edit_id == edit.id))
    allocations = [Allocation(row.variant_id, row.warehouse_id, row.quantity) for row in rows]
    await session.execute(delete(OrderEditUnits).where(OrderEditUnits.edit_id == edit.id))
    await release_stock(session, allocations, order_id=order.id, cause=cause)


async def count_late_payment(session: AsyncSession, order: Order, payment: Payment, *, now: datetime) -> bool:
    """Count what was paid for a dropped edit, or replaced, as due again, to be refunded; whether it was."""
    dropped = select(OrderEdit.id).where(
        OrderEdit.payment_id == payment.id, OrderEdit.status == OrderEditStatus.DROPPED
    )
    if payment.replaced_at is None and await session.scalar(dropped) is None:
        return False
    await add_extra(session, order, payment.total, key=f"paid late:{payment.reference}", now=now)
    return True
