"""What decides about a claim on an order, loaded in a constant number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.policies import OrderLineTerms, load_order_terms
from domain.aftersales.reasons import REASONS, ClaimStage, stage_of
from domain.aftersales.rules import (
    ClaimCase,
    LineUnits,
    TicketClaim,
    find_line_obstacle,
    find_type_obstacle,
)
from domain.aftersales.sent_units import SentUnits, load_sent_units, reduction_of, units_of_ticket
from domain.aftersales.states import DECLINED, REFUND_TYPES, SETTLED, UNPROMISED, UNSETTLED
from domain.aftersales.substitute import (
    SubstituteFacts,
    SubstituteVariant,
    load_kept_substitutes,
    load_sold_variants,
)
from domain.errors import DomainError, ErrorCode, Invalid, NotFound, collect_refusals
from domain.ledger import is_waited_for
from domain.order.cash import sum_cash_under_way
from domain.payment.states import OPEN
from domain.stock import levels_by_variant
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Payment,
    Ticket,
    TicketLine,
    TicketType,
)
from models.sql.together import read_together

FoundByLine = defaultdict[int, list[DomainError]]
"""Refusals by the index of the line they are about."""


class NothingClaimed(DomainError):
    code = ErrorCode.EMPTY

    def __init__(self) -> None:
        super().__init__("Name at least one line of the order.", field=("lines",))


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A case, and the payments its money would go back to."""

    case: ClaimCase
    payments: Sequence[Payment]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All of an order that decides about any claim on it."""

    order: Order
    lines: Mapping[int, OrderLine]
    units: Mapping[int, LineUnits]
    terms: OrderLineTerms
    payments: Sequence[Payment]
    """Those by which anything came in."""
    promised: int
    """What other tickets bring back that are not settled yet, in minor units."""
    unpaid: int
    """What is still to be paid, and not under way, in minor units."""

    def decide(self, claim: TicketClaim, substitutes: SubstituteFacts) -> ClaimFacts:
        """What decides about one claim. Raises NothingClaimed, NotFound or Invalid for a malformed one."""
        malformed = find_malformed_lines(claim, self.lines)
        refuse_unknown_parcels(claim, self.units, malformed)
        terms = self.terms.of_reason(claim.reason)
        case = ClaimCase(
            order=self.order,
            claim=claim,
            lines=self.lines,
            units=self.units,
            days={
                claimed.order_line_id: terms[claimed.order_line_id].days
                for claimed in claim.lines
                if claimed.order_line_id in terms
            },
            needs_picture=any(
                terms[claimed.order_line_id].needs_picture
                for claimed in claim.lines
                if claimed.order_line_id in terms
            ),
            refused=frozenset(
                claimed.order_line_id
                for claimed in claim.lines
                if claimed.order_line_id in terms and terms[claimed.order_line_id].refused
            ),
            captured=sum(payment.captured_amount for payment in self.payments),
            refundable=max(0, refundable_amount(self.payments) - self.promised),
            unpaid=self.unpaid,
            substitutes=find_substitutes(claim, self.lines, substitutes, malformed),
            available=substitutes.available,
        )
        refuse_malformed(case, malformed)
        return ClaimFacts(case, self.payments)


async def load_claim_facts(
    session: AsyncSession,
    order: Order,
    claim: TicketClaim,
    *,
    ticket_id: int | None = None,
    asked_at: datetime | None = None,
    kept: Mapping[int, SubstituteVariant] | None = None,
) -> ClaimFacts:
    """All that decides about a claim; `ticket_id` is the ticket it was made with, which does not count
    against itself, and `asked_at` when it was made: the terms of that moment are those that count. The prices
    of what is wanted instead are those it has kept, or else `kept`.

    Raises NothingClaimed, NotFound or Invalid for a claim whose lines are malformed.
    """
    facts = await load_order_facts(session, order, ticket_id=ticket_id, asked_at=asked_at)
    return facts.decide(claim, await load_substitutes(session, claim, facts, ticket_id=ticket_id, kept=kept))


async def load_order_facts(
    session: AsyncSession, order: Order, *, ticket_id: int | None = None, asked_at: datetime | None = None
) -> OrderFacts:
    """All that decides about claims on an order, as `load_claim_facts` has it."""
    (lines, waiting, sent, claims), (payments, under_way, terms) = await read_together(
        session,
        read_together(
            session,
            load_order_lines(session, order),
            count_waiting(session, order),
            load_sent_units(session, order, without_ticket_id=ticket_id),
            load_other_claims(session, order, ticket_id=ticket_id),
        ),
        read_together(
            session,
            load_payments(session, order),
            sum_cash_under_way(session, order),
            load_order_terms(session, order, at=asked_at),
        ),
    )
    units = {
        line.id: LineUnits(bought=line.quantity - line.cancelled, waiting=waiting.get(line.id, 0))
        for line in lines.values()
    }
    for each in sent:
        units[each.order_line_id].sent.append(each)
    return OrderFacts(
        order=order,
        lines=lines,
        units=units,
        terms=terms,
        payments=[payment for payment in payments if payment.captured_amount],
        promised=count_other_claims(claims, units, sent),
        unpaid=sum_unpaid(payments) - under_way,
    )


async def load_substitutes(
    session: AsyncSession,
    claim: TicketClaim,
    facts: OrderFacts,
    *,
    ticket_id: int | None,
    kept: Mapping[int, SubstituteVariant] | None,
) -> SubstituteFacts:
    """What decides about what a claim names instead; nothing is read where it names nothing."""
    claimed = [each for each in claim.lines if each.order_line_id in facts.lines]
    asked = {each.variant_id for each in claimed if each.variant_id is not None}
    if not asked:
        return SubstituteFacts()
    ordered = {facts.lines[each.order_line_id].variant_id for each in claimed}
    variants = await load_sold_variants(session, facts.order, asked | ordered)
    counted = {id for id in asked & variants.keys() if variants[id].can_sell_out}
    levels = await levels_by_variant(session, counted, active=True) if counted else {}
    available = {id: sum(level.available for level in levels.get(id, ())) for id in counted}
    if kept is None:
        kept = await load_kept_substitutes(session, [ticket_id] if ticket_id is not None else [])
    return SubstituteFacts(variants, available, kept)


def find_substitutes(
    claim: TicketClaim, lines: Mapping[int, OrderLine], facts: SubstituteFacts, malformed: FoundByLine
) -> Mapping[int, SubstituteVariant]:
    """What is wanted in place of claimed units, by order line; refusals are noted by the index of theirs."""
    substitutes: dict[int, SubstituteVariant] = {}
    for index, each in enumerate(claim.lines):
        line, path = lines.get(each.order_line_id), ("lines", index, "variant_id")
        if each.variant_id is None or line is None:
            continue
        try:
            if claim.type is not TicketType.EXCHANGE:
                raise Invalid("Name another variant only for an exchange.", field=path)
            substitutes[line.id] = facts.price(each.variant_id, line, field=path)
        except DomainError as refusal:
            malformed[index].append(refusal)
    return substitutes


def find_malformed_lines(claim: TicketClaim, lines: Mapping[int, OrderLine]) -> FoundByLine:
    """What is wrong with the lines of a claim, whatever became of their units, by their index."""
    if not claim.lines:
        raise NothingClaimed
    found = FoundByLine(list)
    seen = set()
    for index, claimed in enumerate(claim.lines):
        path = ("lines", index, "order_line_id")
        if claimed.order_line_id not in lines:
            found[index].append(NotFound("order line", field=path))
        elif claimed.order_line_id in seen:
            found[index].append(Invalid("Name each line once.", field=path))
        if claimed.quantity < 1:
            found[index].append(Invalid("A quantity is at least 1.", field=("lines", index, "quantity")))
        seen.add(claimed.order_line_id)
    return found


def refuse_unknown_parcels(
    claim: TicketClaim, units: Mapping[int, LineUnits], malformed: FoundByLine
) -> None:
    """Note a parcel in which none of the units was sent; one of another order is as unknown."""
    for index, claimed in enumerate(claim.lines):
        line = units.get(claimed.order_line_id)
        parcels = {each.shipment.id for each in line.sent} if line else set()
        if claimed.shipment_id is not None and claimed.shipment_id not in parcels:
            malformed[index].append(NotFound("shipment", field=("lines", index, "shipment_id")))


def refuse_malformed(case: ClaimCase, malformed: FoundByLine) -> None:
    """Raise what is wrong with malformed lines, if any are, with what stands in the way of the others."""
    if not any(malformed.values()):
        return
    with collect_refusals() as check:
        if obstacle := find_type_obstacle(case.claim):
            check.add(obstacle)
        for index, claimed in enumerate(case.claim.lines):
            check.add(*malformed.get(index, ()))
            if not malformed.get(index) and obstacle is None:
                check.add(*filter(None, [find_line_obstacle(case, claimed, ("lines", index, "quantity"))]))


async def load_order_lines(session: AsyncSession, order: Order) -> dict[int, OrderLine]:
    """The lines of a locked order, by id, read anew even where the session knows them already."""
    rows = await session.scalars(
        select(OrderLine)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
        .execution_options(populate_existing=True)
    )
    return {line.id: line for line in rows}


async def load_payments(session: AsyncSession, order: Order) -> Sequence[Payment]:
    """The payments of an order, without those that an edit or a replacement waits for."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, ~is_waited_for())
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    return rows.all()


def sum_unpaid(payments: Sequence[Payment]) -> int:
    """What is still to be paid, cash for parcels that have left included, in minor units."""
    return sum(payment.amount - payment.captured_amount for payment in payments if payment.status in OPEN)


def refundable_amount(payments: Sequence[Payment]) -> int:
    """What was captured and neither went back nor is on its way, in minor units."""
    return sum(payment.refundable_amount for payment in payments)


async def count_waiting(session: AsyncSession, order: Order) -> Mapping[int, int]:
    """How many units of each line are not packed yet."""
    rows = await session.execute(
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity - DeliveryLine.packed))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == order.id, Delivery.ticket_id.is_(None))
        .group_by(DeliveryLine.order_line_id)
    )
    return {line_id: int(waiting) for line_id, waiting in rows}


async def load_other_claims(
    session: AsyncSession, order: Order, *, ticket_id: int | None
) -> Sequence[tuple[Ticket, TicketLine]]:
    """What other tickets than `ticket_id` claim, without those that were declined."""
    statement = (
        select(Ticket, TicketLine)
        .join(TicketLine, TicketLine.ticket_id == Ticket.id)
        .where(Ticket.order_id == order.id, Ticket.status.not_in(DECLINED))
        .execution_options(populate_existing=True)
    )
    if ticket_id is not None:
        statement = statement.where(Ticket.id != ticket_id)
    return [(ticket, line) for ticket, line in await session.execute(statement)]


def count_other_claims(
    claims: Sequence[tuple[Ticket, TicketLine]], units: Mapping[int, LineUnits], sent: Sequence[SentUnits]
) -> int:
    """Count what other tickets claim; returns the money promised to those not settled yet, in minor units."""
    promised = {}
    for ticket, line in claims:
        # What a withdrawal has cancelled is not of the units bought any more.
        if not line.cancelled:
            of_line = [each for each in sent if each.order_line_id == line.order_line_id]
            count_claimed(units[line.order_line_id], ticket, line, of_line)
        if ticket.status in UNSETTLED - UNPROMISED:
            promised[ticket.id] = ticket.refund_amount
    return sum(promised.values())


def count_claimed(units: LineUnits, ticket: Ticket, line: TicketLine, sent: Sequence[SentUnits]) -> None:
    """Count what a ticket claims of an order line, of which `sent` has left."""
    if stage_of(ticket.type, ticket.reason) is ClaimStage.WAITING:
        units.withdrawn += line.quantity
        if ticket.status in UNSETTLED:
            units.withdrawing += line.quantity
    if ticket.type in REFUND_TYPES:
        refunded, amount = line.quantity, line.refund_amount
        amount += reduction_of(units_of_ticket(sent, ticket.id), refunded)
    else:
        refunded, amount = line.refunded_in_place, line.amount_in_place
    units.refunded += refunded
    units.refunded_amount += amount
    if ticket.status in SETTLED and REASONS[ticket.reason].fault:
        units.refunded_for_fault += refunded
