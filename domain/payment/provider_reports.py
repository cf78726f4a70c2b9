"""Applying what a provider reports about an attempt, after comparing it with the attempt."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment.attempts import UNDER_WAY, capture_attempt, decline_attempt, lock_attempt
from domain.payment.fees import ProviderFee, post_fees
from domain.payment.states import ATTEMPT_TRANSITIONS
from domain.state import move
from models import (
    AttemptReport,
    AttemptStatus,
    Money,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentMethod,
    PaymentNotification,
)
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into
from text.messages import Message

PAYMENT_FAILED = Message("The payment failed.")
PAYMENT_ENDED = Message("The provider takes no money for it any more.")

SENDING = "sending:"
"""Begins what is stored of one sending; the notice itself is stored by its id."""

NOTIFICATION_RETENTION = timedelta(days=30)
"""How long it is known that a notice has come.

Providers send one again for 3 days at most. Stripe (3 days) and WeChat Pay (15 times, some 21 hours) sign
each sending anew, so that an old one is not fresh; Alipay (24 hours and 22 minutes) does not, and what is
much older is refused by its time.
"""

PROGRESS = {
    AttemptStatus.ACTION_NEEDED: PaymentAttemptStatus.ACTION_NEEDED,
    AttemptStatus.PROCESSING: PaymentAttemptStatus.PROCESSING,
}


class PaymentMismatch(Exception):
    """A genuine report that does not fit the attempt: another reference, amount or currency."""


class NonceUsed(PaymentMismatch):
    """Somebody sends again what was sent before, byte for byte: the provider signs each sending anew."""


async def register_sending(
    session: AsyncSession, *, method: PaymentMethod, nonce: str, now: datetime
) -> None:
    """Store what is signed with one sending of a notice only; NonceUsed when it has come before."""
    if not await register_notification(session, method=method, nonce=f"{SENDING}{nonce}", now=now):
        raise NonceUsed("a nonce that was used before")


async def register_notification(
    session: AsyncSession, *, method: PaymentMethod, nonce: str, now: datetime
) -> bool:
    """Store what makes a notice unique; False when it was stored before, so that it is a repetition."""
    stored = await session.scalar(
        upsert_into(session, PaymentNotification)
        .values(method=method, nonce=nonce, received_at=now)
        .on_conflict_do_nothing()
        .returning(PaymentNotification.nonce)
    )
    return stored is not None


def select_old_notifications(now: datetime) -> AnySelect:
    """What makes notices unique that no provider sends again, the oldest first."""
    return (
        select(PaymentNotification.nonce)
        .where(PaymentNotification.received_at <= now - NOTIFICATION_RETENTION)
        .order_by(PaymentNotification.received_at)
    )


async def delete_notifications(session: AsyncSession, nonces: Sequence[str], *, now: datetime) -> None:
    """Delete what was stored of these notices, where they came long ago."""
    await session.execute(
        delete(PaymentNotification).where(
            PaymentNotification.method.in_(PaymentMethod),
            PaymentNotification.nonce.in_(nonces),
            PaymentNotification.received_at <= now - NOTIFICATION_RETENTION,
        )
    )


async def settle_attempt(
    session: AsyncSession, *, method: PaymentMethod, report: AttemptReport, cause: Cause
) -> PaymentAttempt:
    """Follow what the provider of an attempt reports; PaymentMismatch unless every fact of it fits."""
    attempt_id = await session.scalar(
        select(PaymentAttempt.id)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(PaymentAttempt.reference == report.reference, Payment.method == method)
    )
    if attempt_id is None:
        raise PaymentMismatch("unknown reference")
    order, payment, attempt = await lock_attempt(session, attempt_id)
    check_report(attempt, report)
    attempt.provider_reference = attempt.provider_reference or report.provider_reference
    attempt.reported, attempt.reported_at = report.status, cause.now
    if report.status is AttemptStatus.CAPTURED:
        await capture_attempt(session, order, payment, attempt, cause=cause)
        await post_attempt_fee(session, payment, attempt, report.fee, now=cause.now)
    elif report.status is AttemptStatus.DECLINED:
        reason = report.reason or str(PAYMENT_FAILED)
        await decline_attempt(session, order, payment, attempt, reason=reason, cause=cause)
    elif report.status is AttemptStatus.CLOSED:
        attempt.closed_at = attempt.closed_at or cause.now
        reason, closed = report.reason or str(PAYMENT_ENDED), PaymentAttemptStatus.CLOSED
        await decline_attempt(session, order, payment, attempt, reason=reason, status=closed, cause=cause)
    elif attempt.status in UNDER_WAY and PROGRESS.get(report.status, attempt.status) is not attempt.status:
        move(attempt, PROGRESS[report.status], ATTEMPT_TRANSITIONS)
    return attempt


async def post_attempt_fee(
    session: AsyncSession, payment: Payment, attempt: PaymentAttempt, fee: Money | None, *, now: datetime
) -> None:
    """Post what the provider keeps of an attempt, once; one in another currency is in statements only."""
    if fee is not None and fee.currency is attempt.currency:
        kept = ProviderFee(
            order_id=payment.order_id, payment_id=payment.id, reference=attempt.reference, fee=fee
        )
        await post_fees(session, [kept], now=now)


def check_report(attempt: PaymentAttempt, report: AttemptReport) -> None:
    if report.amount is None and report.status is AttemptStatus.CAPTURED:
        raise PaymentMismatch("no amount")
    if report.amount is not None and report.amount != attempt.total:
        raise PaymentMismatch("another amount")
    known = attempt.provider_reference
    if known and report.provider_reference and known != report.provider_reference:
        raise PaymentMismatch("another payment at the provider")
