"""What a claim would bring the customer, shown before a ticket is opened."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import ClaimFacts, OrderFacts, load_claim_facts, load_order_facts
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.reasons import REASONS, ClaimStage
from domain.aftersales.refund_amounts import WithdrawnAmounts, cap_amounts, line_refund, shipping_refund
from domain.aftersales.rules import (
    ClaimCase,
    ClaimedUnits,
    NotEligible,
    TicketClaim,
    TicketObstacle,
    find_order_obstacle,
    find_reason_obstacles,
    find_return_obstacle,
    find_substitute_obstacle,
    find_type_obstacle,
    find_units_obstacles,
)
from domain.aftersales.sent_units import PickedUnits, cash_due_of, reduction_of
from domain.aftersales.substitute import SubstituteFacts, SubstituteVariant
from domain.aftersales.windows import ClaimWindow, find_time_obstacle, window_of
from domain.aftersales.withdrawal import SendingPlan, load_sending_plan, quote_planned
from domain.errors import Invalid
from domain.money import apportion
from domain.payment.bonus import earns_bonus
from models import Money, Order, OrderLine, Payment, TicketReason, TicketType
from text.messages import Message


@dataclass(frozen=True, slots=True)
class TicketQuoteLine:
    """Units of an order line, and what they would bring back."""

    line: OrderLine
    quantity: int
    left: int
    refund: Money
    deadline: datetime | None
    picked: tuple[PickedUnits, ...]
    """The units by the parcel they were sent in; none while they have not left."""
    surcharge: Money
    """What is paid before what is wanted instead is sent."""
    substitute: SubstituteVariant | None = None


@dataclass(frozen=True, slots=True)
class TicketQuoteRefund:
    """The part of a refund that would go back to one payment."""

    payment: Payment
    refund: Money


@dataclass(frozen=True, slots=True)
class TicketQuoteRefusal:
    """An obstacle as it is shown."""

    code: TicketObstacle
    message: Message


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
    surcharge: Money
    """What is paid for dearer goods before they are sent."""
    legs: tuple[TicketQuoteRefund, ...]
    opens_at: datetime | None
    needs_picture: bool
    """Whether the customer attaches a picture that shows it."""
    obstacles: tuple[NotEligible, ...]
    """Why it cannot be granted; of several lines each has its own."""

    @property
    def earning_amount(self) -> int:
        """What of the refund earns a bonus where it goes into store credit, in minor units.

        What was not sent yet earns none: who orders and cancels would be paid for nothing.
        """
        if self.claim.stage is ClaimStage.WAITING:
            return 0
        return sum(leg.refund.minor for leg in self.legs if earns_bonus(leg.payment))

    @property
    def obstacle(self) -> NotEligible | None:
        """The first reason to refuse it."""
        return self.obstacles[0] if self.obstacles else None

    @property
    def type(self) -> TicketType:
        return self.claim.type

    @property
    def reason(self) -> TicketReason:
        return self.claim.reason

    @property
    def deadline(self) -> datetime | None:
        return min((line.deadline for line in self.lines if line.deadline), default=None)

    @property
    def eligible(self) -> bool:
        return self.obstacle is None

    @property
    def refusal(self) -> TicketQuoteRefusal | None:
        return TicketQuoteRefusal(self.obstacle.obstacle, self.obstacle.message) if self.obstacle else None


async def quote_claim(
    session: AsyncSession,
    order: Order,
    claim: TicketClaim,
    deadlines: Deadlines,
    *,
    asked_at: datetime,
    ticket_id: int | None = None,
    kept: Mapping[int, SubstituteVariant] | None = None,
) -> TicketQuote:
    """What a claim would come to; `ticket_id` is the ticket that was opened with it before.

    What is wanted instead costs what that ticket has kept, or what `kept` says where it is another's.
    """
    if claim.type is TicketType.QUESTION:
        return quote_question(order, claim)
    facts = await load_claim_facts(session, order, claim, ticket_id=ticket_id, asked_at=asked_at, kept=kept)
    plan = await load_sending_plan(session, order) if claim.stage is ClaimStage.WAITING else None
    return quote_facts(facts, plan, deadlines, asked_at=asked_at)


async def quote_order(
    session: AsyncSession,
    order: Order,
    deadlines: Deadlines,
    *,
    types: Collection[TicketType] = frozenset(TicketType),
    asked_at: datetime,
) -> list[TicketQuote]:
    """What each line of an order would come to by itself, for each type and reason that goes with it.

    Each is about as many units as can be asked for now, or about one where none can; the number of
    statements does not depend on lines and types.
    """
    facts = await load_order_facts(session, order, asked_at=asked_at)
    plan = await load_sending_plan(session, order)
    return quote_lines(facts, plan, deadlines, types=types, asked_at=asked_at)


def quote_lines(
    facts: OrderFacts,
    plan: SendingPlan,
    deadlines: Deadlines,
    *,
    types: Collection[TicketType] = frozenset(TicketType),
    asked_at: datetime,
) -> list[TicketQuote]:
    """The same, of what is known of an order; a line takes as long however many others there are."""
    claims = [
        facts.decide(TicketClaim(type, reason, (ClaimedUnits(line_id, 1),)), SubstituteFacts())
        for line_id in facts.lines
        for reason, rules in REASONS.items()
        for type in TicketType
        if type in rules.types & set(types) - {TicketType.QUESTION}
    ]
    quotes = []
    for one in claims:
        [claimed] = one.case.claim.lines
        quantity = count_claimable(one.case, claimed, deadlines, asked_at=asked_at)
        claim = replace(one.case.claim, lines=(replace(claimed, quantity=quantity),))
        most = replace(one, case=replace(one.case, claim=claim))
        quotes.append(quote_facts(most, plan, deadlines, asked_at=asked_at))
    return quotes


def count_claimable(
    case: ClaimCase, claimed: ClaimedUnits, deadlines: Deadlines, *, asked_at: datetime
) -> int:
    """As many units of a line as can be claimed now, of those that were paid where some were; at least 1."""
    left = case.left_of(claimed)
    if case.claim.stage is not ClaimStage.WAITING:
        left = window_of(case, claimed, deadlines, asked_at=asked_at).left
    return min(left, case.paid_of(claimed)) or left or 1


def quote_facts(
    facts: ClaimFacts, plan: SendingPlan | None, deadlines: Deadlines, *, asked_at: datetime
) -> TicketQuote:
    """What a claim comes to; `plan` is needed for units that wait."""
    case, claim, order = facts.case, facts.case.claim, facts.case.order
    obstacles = find_obstacles(case, deadlines, asked_at=asked_at)
    windows = [window_of(case, claimed, deadlines, asked_at=asked_at) for claimed in claim.lines]
    amounts = quote_amounts(case, windows, plan, granted=not obstacles)
    differences = [] if obstacles else quote_differences(case, windows)
    surcharges = [-sum(min(0, each) for each in line) for line in differences] or [0] * len(claim.lines)
    openings = [window.opens_at(line.quantity) for window, line in zip(windows, claim.lines, strict=True)]
    return TicketQuote(
        order=order,
        claim=claim,
        lines=tuple(
            quote_line(case, claimed, window, amount, surcharge)
            for claimed, window, amount, surcharge in zip(
                claim.lines, windows, amounts.lines, surcharges, strict=True
            )
        ),
        shipping=order.money(amounts.shipping),
        cancelled=order.money(amounts.credited),
        refund=order.money(amounts.refund),
        surcharge=order.money(sum(surcharges)),
        legs=split_refund(facts, amounts.refund),
        opens_at=max((opens_at for opens_at in openings if opens_at), default=None),
        needs_picture=case.needs_picture,
        obstacles=obstacles,
    )


def quote_question(order: Order, claim: TicketClaim) -> TicketQuote:
    """A question can be asked about any order at any time, and brings nothing but an answer."""
    if claim.lines:
        raise Invalid("A question names no lines of the order.", field=("lines",))
    obstacle, nothing = find_type_obstacle(claim), order.money(0)
    return TicketQuote(
        order=order,
        claim=claim,
        lines=(),
        shipping=nothing,
        cancelled=nothing,
        refund=nothing,
        surcharge=nothing,
        legs=(),
        opens_at=None,
        needs_picture=False,
        obstacles=(obstacle,) if obstacle else (),
    )


def quote_amounts(
    case: ClaimCase, windows: Sequence[ClaimWindow], plan: SendingPlan | None, *, granted: bool
) -> WithdrawnAmounts:
    """What the claim brings line by line, the shipping fee, and how much of it was not paid yet."""
    claim = case.claim
    if not granted:
        return WithdrawnAmounts([0] * len(claim.lines), 0, credited=0)
    if not claim.refunds:
        reductions = [sum(max(0, each) for each in line) for line in quote_differences(case, windows)]
        return WithdrawnAmounts(cap_amounts(reductions, case.refundable), 0, credited=0)
    if claim.stage is ClaimStage.WAITING and plan is not None:
        return quote_planned(plan, case)
    amounts = [
        unit_refund(case, claimed, window.pick(claimed.quantity))
        for claimed, window in zip(claim.lines, windows, strict=True)
    ]
    fee = shipping_refund(case.order, claim, case.units)
    *lines, shipping = cap_amounts([*amounts, fee], case.refundable)
    return WithdrawnAmounts(lines, shipping, credited=0)


def find_obstacles(case: ClaimCase, deadlines: Deadlines, *, asked_at: datetime) -> tuple[NotEligible, ...]:
    """The reasons to refuse a claim; none when it can be granted. What follows from one is not looked for."""
    obstacle = find_type_obstacle(case.claim) or find_order_obstacle(case) or find_return_obstacle(case)
    if obstacle is not None:
        return (obstacle,)
    if of_reason := find_reason_obstacles(case):
        return tuple(of_reason)
    if of_units := find_units_obstacles(case):
        return tuple(of_units)
    last = find_time_obstacle(case, deadlines, asked_at=asked_at)
    if last is None and case.claim.type is TicketType.EXCHANGE:
        windows = [window_of(case, claimed, deadlines, asked_at=asked_at) for claimed in case.claim.lines]
        picked = [
            window.pick(claimed.quantity) for window, claimed in zip(windows, case.claim.lines, strict=True)
        ]
        last = find_substitute_obstacle(case, picked)
    return () if last is None else (last,)


def unit_refund(case: ClaimCase, claimed: ClaimedUnits, picked: Sequence[PickedUnits]) -> int:
    """What claimed units bring back: what was paid, less what a cheaper replacement has brought back."""
    line, units = case.lines[claimed.order_line_id], case.units[claimed.order_line_id]
    unpaid = cash_due_of(picked)
    return max(0, line_refund(line, units, claimed.quantity) - reduction_of(picked) - unpaid)


def quote_differences(case: ClaimCase, windows: Sequence[ClaimWindow]) -> list[list[int]]:
    """For each claimed line what is wanted instead costs less than each of its units; negative: more."""
    return [
        [
            units * (substitute.reduction_amount - each.delivery_line.reduction_amount)
            for each, units in window.pick(claimed.quantity)
            if substitute.variant_id != each.variant_id
        ]
        if (substitute := case.substitutes.get(claimed.order_line_id))
        else []
        for claimed, window in zip(case.claim.lines, windows, strict=True)
    ]


def quote_line(
    case: ClaimCase, claimed: ClaimedUnits, window: ClaimWindow, amount: int, surcharge: int
) -> TicketQuoteLine:
    sent = case.claim.stage is not ClaimStage.WAITING
    return TicketQuoteLine(
        line=case.lines[claimed.order_line_id],
        quantity=claimed.quantity,
        left=window.left if sent else case.left_of(claimed),
        refund=case.order.money(amount),
        deadline=window.closes_at(claimed.quantity) if sent else None,
        picked=tuple(window.pick(claimed.quantity)) if sent else (),
        surcharge=case.order.money(surcharge),
        substitute=case.substitutes.get(claimed.order_line_id),
    )


def split_refund(facts: ClaimFacts, total: int) -> tuple[TicketQuoteRefund, ...]:
    """How a refund of `total` minor units would be split over the payments today."""
    if not total:
        return ()
    refundable = [payment.refundable_amount for payment in facts.payments]
    shares = zip(facts.payments, apportion(total, refundable), strict=True)
    return tuple(
        TicketQuoteRefund(payment, facts.case.order.money(share)) for payment, share in shares if share
    )
