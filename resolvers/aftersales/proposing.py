"""What helps an agent to answer: a proposed answer, and what the rules would decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import strawberry

from domain.aftersales.agreement import foresee_judgement
from domain.aftersales.proposed_answer import ProposedAnswer, choose_article, propose_answer
from domain.aftersales.ticket import order_id_of
from domain.cause import Cause
from domain.errors import NotFound
from models import (
    AgreementMoment,
    AgreementRule,
    Money,
    Order,
    RuleObstacle,
    Ticket,
    TicketStatus,
    TicketType,
)
from resolvers.aftersales.claim_questions import question_of, reasons_of
from resolvers.aftersales.queries import find_ticket
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.knowledge import suggest_articles

PROPOSED_FROM = 3
"""Articles, the best ones, of which the first that is about what the ticket says is quoted."""

AWAITING_SHOP = frozenset({TicketStatus.APPLIED, TicketStatus.RETURN_SHIPPED})
"""Where a rule decides when nobody does in time."""


@dataclass(frozen=True, slots=True)
class RuleForecast:
    """What the rules would decide about a ticket if nobody did."""

    at: datetime | None
    rule: AgreementRule | None
    obstacle: RuleObstacle | None
    worth: Money | None


async def proposed_answers(tickets: Sequence[Ticket], info: Info) -> Sequence[ProposedAnswer | None]:
    """An answer drawn from the article that fits best, in the language of the ticket where there is one, with
    the dates and amounts of its order, if it is about one; null where no article is about what the ticket
    says and why it was opened, and for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [None] * len(tickets)
    load, zone = info.context.load, info.context.shop.settings.locale.zone
    questions = [question_of(ticket) for ticket in tickets]
    found = await suggest_articles(info, questions, first=PROPOSED_FROM, public=True)
    orders = await load_orders_of(info, tickets)
    customers = await load.account.load_many([ticket.account_id for ticket in tickets])
    answers: list[ProposedAnswer | None] = []
    for ticket, question, articles, customer in zip(tickets, questions, found, customers, strict=True):
        best = choose_article(articles, question.text, reasons_of(ticket))
        if best is None or customer is None:
            answers.append(None)
            continue
        order = None if ticket.order_id is None else orders[ticket.order_id]
        answers.append(propose_answer(best, ticket, order, customer, question.reason, zone=zone))
    return answers


async def load_orders_of(info: Info, tickets: Sequence[Ticket]) -> Mapping[int, Order | None]:
    """The orders that tickets are about, by their ids."""
    ids = list({ticket.order_id for ticket in tickets if ticket.order_id is not None})
    return dict(zip(ids, await info.context.load.order.load_many(ids), strict=True))


async def ticket_rule_forecast(info: Info, id: strawberry.ID) -> RuleForecast | None:
    """What the rules would decide about a ticket, and why, if it fell due now; nothing is decided. Null where
    no rule decides: of questions, of what is sent in for a repair, and while the shop is not waited for.

    id: the ticket
    """
    try:
        ticket = await find_ticket(info, row_id(id, "Ticket"))
    except NotFound:
        return None
    if ticket is None or ticket.type is TicketType.QUESTION or ticket.status not in AWAITING_SHOP:
        return None
    if ticket.type is TicketType.REPAIR and ticket.status is TicketStatus.RETURN_SHIPPED:
        return None  # somebody looks at what is to be repaired
    order = await info.context.load.order.load(order_id_of(ticket))
    if order is None:
        return None
    context = info.context
    found = await foresee_judgement(
        context.load.combine_statements().session,
        ticket,
        order,
        AgreementMoment.SILENCE,
        zone=context.shop.settings.locale.zone,
        cause=Cause(context.now),
    )
    worth = ticket.money(found.worth) if found.worth else None
    return RuleForecast(ticket.due_at, found.rule, found.obstacle, worth)
