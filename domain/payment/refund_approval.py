"""A second person of the staff approves refunds above the limit, or declines those that are not owed."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Forbidden, WrongState
from domain.events import RefundApproved, RefundDeclined
from domain.order import required_reason, settle_order
from domain.outbox import record
from domain.payment.refund import credit_sale, first_query_at, lock_refund, record_refund_request
from domain.payment.states import REFUND_TRANSITIONS
from domain.state import move
from models import Order, OrderStatus, Payment, Refund, RefundStatus


async def approve_refund(session: AsyncSession, refund_id: int, *, reason: str, cause: Cause) -> Refund:
    """Send a refund that waits for a second person; Forbidden for the one who has requested it."""
    order, refund = await lock_waiting_refund(session, refund_id, cause)
    reason = required_reason(reason)
    move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.decided_by_id, refund.decided_at = cause.person, cause.now
    payment = await session.get_one(Payment, refund.payment_id)
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
    if not refund.goodwill or order.status is OrderStatus.CANCELLED:
        raise WrongState("This money is owed to the customer: it can only be approved.", field=("id",))
    reason = required_reason(reason)
    move(refund, RefundStatus.DECLINED, REFUND_TRANSITIONS)
    refund.decided_by_id, refund.decided_at = cause.person, cause.now
    payment = await session.get_one(Payment, refund.payment_id)
    payment.refunded_amount -= refund.amount
    record(session, RefundDeclined(order, refund_id=refund.id, reason=reason), cause)
    await settle_order(session, order, cause=cause.automatic)
    return refund


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
