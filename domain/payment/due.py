"""Finding and claiming the payments and refunds for which a provider must be called again."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.payment.refund_reports import delay_before_query
from models import (
    Payment,
    PaymentMethod,
    Refund,
    RefundStatus,
    RefundTarget,
    SandboxCharge,
)
from models.sql.types import AnySelect


def due_refund_retries(now: datetime) -> AnySelect:
    """Select the ids of refused refunds that are to be requested again."""
    return (
        select(Refund.id)
        .where(Refund.status == RefundStatus.FAILED, Refund.retry_at <= now)
        .order_by(Refund.retry_at)
    )


def due_refund_calls(method: PaymentMethod) -> Callable[[datetime], AnySelect]:
    """Select the ids of refunds that are to be sent to the provider of a method, or asked after there."""
    is_sent = Refund.target == RefundTarget.ORIGINAL, Payment.method == method
    return lambda now: (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING, is_query_due(now), *is_sent)
        .order_by(Refund.query_at)
    )


def due_credit_refunds(now: datetime) -> AnySelect:
    """Select the ids of refunds that should have gone into store credit by now."""
    return (
        select(Refund.id)
        .where(Refund.status == RefundStatus.PENDING, Refund.target == RefundTarget.STORE_CREDIT)
        .where(is_query_due(now))
        .order_by(Refund.query_at)
    )


def is_query_due(now: datetime) -> ColumnElement[bool]:
    """Whether a refund is to be asked after; those of the last release are asked after at once."""
    return or_(Refund.query_at.is_(None), Refund.query_at <= now)


async def claim_refund_query(
    session: AsyncSession, refund_id: int, *, query_after: timedelta, now: datetime
) -> int | None:
    """Put the next call for a pending refund off, longer each time; how many there were, not counting this.

    None when another process makes it.
    """
    asked = Refund.id == refund_id, Refund.status == RefundStatus.PENDING, is_query_due(now)
    queries: int | None = await session.scalar(select(Refund.queries).where(*asked).with_for_update())
    if queries is None:
        return None
    query_at = now + delay_before_query(refund_id, queries, first=query_after)
    claimed = await session.scalar(
        update(Refund).where(*asked).values(query_at=query_at, queries=queries + 1).returning(Refund.id)
    )
    return queries if claimed is not None else None


def due_sandbox_charges(now: datetime) -> AnySelect:
    """Select the references of charges of the sandbox provider whose delayed settlement is due."""
    return select(SandboxCharge.reference).where(SandboxCharge.settles_at <= now)
