"""Finding and claiming the payments and refunds for which a provider must be called again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    OFFLINE_METHODS,
    Order,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundStatus,
    SandboxCharge,
)
from models.sql.types import AnySelect

STALLED_AFTER = timedelta(hours=12)
"""When an unanswered refund is sent again: much later than the relay gives up sending it."""


def due_payment_queries(now: datetime) -> AnySelect:
    """Select the ids of started payments whose provider is to be queried."""
    return (
        select(Payment.id)
        .where(Payment.status == PaymentStatus.STARTED, Payment.query_at <= now)
        .order_by(Payment.query_at)
    )


async def claim_payment_query(
    session: AsyncSession, payment_id: int, *, now: datetime, next_at: datetime
) -> PaymentMethod | None:
    """Put the next query of a payment off to `next_at`; None when another process has done so."""
    return await session.scalar(
        update(Payment)
        .where(Payment.id == payment_id, Payment.query_at <= now)
        .values(query_at=next_at)
        .returning(Payment.method)
    )


def due_refund_retries(now: datetime) -> AnySelect:
    """Select the ids of refused refunds that are to be requested again."""
    return (
        select(Refund.id)
        .where(Refund.status == RefundStatus.FAILED, Refund.retry_at <= now)
        .order_by(Refund.retry_at)
    )


def due_stalled_refunds(now: datetime) -> AnySelect:
    """Select the ids of refunds that a provider has left unanswered for STALLED_AFTER."""
    unanswered = and_(Refund.retry_at.is_(None), Refund.created_at <= now - STALLED_AFTER)
    return (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING, Payment.method.not_in(OFFLINE_METHODS))
        .where(or_(unanswered, Refund.retry_at <= now))
        .order_by(Refund.id)
    )


async def claim_stalled_refund(session: AsyncSession, refund_id: int, *, now: datetime) -> None:
    """Put the next look at a pending refund off by STALLED_AFTER."""
    await session.execute(
        update(Refund)
        .where(Refund.id == refund_id, Refund.status == RefundStatus.PENDING)
        .values(retry_at=now + STALLED_AFTER)
    )


def due_sandbox_charges(now: datetime) -> AnySelect:
    """Select the references of charges of the sandbox provider whose delayed settlement is due."""
    return select(SandboxCharge.reference).where(SandboxCharge.settles_at <= now)


async def find_closed_payments(session: AsyncSession, order_id: int) -> Sequence[Payment]:
    """Payments of an order that were started at a provider and then closed."""
    rows = await session.scalars(
        select(Payment).where(
            Payment.order_id == order_id,
            Payment.status == PaymentStatus.CLOSED,
            Payment.started_at.is_not(None),
        )
    )
    return rows.all()


async def find_payment_and_number(session: AsyncSession, payment_id: int) -> tuple[Payment, str]:
    """A payment and the number of its order; NoResultFound when there is no such payment."""
    rows = await session.execute(
        select(Payment, Order.number)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id == payment_id)
    )
    payment, number = rows.one()
    return payment, number
