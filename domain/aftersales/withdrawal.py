"""Units that leave an order before they are packed: one rule for cancelling them at once and by a ticket.

Their stock is released at once. What they cost is taken off the open payments first, in proportion; the rest
is refunded over those that were made. The fee of a delivery of which nothing is left to send goes with them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.refund_amounts import WithdrawnAmounts, price_withdrawal
from domain.aftersales.rules import ClaimCase, ClaimedUnits
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import EventLine, OrderLinesCancelled
from domain.ledger import is_waited_for, refresh_payment_status, write_posting
from domain.order import confirm_if_secured
from domain.order.cash import split_reduction, sum_cash_under_way
from domain.order.payments_under_way import check_none_under_way
from domain.outbox import record
from domain.payment import request_refund
from domain.payment.states import OPEN
from domain.payment.states import TRANSITIONS as PAYMENT_TRANSITIONS
from domain.promotion import CancelledUnits, release_promotion_units, release_promotions_but
from domain.shipment import refresh_fulfilment, set_receipt_due
from domain.state import move
from domain.stock import Allocation, LineAllocation, release_line_units
from models import (
    Delivery,
    DeliveryLine,
    Order,
    Payment,
    PaymentStatus,
    PostingKind,
    RefundTarget,
    ShipmentLine,
)
from models.sql.together import read_together


class AlreadyPacked(WrongState):
    """Units that were to be withdrawn have been packed meanwhile."""

    def __init__(self) -> None:
        super().__init__("Some of it has been packed or sent meanwhile: it can only be returned.")


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """Why units leave an order, for which ticket, and where their refund goes."""

    reason: str
    ticket_id: int | None = None
    target: RefundTarget = RefundTarget.ORIGINAL


@dataclass(frozen=True, slots=True)
class WithdrawnUnits:
    """Units to be taken off one delivery line."""

    line: DeliveryLine
    units: int


@dataclass(frozen=True)
class SendingPlan:
    """The deliveries of an order, the last one first, and what of it each brings or has brought."""

    deliveries: Sequence[Delivery]
    lines: Sequence[DeliveryLine]

    def units_of(self, delivery_id: int) -> int:
        """Units of a delivery, sent or not."""
        return sum(line.quantity for line in self.by_delivery.get(delivery_id, ()))

    def lines_of(self, order_line_id: int) -> Sequence[DeliveryLine]:
        return self.by_order_line.get(order_line_id, ())

    @cached_property
    def by_order_line(self) -> Mapping[int, Sequence[DeliveryLine]]:
        return group_lines(self.lines, lambda line: line.order_line_id)

    @cached_property
    def by_delivery(self) -> Mapping[int, Sequence[DeliveryLine]]:
        return group_lines(self.lines, lambda line: line.delivery_id)

    def of_delivery(self, delivery_id: int | None) -> "SendingPlan":
        """The part of one delivery; all of it where none is given."""
        if delivery_id is None:
            return self
        return replace(self, lines=[line for line in self.lines if line.delivery_id == delivery_id])

    def withdraw(self, claimed: Sequence[ClaimedUnits]) -> list[WithdrawnUnits]:
        """What to take off the delivery lines; AlreadyPacked when some of it is packed already."""
        return [each for units in claimed for each in self.withdraw_units(units)]

    def withdraw_units(self, claimed: ClaimedUnits) -> Iterator[WithdrawnUnits]:
        left = claimed.quantity
        for line in self.lines_of(claimed.order_line_id):
            if units := min(left, line.quantity - line.packed):
                yield WithdrawnUnits(line, units)
                left -= units
        if left:
            raise AlreadyPacked

    def fees_without(self, withdrawn: Sequence[WithdrawnUnits]) -> int:
        """The fees of deliveries of which nothing is sent or kept any more, in minor units."""
        kept = self.deliveries_without(withdrawn)
        return sum(delivery.total.minor for delivery in self.deliveries if delivery not in kept)

    def deliveries_without(self, withdrawn: Sequence[WithdrawnUnits]) -> list[Delivery]:
        """The deliveries of which something is left then."""
        units = {each.line.id: each.units for each in withdrawn}
        return [
            delivery
            for delivery in self.deliveries
            if any(
                line.quantity - line.ended > units.get(line.id, 0)
                for line in self.by_delivery.get(delivery.id, ())
            )
        ]


def group_lines(
    lines: Sequence[DeliveryLine], key_of: Callable[[DeliveryLine], int]
) -> Mapping[int, Sequence[DeliveryLine]]:
    """Lines by what they belong to, in their order."""
    found: defaultdict[int, list[DeliveryLine]] = defaultdict(list)
    for line in lines:
        found[key_of(line)].append(line)
    return found


async def load_sending_plan(session: AsyncSession, order: Order) -> SendingPlan:
    """The deliveries of an order and their lines, without replacements; they change under its lock only."""
    deliveries, lines = await read_together(
        session,
        session.scalars(
            select(Delivery)
            .where(Delivery.order_id == order.id, Delivery.ticket_id.is_(None))
            .order_by(Delivery.position.desc())
            .execution_options(populate_existing=True)
        ),
        session.scalars(
            select(DeliveryLine)
            .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
            .where(Delivery.order_id == order.id, Delivery.ticket_id.is_(None))
            .order_by(Delivery.position.desc(), DeliveryLine.id.desc())
            .execution_options(populate_existing=True)
        ),
    )
    return SendingPlan(deliveries.all(), lines.all())


def quote_planned(plan: SendingPlan, case: ClaimCase) -> WithdrawnAmounts:
    """What the withdrawal of the claimed units would come to, where the deliveries of the order are known."""
    return price_withdrawal(case, fees=plan.fees_without(plan.withdraw(case.claim.lines)))


async def withdraw_lines(
    session: AsyncSession,
    case: ClaimCase,
    *,
    terms: RefundTerms,
    delivery_id: int | None = None,
    receipt_after: timedelta,
    cause: Cause,
) -> WithdrawnAmounts:
    """Withdraw the claimed units of a locked order, and settle what they cost."""
    order = case.order
    open_payments = await find_open_payments(session, order)
    plan = await load_sending_plan(session, order)
    withdrawn = plan.of_delivery(delivery_id).withdraw(case.claim.lines)
    amounts = price_withdrawal(case, fees=plan.fees_without(withdrawn))
    kept = plan.deliveries_without(withdrawn)
    await remove_withdrawn(session, case, plan, withdrawn, cause=cause)
    await settle_withdrawn(session, case, amounts, kept, open_payments, terms=terms, cause=cause)
    await confirm_if_secured(session, order, cause=cause.automatic)
    set_receipt_due(order, receipt_after=receipt_after)
    return amounts


async def settle_withdrawn(
    session: AsyncSession,
    case: ClaimCase,
    amounts: WithdrawnAmounts,
    kept: Sequence[Delivery],
    payments: Sequence[Payment],
    *,
    terms: RefundTerms,
    cause: Cause,
) -> None:
    """Take what units cost off a locked order they have left: off its open payments, and refund the rest.

    Promotions of which nothing is left on the order can be used again; `kept` are the deliveries of which
    something is left.
    """
    order = case.order
    for claimed, amount in zip(case.claim.lines, amounts.lines, strict=True):
        case.lines[claimed.order_line_id].cancelled += claimed.quantity
        case.lines[claimed.order_line_id].cancelled_amount += amount
    order.cancelled_shipping_amount += amounts.shipping
    event_lines = [EventLine(claimed.order_line_id, claimed.quantity) for claimed in case.claim.lines]
    record(session, OrderLinesCancelled(order, reason=terms.reason, lines=event_lines), cause)
    discounts = [line.discounts for line in case.lines.values() if line.cancelled < line.quantity]
    discounts += [delivery.discounts for delivery in kept]
    promotions = {each["promotion_id"] for row in discounts for each in row}
    await session.flush()
    await release_promotions_but(session, order.id, promotions, now=cause.now)
    await reduce_payments(session, order, payments, amounts.credited, now=cause.now)
    if amounts.refund:
        refund = order.money(amounts.refund)
        await request_refund(
            session,
            order,
            refund,
            ticket_id=terms.ticket_id,
            target=terms.target,
            reason=terms.reason,
            cause=cause,
        )
    await refresh_payment_status(session, order)


async def remove_withdrawn(
    session: AsyncSession,
    case: ClaimCase,
    plan: SendingPlan,
    withdrawn: Sequence[WithdrawnUnits],
    *,
    cause: Cause,
) -> None:
    """Take units out of their deliveries and release them: those that wait for stock before reserved ones."""
    variants = {line.id: line.variant_id for line in case.lines.values()}
    cancelled = cancelled_units(case.claim.lines, plan, variants)
    released = [
        LineAllocation(
            each.line.id,
            Allocation(variants[each.line.order_line_id], each.line.warehouse_id, each.units),
        )
        for each in withdrawn
        if each.line.reserved
    ]
    await release_line_units(session, released, order_id=case.order.id, cause=cause)
    await remove_units(session, withdrawn)
    await release_promotion_units(session, case.order.id, cancelled, now=cause.now)
    await refresh_fulfilment(session, case.order, cause=cause)


def cancelled_units(
    claimed: Sequence[ClaimedUnits], plan: SendingPlan, variants: Mapping[int, int]
) -> list[CancelledUnits]:
    """The claimed units by variant, out of those of all its lines that were not withdrawn, sent or not."""
    units, left = Counter[int](), Counter[int]()
    for each in claimed:
        units[variants[each.order_line_id]] += each.quantity
    for line in plan.lines:
        left[variants[line.order_line_id]] += line.quantity - line.ended
    return [
        CancelledUnits(variant_id, units=count, out_of=left[variant_id])
        for variant_id, count in units.items()
    ]


async def remove_units(session: AsyncSession, removed: Sequence[WithdrawnUnits]) -> None:
    """Take units off delivery lines; one without units is deleted, unless a parcel that was sent names it."""
    emptied = {each.line.id: each.line for each in removed if each.units == each.line.quantity}
    kept = set[int]()
    if emptied:
        named = select(ShipmentLine.delivery_line_id).where(ShipmentLine.delivery_line_id.in_(emptied))
        kept.update(await session.scalars(named))
    for each in removed:
        if each.line.id in emptied.keys() - kept:
            await session.delete(each.line)
        else:
            each.line.quantity -= each.units
    await session.flush()


async def find_open_payments(session: AsyncSession, order: Order) -> Sequence[Payment]:
    """Payments whose amounts may still change; PaymentUnderWay while the customer is paying one.

    An edit that waits for its payment is dropped before; what a replacement waits for stays.
    """
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, ~is_waited_for())
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    payments = rows.all()
    check_none_under_way(payments)
    return [payment for payment in payments if payment.status in OPEN]


async def reduce_payments(
    session: AsyncSession,
    order: Order,
    payments: Sequence[Payment],
    amount: int,
    *,
    key: str = "taken off",
    now: datetime,
) -> None:
    """Take an amount off open payments in proportion, and close those of which nothing is left.

    `key` says why, and is unique for a version of the order.
    """
    if not amount:
        return
    under_way = await sum_cash_under_way(session, order)
    cut_payments(payments, amount, cash_under_way=under_way, now=now)
    order.total_amount -= amount
    order.cancelled_amount += amount
    await write_posting(
        session,
        order_id=order.id,
        payment_id=None,
        kind=PostingKind.CREDITED,
        amount=order.money(amount),
        key=f"{key}:{order.number}:{order.version}",
        now=now,
    )


def cut_payments(payments: Sequence[Payment], amount: int, *, cash_under_way: int, now: datetime) -> None:
    """Take an amount off open payments in proportion; those of which nothing is left are closed.

    What is to be collected for parcels that have left stays.
    """
    shares = split_reduction(payments, amount, cash_under_way=cash_under_way)
    for payment, share in zip(payments, shares, strict=True):
        payment.amount -= share
        if not payment.amount:
            move(payment, PaymentStatus.CLOSED, PAYMENT_TRANSITIONS)
        elif payment.captured_amount == payment.amount:
            move(payment, PaymentStatus.CAPTURED, PAYMENT_TRANSITIONS)
            payment.captured_at = now
