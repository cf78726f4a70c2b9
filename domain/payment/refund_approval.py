"""A second person of the staff approves refunds above the limit, or declines those that are not owed."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Forbidden, WrongState
from domain.events import RefundApproved, RefundDeclined
from domain.order import required_reason, settle_order
from domain.outbox import record
from domain.payment.approval_limit import unapproved_amount
from domain.payment.disputed import check_not_disputed
from domain.payment.refund import credit_sale, first_query_at, lock_refund, record_refund_request
from domain.payment.states import REFUND_TRANSITIONS
from domain.state import move
from domain.training import GuardedTask, require_certificate
from models import Order, OrderStatus, Payment, Refund, RefundStatus
from text.messages import Message

LOST_DISPUTE = Message("A lost dispute has given the customer this money.")


async def approve_refund(session: AsyncSession, refund_id: int, *, reason: str, cause: Cause) -> Refund:
    """Send a refund that waits for a second person; Forbidden for the one who has requested it."""
    order, refund = await lock_waiting_refund(session, refund_id, cause)
    task = GuardedTask(refund=refund.money(refund.given_amount + await unapproved_amount(session, order)))
    await require_certificate(session, cause.person, task, now=cause.now, field=("id",))
    reason = required_reason(reason)
    payment = await session.get_one(Payment, refund.payment_id)
    await check_not_disputed(session, payment)
    move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.decided_by_id, refund.decided_at = cause.person, cause.now
    refund.query_at = first_query_at(payment, refund.target, cause.now)
    await credit_sale(session, order, refund.amount, key=refund.reference, now=cause.now)
    record(session, RefundApproved(order, refund_id=refund.id, reason=reason), cause)
    record_refund_request(session, order, [refund], cause=cause)
    return refund


async def decline_refund(session: AsyncSession, refund_id: int, *, reason: str, cause: Cause) -> Refund:
    """Keep the money of a refund that waits for a second person; who has requested it withdraws it so.

    WrongState for what the shop owes: all but goodwill, and all of an order that was cancelled.
    """
    order, refund = await lock_refund(session, refund_id)
    require_waiting(refund)
    if is_owed(order, refund):
        raise WrongState("This money is owed to the customer: it can only be approved.", field=("id",))
    await keep_money(session, order, refund, reason=required_reason(reason), cause=cause)
    await settle_order(session, order, cause=cause.automatic)
    return refund


def is_owed(order: Order, refund: Refund) -> bool:
    """Whether a refund that waits can only be approved: all but goodwill, and all of a cancelled order."""
    return not refund.goodwill or order.status is OrderStatus.CANCELLED


async def keep_money(
    session: AsyncSession, order: Order, refund: Refund, *, reason: str, cause: Cause
) -> None:
    """Give up a waiting refund of a locked order."""
    move(refund, RefundStatus.DECLINED, REFUND_TRANSITIONS)
    refund.decided_by_id, refund.decided_at = cause.by, cause.now
    payment = await session.get_one(Payment, refund.payment_id)
    payment.refunded_amount -= refund.amount
    record(session, RefundDeclined(order, refund_id=refund.id, reason=reason), cause)


async def end_waiting_by_dispute(
    session: AsyncSession, order: Order, refund: Refund, *, cause: Cause
) -> bool:
    """End the waiting for approval of a refund whose money a lost dispute has given the customer.

    Whether it was owed: then it can be settled by the dispute; what is goodwill is given up.
    """
    if not is_owed(order, refund):
        await keep_money(session, order, refund, reason=str(LOST_DISPUTE), cause=cause.automatic)
        return False
    move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.decided_at = cause.now
    await credit_sale(session, order, refund.amount, key=refund.reference, now=cause.now)
    record(session, RefundApproved(order, refund_id=refund.id, reason=str(LOST_DISPUTE)), cause.automatic)
    return True


async def lock_waiting_refund(session: AsyncSession, refund_id: int, cause: Cause) -> tuple[Order, Refund]:
    """A refund that waits for a second person, and its locked order; Forbidden for who has requested it."""
    order, refund = await lock_refund(session, refund_id)
    require_waiting(refund)
    if cause.person in (refund.requested_by_id, order.account_id):
        raise Forbidden
    return order, refund


def require_waiting(refund: Refund) -> None:
    if refund.status is not RefundStatus.WAITING:
        raise WrongState("This refund is {status}.", status=refund.status, field=("id",))
