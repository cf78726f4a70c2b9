"""Finding and claiming the payments and refunds for which a provider must be called again."""

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    OFFLINE_METHODS,
    Payment,
    Refund,
    RefundStatus,
    RefundTarget,
    SandboxCharge,
)
from models.sql.types import AnySelect

STALLED_AFTER = timedelta(hours=12)
"""When an unanswered refund is sent again: much later than the relay gives up sending it."""


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
        .where(Refund.status == RefundStatus.PENDING)
        .where(or_(Payment.method.not_in(OFFLINE_METHODS), Refund.target == RefundTarget.STORE_CREDIT))
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
