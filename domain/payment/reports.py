"""What a provider says of a payment, held against what the shop knows."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.payment.incoming import capture_payment, fail_payment
from domain.upsert import insert
from models import Money, Order, Payment, PaymentMethod, PaymentNotification


class Outcome(StrEnum):
    """What became of a payment at its provider, as far as the shop has to act."""

    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    OPEN = "OPEN"


class NotOurs(Exception):
    """A genuine message about something else than our payment: wrong order, amount or currency."""


async def first_notice(session: AsyncSession, *, method: PaymentMethod, nonce: str, now: datetime) -> bool:
    """Whether a message of a provider comes for the first time; it is remembered with what it causes."""
    fresh = await session.scalar(
        insert(session, PaymentNotification)
        .values(method=method, nonce=nonce, received_at=now)
        .on_conflict_do_nothing()
        .returning(PaymentNotification.nonce)
    )
    return fresh is not None


async def settle_payment(
    session: AsyncSession,
    *,
    method: PaymentMethod,
    reference: str,
    order_number: str,
    amount: Money,
    outcome: Outcome,
    reason: str | None,
    now: datetime,
) -> Payment:
    """Do what a provider's word means for our payment; NotOurs unless every fact of it fits."""
    row = await session.execute(
        select(Payment, Order.number)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.reference == reference, Payment.method == method)
    )
    found = row.one_or_none()
    if found is None:
        raise NotOurs("unknown reference")
    payment, number = found
    if number != order_number:
        raise NotOurs("another order")
    if payment.total != amount:
        raise NotOurs("another amount")
    if outcome is Outcome.CAPTURED:
        return await capture_payment(session, payment.id, now=now)
    if outcome is Outcome.FAILED:
        return await fail_payment(session, payment.id, reason=reason or "The payment failed.", now=now)
    return payment
