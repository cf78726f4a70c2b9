"""Refunds that no provider can pay: the staff transfer them, or have them go into store credit.

One of which a lost dispute has given a part brings the rest either way.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, WrongState
from domain.payment.disputed import check_not_disputed
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
from domain.store_credit import check_refund_target
from models import LedgerAccount, Order, Payment, Refund, RefundStatus, RefundTarget

REFERENCE_LIMIT = 100


async def confirm_refund(session: AsyncSession, refund_id: int, *, reference: str, cause: Cause) -> Refund:
    """Record that staff have transferred a refund that no provider can pay: of cash, or one that failed."""
    order, refund = await lock_refund(session, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    if refund.target is RefundTarget.STORE_CREDIT and refund.status is not RefundStatus.SUCCEEDED:
        raise WrongState("This refund goes into the store credit of the customer.", field=("id",))
    await check_left_to_staff(session, payment, refund)
    name = reference.strip()
    if not 1 <= len(name) <= REFERENCE_LIMIT:
        raise Invalid(
            "Give the reference of the transfer, in at most {limit} characters.",
            limit=REFERENCE_LIMIT,
            field=("reference",),
        )
    await split_abnormal(session, order, payment, refund, cause=cause)
    return await settle_refund(
        session, refund_id, provider_reference=name, cause=cause, out_of=LedgerAccount.BANK
    )


async def redirect_refund(session: AsyncSession, refund_id: int, *, cause: Cause) -> Refund:
    """Have a refund that no provider can pay go into store credit instead: of cash, or one that failed."""
    order, refund = await lock_refund(session, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    is_there = refund.target is RefundTarget.STORE_CREDIT and refund.status is not RefundStatus.ABNORMAL
    if is_there and refund.status is not RefundStatus.SUCCEEDED:
        return refund
    await check_left_to_staff(session, payment, refund)
    await check_refund_target(session, order, RefundTarget.STORE_CREDIT, field=("id",))
    await split_abnormal(session, order, payment, refund, cause=cause)
    if refund.status is not RefundStatus.PENDING:
        move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.target, refund.retry_at = RefundTarget.STORE_CREDIT, None
    refund.query_at = first_query_at(payment, refund.target, cause.now)
    record_refund_request(session, order, [refund], cause=cause)
    return refund


async def check_left_to_staff(session: AsyncSession, payment: Payment, refund: Refund) -> None:
    """WrongState for a refund that was paid, that a provider is carrying out, or that may not be paid."""
    if refund.status is RefundStatus.SUCCEEDED:
        raise WrongState("This refund has been paid already.", field=("id",))
    if refund.status in WITHOUT_TRANSFER:
        raise WrongState("This refund is {status}.", status=refund.status, field=("id",))
    if not payment.method.collected_offline and refund.status is RefundStatus.PENDING:
        raise WrongState("The provider is carrying this refund out.", field=("id",))
    await check_not_disputed(session, payment)


async def split_abnormal(
    session: AsyncSession, order: Order, payment: Payment, refund: Refund, *, cause: Cause
) -> None:
    """Leave of a refund that became a task only what lost disputes have not given."""
    if refund.status is RefundStatus.ABNORMAL:
        await split_what_disputes_gave(session, order, payment, refund, cause=cause)
