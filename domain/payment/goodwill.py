"""Refunding part of the price of an order in goodwill, without a ticket."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.cause import Cause
from domain.errors import WrongState, collect_refusals
from domain.order import FINAL, NOT_DISPATCHED, lock_order, required_reason
from domain.payment.approval_limit import unapproved_amount
from domain.payment.refund import check_amount, refundable_amount, request_refund
from domain.store_credit import check_refund_target
from domain.training import GuardedTask, require_certificate
from models import Money, Order, RefundTarget

COMMAND = "paymentRefund"
"""The name of the mutation, under which its idempotency keys are stored."""


async def refund_in_goodwill(
    session: AsyncSession,
    order_id: int,
    amount: Money,
    *,
    target: RefundTarget = RefundTarget.ORIGINAL,
    reason: str,
    key: str,
    cause: Cause,
) -> Order:
    """Refund part of the price without a ticket; the same idempotency key refunds once.

    WrongState when the order has ended, or when everything is to be refunded before anything was dispatched.
    """
    content: list[object] = [order_id, amount.minor, amount.currency, reason]
    if target is not RefundTarget.ORIGINAL:
        content.append(target)
    with collect_refusals() as check:
        with check:
            earlier = await idempotency.claim_key(
                session, account_id=cause.person, command=COMMAND, key=key, content=content, now=cause.now
            )
            if earlier is not None:
                return await session.get_one(Order, earlier)
        text = check.value(required_reason, "", reason)
        with check:
            order = await lock_order(session, order_id, field=("order_id",))
            await check_goodwill(session, order, amount, target)
            task = GuardedTask(refund=order.money(amount.minor + await unapproved_amount(session, order)))
            await require_certificate(session, cause.person, task, now=cause.now, field=("amount",))
    for refund in await request_refund(session, order, amount, target=target, reason=text, cause=cause):
        refund.goodwill = True
    await idempotency.save_result(
        session, account_id=cause.person, command=COMMAND, key=key, result_id=order.id
    )
    return order


async def check_goodwill(session: AsyncSession, order: Order, amount: Money, target: RefundTarget) -> None:
    """Refuse a refund of an order that has ended, of too much, and to where it cannot go."""
    if order.status in FINAL:
        raise WrongState("This order is {status}.", status=order.status, field=("order_id",))
    left = await refundable_amount(session, order)
    with collect_refusals() as check:
        with check:
            check_amount(amount, left)
            if order.fulfilment_status in NOT_DISPATCHED and amount == left:
                raise WrongState("Nothing has left yet: cancel the order instead.", field=("amount",))
        with check:
            await check_refund_target(session, order, target)
