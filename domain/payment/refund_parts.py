"""Refunds into store credit of which lost disputes have given a part: what is still owed comes there."""

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.payment.bonus import reduce_bonus
from domain.payment.refund import credit_sale, settle_refund
from domain.payment.refund_postings import is_paid_out_of
from models import (
    Dispute,
    DisputeStatus,
    LedgerAccount,
    Order,
    Payment,
    Refund,
    RefundStatus,
    RefundTarget,
)

PAID_BY_DISPUTE = or_(is_paid_out_of(LedgerAccount.DISPUTED), is_paid_out_of(LedgerAccount.WRITE_OFF))
"""Whether a lost dispute has paid the refund of a row: when it was decided, or later, as written off."""


async def split_given_part(
    session: AsyncSession,
    order: Order,
    refund: Refund,
    part: int,
    dispute: Dispute,
    *,
    cause: Cause,
    out_of: LedgerAccount = LedgerAccount.DISPUTED,
) -> None:
    """Make a refund of its own, paid by a lost dispute, of what that has given of one of a locked order.

    What is left stays as it is, with the bonus of what is left; one that waits for approval waits on.
    """
    count = await session.scalar(select(func.count(Refund.id)).where(Refund.order_id == order.id)) or 0
    given = Refund(
        order_id=order.id,
        payment_id=refund.payment_id,
        ticket_id=refund.ticket_id,
        status=RefundStatus.PENDING,
        target=RefundTarget.ORIGINAL,
        currency=refund.currency,
        amount=part,
        reason=refund.reason,
        reference=f"{order.number}-R{count + 1}",
        attempts=0,
        goodwill=refund.goodwill,
        requested_by_id=refund.requested_by_id,
        decided_by_id=refund.decided_by_id,
        decided_at=refund.decided_at,
        created_at=cause.now,
    )
    session.add(given)
    refund.amount -= part
    await reduce_bonus(session, refund)
    await session.flush()
    if refund.status is RefundStatus.WAITING:
        await credit_sale(session, order, part, key=given.reference, now=cause.now)
    await settle_refund(
        session, given.id, provider_reference=dispute.reference, cause=cause.automatic, out_of=out_of
    )


async def split_what_disputes_gave(
    session: AsyncSession, order: Order, payment: Payment, refund: Refund, *, cause: Cause
) -> None:
    """Split what lost disputes have given of a refund that was left to the staff before it was split.

    WrongState where that is all of it.
    """
    part = await sum_given_again(session, payment)
    if part <= 0:
        return
    if part >= refund.amount:
        raise WrongState("A lost dispute has given the customer this money.", field=("id",))
    dispute = (
        await session.scalars(
            select(Dispute)
            .where(Dispute.payment_id == payment.id, Dispute.status == DisputeStatus.LOST)
            .order_by(Dispute.id.desc())
            .limit(1)
        )
    ).one()
    out_of = LedgerAccount.WRITE_OFF
    await split_given_part(session, order, refund, part, dispute, cause=cause, out_of=out_of)


async def sum_given_again(session: AsyncSession, payment: Payment) -> int:
    """Minor units that lost disputes of a payment have given beside what its refunds give, or are to give.

    Refunds that disputes have paid are not given besides.
    """
    lost = await session.scalar(
        select(func.coalesce(func.sum(Dispute.amount), 0)).where(
            Dispute.payment_id == payment.id, Dispute.status == DisputeStatus.LOST
        )
    )
    paid = await session.scalar(
        select(func.coalesce(func.sum(Refund.amount), 0)).where(
            Refund.payment_id == payment.id, PAID_BY_DISPUTE
        )
    )
    return max(0, payment.refunded_amount + int(lost or 0) - payment.captured_amount) - int(paid or 0)
