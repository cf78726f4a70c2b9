"""What a customer would get, shown before they ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.facts import Facts, facts_of
from domain.aftersales.rules import Case, Claim, NotEligible, TicketObstacle, Wanted, deadline, obstacle
from domain.aftersales.states import Deadlines
from domain.aftersales.sums import line_refund, shipping_refund
from domain.money import apportion
from models import Money, Order, OrderLine, Payment


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """Units of an order line, and what they would bring back."""

    line: OrderLine
    quantity: int
    left: int
    refund: Money


@dataclass(frozen=True, slots=True)
class QuotedLeg:
    """What would go back over one payment's own road."""

    payment: Payment
    refund: Money


@dataclass(frozen=True, slots=True)
class Refusal:
    """An obstacle as it is shown."""

    code: TicketObstacle
    message: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer to a claim: granted in principle with exact sums, or not, and why."""

    order: Order
    claim: Claim
    lines: tuple[QuotedLine, ...]
    shipping: Money
    refund: Money
    legs: tuple[QuotedLeg, ...]
    deadline: datetime | None
    obstacle: NotEligible | None

    @property
    def eligible(self) -> bool:
        return self.obstacle is None

    @property
    def refusal(self) -> Refusal | None:
        return Refusal(self.obstacle.obstacle, str(self.obstacle)) if self.obstacle else None


async def quote_claim(
    session: AsyncSession,
    order: Order,
    claim: Claim,
    deadlines: Deadlines,
    *,
    asked_at: datetime,
    own: int | None = None,
) -> Quote:
    """What a claim would come to; `own` is the ticket that was opened with it before."""
    facts = await facts_of(session, order, claim, own=own)
    hindrance = obstacle(facts.case, deadlines, asked_at=asked_at)
    amounts = refunds(facts.case) if claim.refunds and hindrance is None else [0] * len(claim.lines)
    fee = shipping_refund(order, claim, facts.case.units) if hindrance is None else 0
    *goods, shipping = capped([*amounts, fee], facts.case.refundable)
    total = sum(goods) + shipping
    return Quote(
        order=order,
        claim=claim,
        lines=tuple(
            quoted(facts.case, wanted, amount) for wanted, amount in zip(claim.lines, goods, strict=True)
        ),
        shipping=order.money(shipping),
        refund=order.money(total),
        legs=legs(facts, total),
        deadline=deadline(order, claim.reason, deadlines),
        obstacle=hindrance,
    )


def refunds(case: Case) -> list[int]:
    return [
        line_refund(case.lines[wanted.line_id], case.units[wanted.line_id], wanted.quantity)
        for wanted in case.claim.lines
    ]


def capped(amounts: Sequence[int], limit: int) -> Sequence[int]:
    """The amounts, or their shares of what there is when that is less."""
    return amounts if sum(amounts) <= limit else apportion(limit, amounts)


def quoted(case: Case, wanted: Wanted, amount: int) -> QuotedLine:
    return QuotedLine(
        line=case.lines[wanted.line_id],
        quantity=wanted.quantity,
        left=case.units[wanted.line_id].left(case.claim.stage),
        refund=case.order.money(amount),
    )


def legs(facts: Facts, total: int) -> tuple[QuotedLeg, ...]:
    """As a refund would be split over the payments today."""
    if not total:
        return ()
    rooms = [payment.captured_amount - payment.refunded_amount for payment in facts.payments]
    shares = zip(facts.payments, apportion(total, rooms), strict=True)
    return tuple(QuotedLeg(payment, facts.case.order.money(share)) for payment, share in shares if share)
