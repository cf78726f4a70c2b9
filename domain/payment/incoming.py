"""Money on its way in. Whoever changes a payment holds the lock of its order."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound, WrongState
from domain.ledger import post, refresh_payment_status
from domain.order import IN_HOUSE, OVER, AmountMismatch, confirm_if_secured, lock_order
from domain.outbox import record
from domain.payment.refund import give_back, same_currency
from domain.payment.states import SETTLED, TRANSITIONS
from domain.state import move
from domain.state import words as said
from models import Money, Order, OrderStatus, Payment, PaymentMethod, PaymentStatus, PostingKind

LATE = "Paid after the order had ended."


async def start_payment(
    session: AsyncSession, payment_id: int, *, query_at: datetime, now: datetime, by: int | None = None
) -> Payment:
    """Expect money from a provider; one that was started already is only expected longer."""
    order, payment = await lock_payment(session, payment_id)
    if payment.method is PaymentMethod.CASH_ON_DELIVERY:
        raise WrongState("This part is paid in cash at the door.", field=("id",))
    if order.status is not OrderStatus.PENDING:
        raise WrongState(f"This order is {said(order.status)}; nothing can be paid now.", field=("id",))
    if order.payment_due_at is not None and order.payment_due_at <= now:
        raise WrongState("The time to pay for this order is over.", field=("id",))
    if payment.status is not PaymentStatus.STARTED:
        move(payment, PaymentStatus.STARTED, TRANSITIONS)
        payment.started_at, payment.failure = now, None
        record(session, "payment.started", order, now=now, by=by, payment_id=payment.id)
    payment.query_at = query_at
    return payment


async def capture_payment(session: AsyncSession, payment_id: int, *, now: datetime) -> Payment:
    """Take note that a provider has the money; a second note changes nothing.

    What arrives for an order that has ended goes back at once.
    """
    order, payment = await lock_payment(session, payment_id)
    if payment.status is PaymentStatus.CAPTURED:
        return payment
    await take(session, order, payment, kind=PostingKind.CAPTURED, now=now)
    record(session, "payment.captured", order, now=now, payment_id=payment.id)
    if order.status in OVER:
        await give_back(session, order, [(payment, payment.amount)], reason=LATE, now=now)
    else:
        await confirm_if_secured(session, order, now=now)
    return payment


async def collect_cash(
    session: AsyncSession, payment_id: int, amount: Money, *, now: datetime, by: int | None
) -> Payment:
    """Take the cash of a delivery: all of it, once, and not before the goods have left."""
    order, payment = await lock_payment(session, payment_id, field=("payment_id",))
    if payment.method is not PaymentMethod.CASH_ON_DELIVERY:
        raise WrongState("This part is not paid in cash.", field=("payment_id",))
    if payment.status is PaymentStatus.CAPTURED:
        raise WrongState("This cash has been collected already.", field=("payment_id",))
    if not payment.amount:
        raise WrongState("Nothing is due in cash any more.", field=("payment_id",))
    if order.status in OVER or order.status is OrderStatus.PENDING:
        raise WrongState(f"This order is {said(order.status)}; there is no cash to collect.")
    if order.fulfilment_status in IN_HOUSE:
        raise WrongState("Nothing on this order has been dispatched yet.", field=("payment_id",))
    if amount != payment.total:
        same_currency(amount, payment.total)
        raise AmountMismatch(due=payment.total, given=amount, field=("amount",))
    await take(session, order, payment, kind=PostingKind.CASH_COLLECTED, now=now)
    record(session, "cash.collected", order, now=now, by=by, payment_id=payment.id)
    return payment


async def fail_payment(session: AsyncSession, payment_id: int, *, reason: str, now: datetime) -> Payment:
    """Take note that a payment came to nothing; it can be started again."""
    order, payment = await lock_payment(session, payment_id)
    if payment.status is not PaymentStatus.STARTED:
        return payment
    move(payment, PaymentStatus.FAILED, TRANSITIONS)
    payment.failure, payment.query_at = reason, None
    record(session, "payment.failed", order, now=now, payment_id=payment.id, reason=reason)
    return payment


async def close_payments(session: AsyncSession, order: Order, *, now: datetime) -> Sequence[Payment]:
    """Expect nothing more for a locked order; the payments nobody waits for any longer."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.status.not_in(SETTLED))
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    payments = rows.all()
    for payment in payments:
        move(payment, PaymentStatus.CLOSED, TRANSITIONS)
        payment.query_at = None
    if payments:
        ids = [payment.id for payment in payments]
        record(session, "payment.closed", order, now=now, payment_ids=ids)
    return payments


async def lock_payment(
    session: AsyncSession, payment_id: int, *, field: tuple[str | int, ...] = ("id",)
) -> tuple[Order, Payment]:
    """A payment under the lock of its order; never the payment first, or two could wait for each other."""
    order_id = await session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise NotFound("payment", field=field)
    order = await lock_order(session, order_id)
    return order, await session.get_one(Payment, payment_id, populate_existing=True)


async def take(
    session: AsyncSession, order: Order, payment: Payment, *, kind: PostingKind, now: datetime
) -> None:
    """The money of one payment is here, all of it."""
    move(payment, PaymentStatus.CAPTURED, TRANSITIONS)
    payment.captured_amount, payment.captured_at = payment.amount, now
    payment.query_at, payment.failure = None, None
    await post(
        session,
        order_id=order.id,
        payment_id=payment.id,
        kind=kind,
        amount=payment.total,
        key=f"taken:{payment.reference}",
        now=now,
    )
    await refresh_payment_status(session, order)
