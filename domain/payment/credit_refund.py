"""Refunds into store credit: paid by the shop itself, at once and once."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment.disputed import is_disputed
from domain.payment.refund import (
    first_query_at,
    lock_refund,
    settle_refund,
)
from domain.store_credit import grant_bonus, refund_to_credit
from models import LedgerAccount, Payment, Refund, RefundStatus, RefundTarget

CREDIT_REFERENCE = "store credit"
"""What such a refund is called in place of a provider's reference."""


async def pay_credit_refund(session: AsyncSession, refund_id: int, *, cause: Cause) -> Refund:
    """Pay a refund, with its bonus, into the store credit of its customer; a repetition changes nothing.

    While the customer disputes the payment it is put off: the dispute may give back the same money.
    """
    order, refund = await lock_refund(session, refund_id)
    if refund.status is not RefundStatus.PENDING or refund.target is not RefundTarget.STORE_CREDIT:
        return refund
    payment = await session.get_one(Payment, refund.payment_id)
    if await is_disputed(session, payment):
        refund.query_at = first_query_at(payment, refund.target, cause.now)
        return refund
    await refund_to_credit(session, order, refund, now=cause.now)
    await grant_bonus(session, order, refund, now=cause.now)
    return await settle_refund(
        session,
        refund_id,
        provider_reference=CREDIT_REFERENCE,
        cause=cause,
        out_of=LedgerAccount.STORE_CREDIT,
    )
