"""Attempts to make a payment at its provider; each command locks the order of the payment first."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.events import PaymentFailed, PaymentStarted
from domain.order import lock_order
from domain.outbox import record
from domain.payment.lifecycle import capture_payment, find_payment_deadline, lock_payment
from domain.payment.states import ATTEMPT_TRANSITIONS, TRANSITIONS
from domain.payment.surplus import refund_surplus
from domain.state import move
from models import (
    ActionKind,
    Order,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentChannel,
    PaymentMethod,
    PaymentStatus,
)
from models.sql.types import AnySelect
from text.characters import clean_text

ATTEMPT_LIFETIME = timedelta(hours=2)
"""How long an attempt lasts where the order does not say until when it waits."""

UNDER_WAY = (
    PaymentAttemptStatus.STARTED,
    PaymentAttemptStatus.ACTION_NEEDED,
    PaymentAttemptStatus.PROCESSING,
)
"""The customer can still pay, or has."""

PAYABLE = (*UNDER_WAY, PaymentAttemptStatus.DECLINED)
"""Some providers take money for what they declined before, so it is closed before another one starts."""


class AttemptUnderWay(Exception):
    """Another attempt of the payment is under way, which has to be closed at the provider first."""

    def __init__(self, payment: Payment, attempt: PaymentAttempt) -> None:
        super().__init__(attempt.reference)
        self.method, self.attempt_id = payment.method, attempt.id


async def start_payment(
    session: AsyncSession,
    payment_id: int,
    *,
    channel: PaymentChannel = PaymentChannel.PAGE,
    query_at: datetime,
    cause: Cause,
) -> PaymentAttempt:
    """The attempt to make a payment now, to be queried at `query_at`: the one under way, or a new one.

    AttemptUnderWay where another has to be closed first: through another channel, for another amount, or one
    whose action does not work any more. WrongState for what no provider is asked for, and when the order does
    not wait for the payment or its time to pay is over.
    """
    order, payment = await lock_payment(session, payment_id)
    if payment.method.paid_when_placed:
        raise WrongState("This part was paid with store credit.", field=("id",))
    if payment.method.collected_offline:
        raise WrongState("This part is paid in cash at the door.", field=("id",))
    due_at = await find_payment_deadline(session, order, payment)
    if due_at is not None and due_at <= cause.now:
        raise WrongState("The time to pay for this order is over.", field=("id",))
    newest = await find_newest_attempt(session, payment) or await adopt_start(session, payment)
    if newest is not None and newest.status in PAYABLE:
        if newest.status is PaymentAttemptStatus.PROCESSING:
            raise WrongState("This payment is on its way.", field=("id",))
        if not is_usable(newest, payment, channel, now=cause.now):
            raise AttemptUnderWay(payment, newest)
        newest.query_at = query_at
        return newest
    attempt = new_attempt(payment, newest, channel, due_at=due_at, now=cause.now)
    attempt.query_at = query_at
    session.add(attempt)
    if payment.status is not PaymentStatus.STARTED:
        move(payment, PaymentStatus.STARTED, TRANSITIONS)
        payment.started_at = payment.started_at or cause.now
        payment.failure = None
        record(session, PaymentStarted(order, payment_id=payment.id), cause)
    await session.flush()
    return attempt


async def find_attempt_by_reference(session: AsyncSession, reference: str) -> PaymentAttempt | None:
    """The attempt a provider knows under this reference."""
    return await session.scalar(select(PaymentAttempt).where(PaymentAttempt.reference == reference))


async def find_newest_attempt(session: AsyncSession, payment: Payment) -> PaymentAttempt | None:
    """The last attempt of a payment whose order is locked."""
    return await session.scalar(
        select(PaymentAttempt)
        .where(PaymentAttempt.payment_id == payment.id)
        .order_by(PaymentAttempt.number.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def is_usable(attempt: PaymentAttempt, payment: Payment, channel: PaymentChannel, *, now: datetime) -> bool:
    """Whether the customer can go on with an attempt that is under way; its action may be missing yet."""
    works_until = attempt.action_expires_at or attempt.expires_at
    return (
        attempt.status in UNDER_WAY
        and attempt.channel is channel
        and attempt.amount == payment.amount
        and now < min(works_until, attempt.expires_at)
    )


def new_attempt(
    payment: Payment,
    previous: PaymentAttempt | None,
    channel: PaymentChannel,
    *,
    due_at: datetime | None,
    now: datetime,
) -> PaymentAttempt:
    """The next attempt; called as the payment, with their number behind."""
    number = previous.number + 1 if previous else 1
    return PaymentAttempt(
        payment_id=payment.id,
        number=number,
        channel=channel,
        status=PaymentAttemptStatus.STARTED,
        currency=payment.currency,
        amount=payment.amount,
        reference=f"{payment.reference}_{number}".replace("-", "_"),  # Alipay takes no other sign
        created_at=now,
        expires_at=due_at or now + ATTEMPT_LIFETIME,
    )


async def adopt_start(session: AsyncSession, payment: Payment) -> PaymentAttempt | None:
    """The attempt of a payment that release 0.2 has started under its own reference; None for others."""
    if payment.status is not PaymentStatus.STARTED or payment.query_at is None:
        return None
    started_at = payment.started_at or payment.query_at
    attempt = PaymentAttempt(
        payment_id=payment.id,
        number=1,
        channel=PaymentChannel.PAGE,
        status=PaymentAttemptStatus.STARTED,
        currency=payment.currency,
        amount=payment.amount,
        reference=payment.reference,
        created_at=started_at,
        expires_at=started_at + ATTEMPT_LIFETIME,
        query_at=payment.query_at,
    )
    session.add(attempt)
    payment.query_at = None
    await session.flush()
    return attempt


async def adopt_payment(session: AsyncSession, payment_id: int) -> None:
    """Give a payment that release 0.2 has started its attempt."""
    _, payment = await lock_payment(session, payment_id)
    await adopt_start(session, payment)
    payment.query_at = None  # it was settled meanwhile


async def save_action(
    session: AsyncSession,
    attempt_id: int,
    *,
    provider_reference: str | None,
    kind: ActionKind,
    value: str,
    key: str | None,
    expires_at: datetime | None,
) -> PaymentAttempt:
    """Keep how an attempt is paid, for whoever asks again."""
    attempt = await session.get_one(PaymentAttempt, attempt_id, with_for_update=True)
    attempt.provider_reference = attempt.provider_reference or provider_reference
    attempt.action_kind, attempt.action_value, attempt.action_key = kind, value, key
    attempt.action_expires_at = expires_at
    return attempt


async def capture_attempt(
    session: AsyncSession, order: Order, payment: Payment, attempt: PaymentAttempt, *, cause: Cause
) -> None:
    """Record that an attempt brought its amount: for its payment, and what is beyond goes back by itself."""
    if attempt.status is PaymentAttemptStatus.CAPTURED:
        return
    move(attempt, PaymentAttemptStatus.CAPTURED, ATTEMPT_TRANSITIONS)
    attempt.captured_at = cause.now
    attempt.query_at, attempt.failure = None, None
    is_needed = payment.status is not PaymentStatus.CAPTURED and 0 < payment.amount <= attempt.amount
    needed = payment.amount if is_needed else 0
    if needed:
        payment.attempt_reference = attempt.reference
        await capture_payment(session, payment.id, cause=cause)
    if attempt.amount > needed:
        await refund_surplus(session, order, payment, attempt, attempt.amount - needed, cause=cause)


async def decline_attempt(
    session: AsyncSession,
    order: Order,
    payment: Payment,
    attempt: PaymentAttempt,
    *,
    reason: str,
    status: PaymentAttemptStatus = PaymentAttemptStatus.DECLINED,
    cause: Cause,
) -> None:
    """Record that an attempt under way came to nothing; its payment can be started again."""
    if attempt.status not in UNDER_WAY:
        return
    reason = clean_text(reason)  # the provider's
    move(attempt, status, ATTEMPT_TRANSITIONS)
    attempt.failure = reason
    newest = await find_newest_attempt(session, payment)
    if payment.status is PaymentStatus.STARTED and newest is attempt:
        move(payment, PaymentStatus.FAILED, TRANSITIONS)
        payment.failure = reason
        record(session, PaymentFailed(order, payment_id=payment.id, reason=reason), cause)


async def fail_attempt(session: AsyncSession, attempt_id: int, *, reason: str, cause: Cause) -> Payment:
    """Record that the provider does not start an attempt; the payment can be started again."""
    order, payment, attempt = await lock_attempt(session, attempt_id)
    if attempt.status is not PaymentAttemptStatus.CAPTURED:
        attempt.query_at = None
        await decline_attempt(session, order, payment, attempt, reason=reason, cause=cause)
    return payment


async def close_attempt(
    session: AsyncSession, attempt_id: int, *, confirmed: bool, query_at: datetime | None, cause: Cause
) -> None:
    """Record that an attempt is not to be paid any more, and when its provider is asked once more.

    `confirmed`: the provider agreed; otherwise it knows none yet, and one may still come to be.
    """
    _, _, attempt = await lock_attempt(session, attempt_id)
    if attempt.status is PaymentAttemptStatus.CAPTURED:
        return
    attempt.closed_at = cause.now if confirmed else None
    attempt.query_at = query_at
    if attempt.status in PAYABLE:
        move(attempt, PaymentAttemptStatus.CLOSED, ATTEMPT_TRANSITIONS)


async def end_attempt(session: AsyncSession, attempt_id: int, *, reason: str, cause: Cause) -> None:
    """Ask for an attempt never again: its time is long over."""
    order, payment, attempt = await lock_attempt(session, attempt_id)
    if attempt.status is PaymentAttemptStatus.CAPTURED:
        return
    attempt.query_at = None
    closed = PaymentAttemptStatus.CLOSED
    await decline_attempt(session, order, payment, attempt, reason=reason, status=closed, cause=cause)


async def lock_attempt(session: AsyncSession, attempt_id: int) -> tuple[Order, Payment, PaymentAttempt]:
    """An attempt with its payment and its order, which is locked."""
    attempt = await session.get_one(PaymentAttempt, attempt_id)
    order, payment = await lock_payment(session, attempt.payment_id)
    return order, payment, await session.get_one(PaymentAttempt, attempt_id, populate_existing=True)


def due_attempt_queries(method: PaymentMethod) -> Callable[[datetime], AnySelect]:
    """Select the ids of attempts whose provider, that of a method, is to be asked, or told to close them."""
    return lambda now: (
        select(PaymentAttempt.id)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(PaymentAttempt.query_at <= now, Payment.method == method)
        .order_by(PaymentAttempt.query_at)
    )


def due_adoptions(now: datetime) -> AnySelect:
    """Select the ids of payments that release 0.2 has started."""
    return select(Payment.id).where(Payment.query_at <= now).order_by(Payment.query_at)


async def claim_attempt_query(
    session: AsyncSession, attempt_id: int, *, now: datetime, next_at: datetime
) -> PaymentAttempt | None:
    """Put the next query of an attempt off to `next_at`; None when another process has done so."""
    claimed = await session.scalar(
        update(PaymentAttempt)
        .where(PaymentAttempt.id == attempt_id, PaymentAttempt.query_at <= now)
        .values(query_at=next_at)
        .returning(PaymentAttempt.id)
    )
    if claimed is None:
        return None
    return await session.get_one(PaymentAttempt, attempt_id, populate_existing=True)


def select_unpaid_attempts(order_id: int) -> AnySelect:
    """Select the attempts of an order that can be closed at their providers, with their methods."""
    return (
        select(PaymentAttempt, Payment.method)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(Payment.order_id == order_id, Payment.status == PaymentStatus.STARTED)
        .where(PaymentAttempt.status.in_((PaymentAttemptStatus.STARTED, PaymentAttemptStatus.ACTION_NEEDED)))
        .order_by(PaymentAttempt.id)
    )


async def release_payments(session: AsyncSession, order_id: int) -> None:
    """Let other things be done with payments of an order that were started and have no attempt under way."""
    order = await lock_order(session, order_id)
    under_way = select(PaymentAttempt.payment_id).where(PaymentAttempt.status.in_(UNDER_WAY))
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.status == PaymentStatus.STARTED)
        .where(Payment.query_at.is_(None), Payment.id.not_in(under_way))
        .execution_options(populate_existing=True)
    )
    for payment in rows.all():
        move(payment, PaymentStatus.FAILED, TRANSITIONS)


async def close_attempts_soon(session: AsyncSession, order_id: int, *, now: datetime) -> None:
    """Have the attempts of the closed payments of an order looked at now that no provider has closed."""
    payments = select(Payment.id).where(Payment.order_id == order_id, Payment.status == PaymentStatus.CLOSED)
    await session.execute(
        update(PaymentAttempt)
        .where(
            PaymentAttempt.payment_id.in_(payments),
            PaymentAttempt.status != PaymentAttemptStatus.CAPTURED,
            PaymentAttempt.closed_at.is_(None),
        )
        .values(query_at=now)
        .execution_options(synchronize_session=False)
    )
