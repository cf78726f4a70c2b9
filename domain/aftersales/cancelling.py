"""Part of an order is cancelled before it leaves: at once, without a ticket, exact to the cent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.facts import facts_of
from domain.aftersales.goods import withdraw
from domain.aftersales.quote import capped
from domain.aftersales.rules import Case, Claim, Stage, Wanted, empties, of_the_units
from domain.aftersales.sums import line_refund
from domain.errors import WrongState
from domain.ledger import post, refresh_payment_status
from domain.money import apportion
from domain.order import cancel_order, confirm_if_secured, lock_order, stated
from domain.outbox import record
from domain.payment import request_refund
from domain.payment.states import TRANSITIONS as PAYMENT_TRANSITIONS
from domain.state import move, words
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

OPEN = frozenset({OrderStatus.PENDING, OrderStatus.CONFIRMED})
UNTOUCHED = frozenset({PaymentStatus.PENDING, PaymentStatus.FAILED})
"""Payments nobody is making at this moment: their amounts may still change."""


async def cancel_lines(
    session: AsyncSession,
    order_id: int,
    lines: Sequence[Wanted],
    *,
    reason: str,
    receipt_after: timedelta,
    now: datetime,
    by: int | None = None,
) -> Order:
    """Take units off an order that are not packed yet; taking all that is left cancels the order.

    Their stock is free at once. What they cost comes off the payments nobody has begun, in proportion; the
    rest goes back over those that were made. A delivery of which nothing is left to send gives its fee back.
    """
    order = await lock_order(session, order_id)
    said = stated(reason)
    claim = Claim(TicketType.REFUND_ONLY, TicketReason.NO_REASON, tuple(lines))
    facts = await facts_of(session, order, claim)
    if order.status not in OPEN:
        raise WrongState(f"This order is {words(order.status)}.", field=("id",))
    refuse_what_is_not_there(facts.case)
    if empties(claim.lines, facts.case.units):
        return await cancel_order(session, order_id, reason=said, now=now, by=by)
    case = facts.case
    await withdraw(session, order, claim.lines, now=now, by=by)
    fee = await fees_of_nothing(session, order) - order.cancelled_shipping_amount
    open_legs = await untouched(session, order)
    room = sum(leg.amount for leg in open_legs)
    costs = [
        line_refund(case.lines[wanted.line_id], case.units[wanted.line_id], wanted.quantity)
        for wanted in lines
    ]
    *goods, fee = capped([*costs, fee], room + case.refundable)
    for wanted, amount in zip(lines, goods, strict=True):
        case.lines[wanted.line_id].cancelled += wanted.quantity
        case.lines[wanted.line_id].cancelled_amount += amount
    order.cancelled_shipping_amount += fee
    record(
        session,
        "order.lines_cancelled",
        order,
        now=now,
        by=by,
        reason=said,
        lines=[{"order_line_id": wanted.line_id, "quantity": wanted.quantity} for wanted in lines],
    )
    unpaid = min(room, sum(goods) + fee)
    await take_off(session, order, open_legs, unpaid, now=now)
    if paid := sum(goods) + fee - unpaid:
        await request_refund(session, order, order.money(paid), reason=said, now=now, by=by)
    await refresh_payment_status(session, order)
    await confirm_if_secured(session, order, now=now)
    if order.fulfilment_status is FulfilmentStatus.DELIVERED and order.delivered_at:
        order.receipt_due_at = order.delivered_at + receipt_after
    return order


def refuse_what_is_not_there(case: Case) -> None:
    """Only what is neither packed nor asked for otherwise; that all of it goes is no obstacle here."""
    hindrance = of_the_units(case)
    asked_too_much = any(
        wanted.quantity > case.units[wanted.line_id].left(Stage.WAITING) for wanted in case.claim.lines
    )
    if hindrance is not None and asked_too_much:
        raise hindrance


async def fees_of_nothing(session: AsyncSession, order: Order) -> int:
    """What sending would have cost to where nothing is sent any more."""
    anything = select(DeliveryLine.id).where(DeliveryLine.delivery_id == Delivery.id).exists()
    fees = await session.scalar(
        select(func.coalesce(func.sum(Delivery.fee_amount - Delivery.discount_amount), 0)).where(
            Delivery.order_id == order.id, Delivery.ticket_id.is_(None), ~anything
        )
    )
    return int(fees or 0)


async def untouched(session: AsyncSession, order: Order) -> Sequence[Payment]:
    """Payments whose amounts may still change; a refusal while the customer is paying one."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id)
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    payments = rows.all()
    if any(payment.status is PaymentStatus.STARTED for payment in payments):
        raise WrongState("A payment is being made; try again when it is through.", field=("id",))
    return [payment for payment in payments if payment.status in UNTOUCHED]


async def take_off(
    session: AsyncSession, order: Order, legs: Sequence[Payment], amount: int, *, now: datetime
) -> None:
    """Less is due: every open payment shrinks in proportion, and one of nothing is closed."""
    if not amount:
        return
    for leg, share in zip(legs, apportion(amount, [leg.amount for leg in legs]), strict=True):
        leg.amount -= share
        if not leg.amount:
            move(leg, PaymentStatus.CLOSED, PAYMENT_TRANSITIONS)
    order.total_amount -= amount
    order.cancelled_amount += amount
    await post(
        session,
        order_id=order.id,
        payment_id=None,
        kind=PostingKind.CREDITED,
        amount=order.money(amount),
        key=f"taken off:{order.number}:{order.version}",
        now=now,
    )
