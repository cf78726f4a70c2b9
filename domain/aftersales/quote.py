"""What a claim would bring the customer, shown before a ticket is opened."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import ClaimFacts, load_claim_facts
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.reasons import ClaimStage
from domain.aftersales.refund_amounts import (
    WithdrawnAmounts,
    cap_amounts,
    line_refunds,
    shipping_refund,
)
from domain.aftersales.rules import (
    ClaimCase,
    ClaimedUnits,
    NotEligible,
    TicketClaim,
    TicketObstacle,
    claim_deadline,
    find_obstacle,
)
from domain.aftersales.withdrawal import quote_withdrawal
from domain.money import apportion
from models import Money, Order, OrderLine, Payment


@dataclass(frozen=True, slots=True)
class TicketQuoteLine:
    """Units of an order line, and what they would bring back."""

    line: OrderLine
    quantity: int
    left: int
    refund: Money


@dataclass(frozen=True, slots=True)
class TicketQuoteRefund:
    """The part of a refund that would go back to one payment."""

    payment: Payment
    refund: Money


@dataclass(frozen=True, slots=True)
class TicketQuoteRefusal:
    """An obstacle as it is shown."""

    code: TicketObstacle
    message: str


@dataclass(frozen=True, slots=True)
class TicketQuote:
    """The answer to a claim: eligible with exact amounts, or not, and why."""

    order: Order
    claim: TicketClaim
    lines: tuple[TicketQuoteLine, ...]
    shipping: Money
    cancelled: Money
    """What is not due any more, since it was not paid yet."""
    refund: Money
    legs: tuple[TicketQuoteRefund, ...]
    deadline: datetime | None
    obstacle: NotEligible | None

    @property
    def eligible(self) -> bool:
        return self.obstacle is None

    @property
    def refusal(self) -> TicketQuoteRefusal | None:
        return TicketQuoteRefusal(self.obstacle.obstacle, str(self.obstacle)) if self.obstacle else None


async def quote_claim(
    session: AsyncSession,
    order: Order,
    claim: TicketClaim,
    deadlines: Deadlines,
    *,
    asked_at: datetime,
    ticket_id: int | None = None,
) -> TicketQuote:
    """What a claim would come to; `ticket_id` is the ticket that was opened with it before."""
    facts = await load_claim_facts(session, order, claim, ticket_id=ticket_id)
    obstacle = find_obstacle(facts.case, deadlines, asked_at=asked_at)
    amounts = await quote_amounts(session, facts.case, granted=obstacle is None)
    return TicketQuote(
        order=order,
        claim=claim,
        lines=tuple(
            quote_line(facts.case, claimed, amount)
            for claimed, amount in zip(claim.lines, amounts.lines, strict=True)
        ),
        shipping=order.money(amounts.shipping),
        cancelled=order.money(amounts.credited),
        refund=order.money(amounts.refund),
        legs=split_refund(facts, amounts.refund),
        deadline=claim_deadline(order, claim.reason, deadlines),
        obstacle=obstacle,
    )


async def quote_amounts(session: AsyncSession, case: ClaimCase, *, granted: bool) -> WithdrawnAmounts:
    """What the claim brings line by line, the shipping fee, and how much of it was not paid yet."""
    claim = case.claim
    if not (granted and claim.refunds):
        return WithdrawnAmounts([0] * len(claim.lines), 0, credited=0)
    if claim.stage is ClaimStage.WAITING:
        return await quote_withdrawal(session, case)
    fee = shipping_refund(case.order, claim, case.units)
    *lines, shipping = cap_amounts([*line_refunds(case), fee], case.refundable)
    return WithdrawnAmounts(lines, shipping, credited=0)


def quote_line(case: ClaimCase, claimed: ClaimedUnits, amount: int) -> TicketQuoteLine:
    return TicketQuoteLine(
        line=case.lines[claimed.order_line_id],
        quantity=claimed.quantity,
        left=case.units[claimed.order_line_id].left(case.claim.stage),
        refund=case.order.money(amount),
    )


def split_refund(facts: ClaimFacts, total: int) -> tuple[TicketQuoteRefund, ...]:
    """How a refund of `total` minor units would be split over the payments today."""
    if not total:
        return ()
    refundable = [payment.captured_amount - payment.refunded_amount for payment in facts.payments]
    shares = zip(facts.payments, apportion(total, refundable), strict=True)
    return tuple(
        TicketQuoteRefund(payment, facts.case.order.money(share)) for payment, share in shares if share
    )
