"""Capturing and closing payments; each command locks the order of the payment first."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import NotFound, WrongState
from domain.events import PaymentCaptured, PaymentsClosed
from domain.ledger import refresh_payment_status, write_posting
from domain.order import FINAL, confirm_if_secured, lock_order
from domain.order.waiting_edit import count_late_payment, find_waiting_edit
from domain.outbox import record
from domain.payment.refund import refund_payment
from domain.payment.states import SETTLED_STATUSES, TRANSITIONS
from domain.state import move
from models import Order, Payment, PaymentMethod, PaymentStatus, PostingKind, Ticket, TicketDifference
from text.messages import Message

PAID_AFTER_END = Message("Paid after the order had ended.")


async def find_payment_deadline(session: AsyncSession, order: Order, payment: Payment) -> datetime | None:
    """Until when a payment of a locked order can be made; WrongState where it cannot be made at all."""
    edit = await find_waiting_edit(session, order.id)
    if edit is not None and edit.payment_id == payment.id:
        return edit.due_at
    ticket = await find_waiting_ticket(session, payment)
    if ticket is not None:
        return ticket.due_at
    if not order.awaits_payment:
        raise WrongState(
            "This order is {status}; nothing can be paid now.", status=order.status, field=("id",)
        )
    return order.payment_due_at


async def find_waiting_ticket(session: AsyncSession, payment: Payment) -> Ticket | None:
    """The ticket whose replacement is sent when a payment is made."""
    return await session.scalar(
        select(Ticket)
        .join(TicketDifference, TicketDifference.ticket_id == Ticket.id)
        .where(TicketDifference.payment_id == payment.id, TicketDifference.paid_at.is_(None))
        .execution_options(populate_existing=True)
    )


async def capture_payment(session: AsyncSession, payment_id: int, *, cause: Cause) -> Payment:
    """Record that a provider has captured the money; a repetition changes nothing.

    Confirms the order when everything is secured; refunds a payment for an order that has ended.
    """
    order, payment = await lock_payment(session, payment_id)
    if payment.status is PaymentStatus.CAPTURED:
        return payment
    is_late = await count_late_payment(session, order, payment, now=cause.now)
    await record_capture(session, order, payment, now=cause.now)
    record(session, PaymentCaptured(order, payment_id=payment.id), cause)
    if order.status in FINAL or is_late:
        await refund_payment(session, order, payment, reason=str(PAID_AFTER_END), cause=cause)
    else:
        await confirm_if_secured(session, order, cause=cause)
    return payment


async def close_payments(session: AsyncSession, order: Order, *, cause: Cause) -> Sequence[Payment]:
    """Close all payments of a locked order that were not captured; returns those that were closed."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.status.not_in(SETTLED_STATUSES))
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    payments = rows.all()
    for payment in payments:
        move(payment, PaymentStatus.CLOSED, TRANSITIONS)
    if payments:
        ids = [payment.id for payment in payments]
        record(session, PaymentsClosed(order, payment_ids=ids), cause)
    return payments


async def find_payment_method(session: AsyncSession, payment_id: int) -> PaymentMethod | None:
    """By what a payment is made; None when there is no such payment."""
    return await session.scalar(select(Payment.method).where(Payment.id == payment_id))


async def lock_payment(session: AsyncSession, payment_id: int) -> tuple[Order, Payment]:
    """A payment and its order, with the order locked; NotFound when there is no such payment."""
    # Only orders are locked, never payments first: two transactions could wait for each other.
    order_id = await session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise NotFound("payment", field=("id",))
    order = await lock_order(session, order_id)
    return order, await session.get_one(Payment, payment_id, populate_existing=True)


async def record_capture(session: AsyncSession, order: Order, payment: Payment, *, now: datetime) -> None:
    """Mark a payment as captured in full, post it to the ledger and update the order's payment status."""
    move(payment, PaymentStatus.CAPTURED, TRANSITIONS)
    payment.captured_amount, payment.captured_at = payment.amount, now
    payment.failure = None
    await write_posting(
        session,
        order_id=order.id,
        payment_id=payment.id,
        kind=PostingKind.CAPTURED,
        amount=payment.total,
        key=f"taken:{payment.reference}",
        now=now,
    )
    await refresh_payment_status(session, order)
