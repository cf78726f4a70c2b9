"""What rules decide about a ticket: the first that fits, within its daily limit, never against tracking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.agreement.versions import lock_rules
from domain.aftersales.reasons import ClaimStage, stage_of
from domain.aftersales.sent_units import load_sent_units, units_of_ticket
from domain.aftersales.settlement import quote_grant
from domain.aftersales.ticket import has_picture
from domain.aftersales.withdrawal import AlreadyPacked
from domain.aftersales.worth import sum_unit_costs
from domain.cause import Cause
from domain.payment.approval_limit import find_limit, unapproved_amount
from domain.payment.bonus import most_bonus
from models import (
    AgreementMoment,
    AgreementRule,
    AgreementStep,
    Order,
    OrderStatus,
    RuleDecision,
    RuleObstacle,
    Ticket,
    TicketType,
    select_rules_now,
)
from models.sql.together import read_each, read_nothing, read_together

CUSTOMER_PERIOD = timedelta(days=90)
"""For how long what a rule has decided for a customer counts for them."""

SENDS_GOODS = (TicketType.RESHIP, TicketType.EXCHANGE)
"""What these give is no refund."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which rule agrees, or else why none does."""

    rule: AgreementRule | None = None
    obstacle: RuleObstacle | None = None
    worth: int = 0
    """What the ticket is worth, in minor units; 0 where that was not asked."""


async def judge_ticket(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    moment: AgreementMoment,
    *,
    zone: tzinfo,
    cause: Cause,
) -> Judgement:
    """Which rule agrees to a locked ticket; nobody else decides by a rule before this transaction ends."""
    rules = await find_rules(session, ticket, moment)
    found = await weigh_ticket_worth(session, rules, ticket, order)
    if found.obstacle is not None:
        return found
    # Where nothing can be decided, nobody waits for others who decide.
    await lock_rules(session)
    rules = await find_rules(session, ticket, moment)
    return await choose_rule(session, rules, ticket, found.worth, zone=zone, cause=cause)


async def foresee_judgement(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    moment: AgreementMoment,
    *,
    zone: tzinfo,
    cause: Cause,
) -> Judgement:
    """Which rule would agree to a ticket if it were judged now; nothing is locked and nothing decided."""
    rules = await find_rules(session, ticket, moment)
    found = await weigh_ticket_worth(session, rules, ticket, order)
    if found.obstacle is not None:
        return found
    return await choose_rule(session, rules, ticket, found.worth, zone=zone, cause=cause)


async def weigh_ticket_worth(
    session: AsyncSession, rules: Sequence[AgreementRule], ticket: Ticket, order: Order
) -> Judgement:
    """What a ticket is worth, or what stands in the way of every rule."""
    if not rules:
        return Judgement(obstacle=RuleObstacle.NO_RULE)
    against_tracking, worth, sent, unapproved = await read_together(
        session,
        contradicts_tracking(session, ticket, order),
        sum_worth(session, ticket, order),
        sum_order_decisions(session, ticket, Ticket.type.in_(SENDS_GOODS)),
        unapproved_amount(session, order),
    )
    if against_tracking:
        return Judgement(obstacle=RuleObstacle.AGAINST_TRACKING)
    if worth + sent + unapproved > find_limit(session, order.currency):
        return Judgement(obstacle=RuleObstacle.SECOND_PERSON, worth=worth)
    return Judgement(worth=worth)


async def choose_rule(
    session: AsyncSession,
    rules: Sequence[AgreementRule],
    ticket: Ticket,
    worth: int,
    *,
    zone: tzinfo,
    cause: Cause,
) -> Judgement:
    """The first rule that agrees to a ticket of this worth, or the obstacle of the last one."""
    found = await read_each(
        session, [find_obstacle(session, rule, ticket, worth, zone=zone, cause=cause) for rule in rules]
    )
    agreeing = next((rule for rule, obstacle in zip(rules, found, strict=True) if obstacle is None), None)
    if agreeing is not None:
        return Judgement(agreeing, worth=worth)
    return Judgement(obstacle=found[-1] if found else RuleObstacle.NO_RULE, worth=worth)


async def find_rules(
    session: AsyncSession, ticket: Ticket, moment: AgreementMoment
) -> Sequence[AgreementRule]:
    """The rules that are about such a ticket, in the order of their codes.

    What was opened before a rule came is not agreed to at once when it comes.
    """
    rows = await session.scalars(select_rules_now().order_by(AgreementRule.code))
    return [
        rule
        for rule in rows
        if rule.active
        and rule.moment is moment
        and ticket.type.value in rule.types
        and ticket.reason.value in rule.reasons
        and (moment is AgreementMoment.SILENCE or rule.created_at <= ticket.opened_at)
    ]


async def find_obstacle(
    session: AsyncSession, rule: AgreementRule, ticket: Ticket, worth: int, *, zone: tzinfo, cause: Cause
) -> RuleObstacle | None:
    """Why a rule does not agree to a ticket that it is about; None where it does."""
    limit, most = rule.amounts.get(ticket.currency.value), rule.tickets_at_most
    # Who splits an order into several tickets gets no more than with one.
    given_before, pictured, received, decided, given = await read_together(
        session,
        sum_order_decisions(session, ticket, RuleDecision.code == rule.code)
        if limit is not None
        else read_nothing(0),
        has_picture(session, ticket) if rule.needs_picture else read_nothing(True),
        count_received_orders(session, ticket) if rule.orders_at_least else read_nothing(0),
        read_nothing(0) if most is None else count_customer_decisions(session, rule, ticket, cause),
        sum_given(session, rule.code, day_of(cause, zone), ticket),
    )
    if limit is not None and worth + given_before > limit:
        return RuleObstacle.TOO_MUCH
    if not pictured:
        return RuleObstacle.NO_PICTURE
    if received < rule.orders_at_least:
        return RuleObstacle.NEW_CUSTOMER
    if most is not None and decided >= most:
        return RuleObstacle.TOO_OFTEN
    within = worth + given.amount <= rule.daily_amounts.get(ticket.currency.value, -1)
    return None if within and given.tickets < rule.daily_tickets else RuleObstacle.DAILY_LIMIT


async def contradicts_tracking(session: AsyncSession, ticket: Ticket, order: Order) -> bool:
    """Whether something is claimed as not received of which tracking says that it was delivered."""
    if stage_of(ticket.type, ticket.reason) is not ClaimStage.SENT:
        return False
    sent = await load_sent_units(session, order)
    return any(each.arrived_at is not None for each, _ in units_of_ticket(sent, ticket.id))


async def sum_worth(session: AsyncSession, ticket: Ticket, order: Order) -> int:
    """What the units of a locked ticket cost, or its refund where that is more, and its bonus; minor units.

    The refund is the one that granting it would request now: it may have grown since the ticket was opened.
    """
    cost, refund = await read_together(
        session, sum_unit_costs(session, ticket), sum_granted(session, ticket, order)
    )
    worth = max(cost, ticket.refund_amount, refund)
    return worth + most_bonus(ticket, max(ticket.refund_amount, refund))


async def sum_granted(session: AsyncSession, ticket: Ticket, order: Order) -> int:
    """What granting a locked ticket would refund now, in minor units."""
    try:
        return await quote_grant(session, ticket, order)
    except AlreadyPacked:  # it will be refused
        return 0


async def sum_order_decisions(session: AsyncSession, ticket: Ticket, *conditions: ColumnElement[bool]) -> int:
    """What rules have given for the other tickets of a locked order, each counted once, in minor units."""
    each = (
        select(func.max(RuleDecision.amount).label("amount"))
        .join(Ticket, Ticket.id == RuleDecision.ticket_id)
        .where(Ticket.order_id == ticket.order_id, Ticket.id != ticket.id, *conditions)
        .group_by(Ticket.id)
        .subquery()
    )
    return int(await session.scalar(select(func.coalesce(func.sum(each.c.amount), 0))) or 0)


async def count_received_orders(session: AsyncSession, ticket: Ticket) -> int:
    """How many other orders the customer of a ticket has received and kept."""
    found = await session.scalar(
        select(func.count(Order.id)).where(
            Order.account_id == ticket.account_id,
            Order.status == OrderStatus.COMPLETED,
            Order.id != ticket.order_id,
        )
    )
    return found or 0


async def count_customer_decisions(
    session: AsyncSession, rule: AgreementRule, ticket: Ticket, cause: Cause
) -> int:
    """How many other tickets of the same customer a rule has agreed to lately."""
    found = await session.scalar(
        select(func.count(RuleDecision.ticket_id.distinct()))
        .join(Ticket, Ticket.id == RuleDecision.ticket_id)
        .where(
            Ticket.account_id == ticket.account_id,
            RuleDecision.ticket_id != ticket.id,
            RuleDecision.code == rule.code,
            RuleDecision.decided_at > cause.now - CUSTOMER_PERIOD,
        )
    )
    return found or 0


@dataclass(frozen=True, slots=True)
class GivenToday:
    """What a rule has decided in a day of the shop."""

    tickets: int
    amount: int
    """In minor units of one currency."""


async def sum_given(session: AsyncSession, code: str, day: date, ticket: Ticket) -> GivenToday:
    """What a rule has given in a day: decisions in all currencies, and the amount in that of the ticket."""
    same_currency = RuleDecision.currency == ticket.currency
    row = (
        await session.execute(
            select(func.count(), func.coalesce(func.sum(RuleDecision.amount).filter(same_currency), 0)).where(
                RuleDecision.code == code, RuleDecision.day == day
            )
        )
    ).one()
    return GivenToday(tickets=int(row[0]), amount=int(row[1]))


def save_decision(
    session: AsyncSession,
    ticket: Ticket,
    step: AgreementStep,
    judgement: Judgement,
    rule: AgreementRule,
    *,
    zone: tzinfo,
    cause: Cause,
) -> None:
    """Note which version of which rule has decided, and how much that counts."""
    session.add(
        RuleDecision(
            ticket_id=ticket.id,
            step=step,
            rule_id=rule.id,
            code=rule.code,
            day=day_of(cause, zone),
            currency=ticket.currency,
            amount=judgement.worth,
            daily_amount=rule.daily_amounts[ticket.currency.value],
            daily_tickets=rule.daily_tickets,
            decided_at=cause.now,
        )
    )


def day_of(cause: Cause, zone: tzinfo) -> date:
    """The day of the shop on which something happens."""
    return cause.now.astimezone(zone).date()
