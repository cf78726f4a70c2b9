"""Cancelling part of an order before it is packed: at once, without a ticket, exact to the cent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import load_claim_facts
from domain.aftersales.reasons import ClaimStage
from domain.aftersales.refund_amounts import cap_amounts, line_refund
from domain.aftersales.rules import (
    ClaimCase,
    ClaimedUnits,
    TicketClaim,
    find_units_obstacle,
    leaves_nothing_to_send,
)
from domain.aftersales.withdrawal import withdraw_units
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import EventLine, OrderLinesCancelled
from domain.ledger import refresh_payment_status, write_posting
from domain.money import apportion
from domain.order import cancel_order, confirm_if_secured, lock_order, required_reason
from domain.outbox import record
from domain.payment import request_refund
from domain.payment.states import TRANSITIONS as PAYMENT_TRANSITIONS
from domain.state import move, status_text
from models import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    PostingKind,
    TicketReason,
    TicketType,
)

CANCELLABLE = frozenset({OrderStatus.PENDING, OrderStatus.CONFIRMED})
OPEN_PAYMENTS = frozenset({PaymentStatus.PENDING, PaymentStatus.FAILED})
"""Payments that are not under way: their amounts may still change."""


async def cancel_lines(
    session: AsyncSession,
    order_id: int,
    lines: Sequence[ClaimedUnits],
    *,
    reason: str,
    receipt_after: timedelta,
    cause: Cause,
) -> Order:
    """Cancel units of an order that are not packed yet; cancelling all that is left cancels the order.

    Their stock is released at once. What they cost is taken off the open payments, in proportion; the rest is
    refunded over those that were made. The fee of a delivery of which nothing is left to send goes with it.
    """
    order = await lock_order(session, order_id)
    reason = required_reason(reason)
    claim = TicketClaim(TicketType.REFUND_ONLY, TicketReason.NO_REASON, tuple(lines))
    facts = await load_claim_facts(session, order, claim)
    if order.status not in CANCELLABLE:
        raise WrongState(f"This order is {status_text(order.status)}.", field=("id",))
    check_cancellable(facts.case)
    if leaves_nothing_to_send(claim.lines, facts.case.units):
        return await cancel_order(session, order_id, reason=reason, cause=cause)
    case = facts.case
    await withdraw_units(session, order, claim.lines, cause=cause)
    fee = await sum_unneeded_fees(session, order) - order.cancelled_shipping_amount
    open_payments = await find_open_payments(session, order)
    unpaid_amount = sum(payment.amount for payment in open_payments)
    costs = [
        line_refund(case.lines[claimed.order_line_id], case.units[claimed.order_line_id], claimed.quantity)
        for claimed in lines
    ]
    *line_amounts, fee = cap_amounts([*costs, fee], unpaid_amount + case.refundable)
    for claimed, amount in zip(lines, line_amounts, strict=True):
        case.lines[claimed.order_line_id].cancelled += claimed.quantity
        case.lines[claimed.order_line_id].cancelled_amount += amount
    order.cancelled_shipping_amount += fee
    record(
        session,
        OrderLinesCancelled(
            order,
            reason=reason,
            lines=[EventLine(claimed.order_line_id, claimed.quantity) for claimed in lines],
        ),
        cause,
    )
    reduction = min(unpaid_amount, sum(line_amounts) + fee)
    await reduce_payments(session, order, open_payments, reduction, now=cause.now)
    if refund := sum(line_amounts) + fee - reduction:
        await request_refund(session, order, order.money(refund), reason=reason, cause=cause)
    await refresh_payment_status(session, order)
    await confirm_if_secured(session, order, cause=cause.automatic)
    if order.fulfilment_status is FulfilmentStatus.DELIVERED and order.delivered_at:
        order.receipt_due_at = order.delivered_at + receipt_after
    return order


def check_cancellable(case: ClaimCase) -> None:
    """Refuse units that are packed or claimed by a ticket; cancelling all of them is allowed."""
    obstacle = find_units_obstacle(case)
    too_many = any(
        claimed.quantity > case.units[claimed.order_line_id].left(ClaimStage.WAITING)
        for claimed in case.claim.lines
    )
    if obstacle is not None and too_many:
        raise obstacle


async def sum_unneeded_fees(session: AsyncSession, order: Order) -> int:
    """The fees of the deliveries of which nothing is sent any more, in minor units."""
    any_line = select(DeliveryLine.id).where(DeliveryLine.delivery_id == Delivery.id).exists()
    fees = await session.scalar(
        select(func.coalesce(func.sum(Delivery.fee_amount - Delivery.discount_amount), 0)).where(
            Delivery.order_id == order.id, Delivery.ticket_id.is_(None), ~any_line
        )
    )
    return int(fees or 0)


async def find_open_payments(session: AsyncSession, order: Order) -> Sequence[Payment]:
    """Payments whose amounts may still change; WrongState while the customer is paying one."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id)
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    payments = rows.all()
    if any(payment.status is PaymentStatus.STARTED for payment in payments):
        raise WrongState("A payment is being made; try again when it is through.", field=("id",))
    return [payment for payment in payments if payment.status in OPEN_PAYMENTS]


async def reduce_payments(
    session: AsyncSession, order: Order, payments: Sequence[Payment], amount: int, *, now: datetime
) -> None:
    """Take an amount off open payments in proportion, and close those of which nothing is left."""
    if not amount:
        return
    shares = apportion(amount, [payment.amount for payment in payments])
    for payment, share in zip(payments, shares, strict=True):
        payment.amount -= share
        if not payment.amount:
            move(payment, PaymentStatus.CLOSED, PAYMENT_TRANSITIONS)
    order.total_amount -= amount
    order.cancelled_amount += amount
    await write_posting(
        session,
        order_id=order.id,
        payment_id=None,
        kind=PostingKind.CREDITED,
        amount=order.money(amount),
        key=f"taken off:{order.number}:{order.version}",
        now=now,
    )
