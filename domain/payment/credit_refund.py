"""Refunds into store credit: paid by the shop itself, at once and once."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.payment.disputed import check_not_disputed, is_disputed
from domain.payment.refund import (
    WITHOUT_TRANSFER,
    first_query_at,
    lock_refund,
    record_refund_request,
    settle_refund,
)
from domain.payment.refund_parts import split_what_disputes_gave
from domain.payment.states import REFUND_TRANSITIONS
from domain.state import move
from domain.store_credit import check_refund_target, grant_bonus, refund_to_credit
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


async def redirect_refund(session: AsyncSession, refund_id: int, *, cause: Cause) -> Refund:
    """Have a refund that no provider can pay go into store credit instead: of cash, or one that failed.

    One of which a lost dispute has given a part brings the rest. WrongState for one that was paid or that a
    provider is carrying out.
    """
    order, refund = await lock_refund(session, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    if refund.status is RefundStatus.SUCCEEDED:
        raise WrongState("This refund has been paid already.", field=("id",))
    if refund.target is RefundTarget.STORE_CREDIT and refund.status is not RefundStatus.ABNORMAL:
        return refund
    if refund.status in WITHOUT_TRANSFER:
        raise WrongState("This refund is {status}.", status=refund.status, field=("id",))
    if not payment.method.collected_offline and refund.status is RefundStatus.PENDING:
        raise WrongState("The provider is carrying this refund out.", field=("id",))
    await check_not_disputed(session, payment)
    await check_refund_target(session, order, RefundTarget.STORE_CREDIT, field=("id",))
    if refund.status is RefundStatus.ABNORMAL:
        await split_what_disputes_gave(session, order, payment, refund, cause=cause)
    if refund.status is not RefundStatus.PENDING:
        move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.target, refund.retry_at = RefundTarget.STORE_CREDIT, None
    refund.query_at = first_query_at(payment, refund.target, cause.now)
    record_refund_request(session, order, [refund], cause=cause)
    return refund
