"""Applying what a provider reports about a payment, after comparing it with the payment."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment.lifecycle import capture_payment, fail_payment
from models import Money, Order, Payment, PaymentMethod, PaymentNotification
from models.sql.upsert import upsert_into
from text.messages import Message

PAYMENT_FAILED = Message("The payment failed.")


class PaymentOutcome(StrEnum):
    """The outcome of a payment at its provider; OPEN: nothing is to be done yet."""

    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    OPEN = "OPEN"


class PaymentMismatch(Exception):
    """A genuine report that does not fit the payment: another reference, order, amount or currency."""


async def register_notification(
    session: AsyncSession, *, method: PaymentMethod, nonce: str, now: datetime
) -> bool:
    """Store the nonce of a notification; False when it was stored before, so that it is a repetition."""
    stored = await session.scalar(
        upsert_into(session, PaymentNotification)
        .values(method=method, nonce=nonce, received_at=now)
        .on_conflict_do_nothing()
        .returning(PaymentNotification.nonce)
    )
    return stored is not None


async def settle_payment(
    session: AsyncSession,
    *,
    method: PaymentMethod,
    reference: str,
    order_number: str,
    amount: Money,
    outcome: PaymentOutcome,
    reason: str | None,
    cause: Cause,
) -> Payment:
    """Capture or fail a payment as its provider reports; PaymentMismatch unless every fact of it fits."""
    row = await session.execute(
        select(Payment, Order.number)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.reference == reference, Payment.method == method)
    )
    found = row.one_or_none()
    if found is None:
        raise PaymentMismatch("unknown reference")
    payment, number = found
    if number != order_number:
        raise PaymentMismatch("another order")
    if payment.total != amount:
        raise PaymentMismatch("another amount")
    if outcome is PaymentOutcome.CAPTURED:
        return await capture_payment(session, payment.id, cause=cause)
    if outcome is PaymentOutcome.FAILED:
        return await fail_payment(session, payment.id, reason=reason or str(PAYMENT_FAILED), cause=cause)
    return payment
