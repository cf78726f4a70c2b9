"""Loading tickets of the past weeks that have ended: what the figures of the manager are about."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content, PastOrderContent, PastTicketContent
from demo.load.orders import (
    STEPS,
    deliver_parcels,
    dispatch_parcels,
    load_fixtures,
    pack_parcels,
    place_scenario_order,
)
from demo.load.scenario_run import Fixtures, ScenarioRun
from demo.load.scenarios import RECEIVED, OrderScenario
from domain.aftersales.assignment import assign_ticket
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.inspection import ReturnedUnits, inspect_return
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.question_opening import QuestionRequest, ask_question
from domain.aftersales.questions import close_question
from domain.aftersales.rating import ask_for_rating, rate_ticket
from domain.aftersales.requests import TicketRequest, TicketRequestChange, open_ticket, reapply_ticket
from domain.aftersales.return_waybill import OTHER_CARRIER, ReturnWaybill, ship_return
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.aftersales.settlement import follow_refunds, follow_replacement
from domain.cause import Cause
from domain.payment import settle_refund
from events.aftersales import deadlines_of, question_terms_of
from events.shop import Shop
from models import Account, Notice, NoticeKind, OrderLine, Refund, ReturnCondition, Role, TicketType

RATED = timedelta(hours=5)
"""How long after they were asked customers say how it went."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who of the staff answers and inspects."""

    agents: Mapping[str, int]
    """By e-mail address."""
    manager_id: int
    clerk_id: int


@dataclass(frozen=True, slots=True)
class PastTicket:
    """A ticket of the past; its steps happen when its content says."""

    run: ScenarioRun
    content: PastTicketContent
    desk: Desk
    id: int
    line_id: int
    """The line of the order it is about; 0 of a question about none."""
    opened_at: datetime

    @property
    def deadlines(self) -> Deadlines:
        return deadlines_of(self.run.shop.settings)

    @property
    def answered_at(self) -> datetime:
        return self.opened_at + timedelta(hours=self.content.answered_hours)

    @property
    def ended_at(self) -> datetime:
        return self.opened_at + timedelta(hours=self.content.ended_hours)

    def moment_at(self, part: float) -> datetime:
        """A moment between the answer and the end."""
        return self.answered_at + (self.ended_at - self.answered_at) * part

    def by_agent(self, moment: datetime) -> Cause:
        """Of what names nobody the manager answers in passing."""
        agent = self.content.agent
        return Cause(moment, self.desk.agents[agent] if agent else self.desk.manager_id)

    def by_customer(self, moment: datetime) -> Cause:
        return Cause(moment, self.run.buyer_id)


TicketStep = Callable[[AsyncSession, PastTicket], Awaitable[None]]


async def load_ticket_history(shop: Shop, content: Content) -> None:
    """Load the orders and tickets of the content, the first ones first; nobody is told of them any more."""
    fixtures = await load_fixtures(shop, content)
    async with shop.database.reads() as session:
        accounts = (await session.scalars(select(Account).where(Account.email.is_not(None)))).all()
    ids = {str(account.email): account.id for account in accounts}
    clerk_id = next(account.id for account in accounts if account.role is Role.WAREHOUSE)
    desk = Desk(ids, fixtures.manager_id, clerk_id)
    for place, order in enumerate(content.past_orders, start=1):
        run = await place_past_order(shop, order, fixtures, f"PAST{place:04}")
        for ticket in order.tickets:
            await load_past_ticket(run, ticket, desk)
    buyers = [customer.id for customer in fixtures.customers]
    is_past = (Notice.kind == NoticeKind.TICKET_RATING) & (Notice.created_at < shop.clock())
    async with shop.database.writes.begin() as session:
        await session.execute(delete(Notice).where(is_past, Notice.account_id.in_(buyers)))


async def place_past_order(
    shop: Shop, order: PastOrderContent, fixtures: Fixtures, number: str
) -> ScenarioRun:
    """An order of everything that is asked about, which was received on the same day."""
    emails = [each.email for each in fixtures.customers]
    lines = tuple((ticket.sku, 2) for ticket in order.tickets if ticket.sku)
    scenario = OrderScenario(emails.index(order.customer), lines, order.days_ago, RECEIVED)
    past = shop_at(shop, shop.clock() - timedelta(days=order.days_ago))
    placed = await place_scenario_order(past, scenario, fixtures, number)
    run = ScenarioRun(past, scenario, fixtures, placed.id, placed.account_id)
    for step in scenario.steps:
        await STEPS[step](run)
    return run


def shop_at(shop: Shop, moment: datetime) -> Shop:
    return replace(shop, clock=lambda: moment)


async def load_past_ticket(run: ScenarioRun, content: PastTicketContent, desk: Desk) -> None:
    async with run.shop.database.writes.begin() as session:
        ticket = await open_past_ticket(session, run, content, desk)
        await BEGINNINGS[content.type](session, ticket)
    if content.type is TicketType.RESHIP:
        await send_again(ticket)
    async with run.shop.database.writes.begin() as session:
        await ENDS[content.type](session, ticket)
        await rate_past_ticket(session, ticket)


async def open_past_ticket(
    session: AsyncSession, run: ScenarioRun, content: PastTicketContent, desk: Desk
) -> PastTicket:
    shop, moment = run.shop, run.shop.clock() + timedelta(days=content.opened_after_days)
    cause, deadlines = Cause(moment, run.buyer_id), deadlines_of(shop.settings)
    number, key = shop.secrets.new_number("T", moment), f"past {run.order_id} {content.opened_after_days}"
    if content.sku is None:
        request = QuestionRequest(run.buyer_id, content.description)
        terms = question_terms_of(shop.settings)
        asked = await ask_question(session, request, terms, deadlines, number=number, key=key, cause=cause)
        return PastTicket(run, content, desk, asked.id, 0, moment)
    variant_id = run.fixtures.variant_ids[content.sku]
    lines = select(OrderLine.id).where(OrderLine.order_id == run.order_id, OrderLine.variant_id == variant_id)
    line_id = (await session.scalars(lines)).one()
    units = () if content.type is TicketType.QUESTION else (ClaimedUnits(line_id, 1),)
    claim = TicketRequest(TicketClaim(content.type, content.reason, units), content.description)
    opened = await open_ticket(session, run.order_id, claim, deadlines, number=number, key=key, cause=cause)
    return PastTicket(run, content, desk, opened.id, line_id, moment)


async def answer_past_question(session: AsyncSession, past: PastTicket) -> None:
    """Answer it, and once more where the customer has asked again."""
    await take_past_ticket(session, past)
    messages = [(past.content.answer, past.by_agent(past.answered_at))]
    if past.content.follow_up:
        messages.append((past.content.follow_up, past.by_customer(past.moment_at(0.4))))
        messages.append((past.content.answer, past.by_agent(past.moment_at(0.6))))
    for text, cause in messages:
        await add_message(session, past.id, MessageDraft(text), past.deadlines, cause=cause)


async def agree_to_past_ticket(session: AsyncSession, past: PastTicket) -> None:
    """Agree at once, or after the customer has applied again."""
    await take_past_ticket(session, past)
    moment = past.answered_at
    if past.content.refused_first:
        reason, change = "照片上看不清楚，请补充清晰的照片。", TicketRequestChange(past.content.description)
        await refuse_ticket(session, past.id, past.deadlines, reason=reason, cause=past.by_agent(moment))
        again = past.by_customer(past.moment_at(0.3))
        await reapply_ticket(session, past.id, change, past.deadlines, cause=again)
        moment = past.moment_at(0.6)
    await agree_ticket(session, past.id, past.deadlines, cause=past.by_agent(moment))


async def take_past_ticket(session: AsyncSession, past: PastTicket) -> None:
    """Who answers has the ticket from then on; of what names nobody nobody has it."""
    if past.content.agent is not None:
        cause = past.by_agent(past.answered_at)
        await assign_ticket(session, past.id, cause.by, cause=cause)


async def close_past_question(session: AsyncSession, past: PastTicket) -> None:
    await close_question(session, past.id, past.deadlines, cause=past.by_customer(past.ended_at))


async def take_past_return(session: AsyncSession, past: PastTicket) -> None:
    """The customer sends it back, the warehouse finds it as new, and the money goes back."""
    waybill = ReturnWaybill(OTHER_CARRIER, f"YT{past.id:010}", "圆通速递")
    sent, received = past.by_customer(past.moment_at(0.2)), past.moment_at(0.9)
    await ship_return(session, past.id, waybill, past.deadlines, cause=sent)
    await inspect_return(
        session,
        past.id,
        [ReturnedUnits(past.line_id, ReturnCondition.AS_NEW, 1)],
        past.deadlines,
        part_number=past.run.shop.secrets.new_number("T", received),
        cause=Cause(received, past.desk.clerk_id),
    )
    await refund_past_ticket(session, past)


async def refund_past_ticket(session: AsyncSession, past: PastTicket) -> None:
    """The provider has paid the money back, and the ticket ends."""
    cause = Cause(past.ended_at)
    for refund in (await session.scalars(select(Refund).where(Refund.ticket_id == past.id))).all():
        await settle_refund(session, refund.id, provider_reference=f"R{refund.reference}", cause=cause)
    await follow_refunds(session, past.id, past.deadlines, cause=cause)


async def send_again(past: PastTicket) -> None:
    """The same is packed once more, and arrives."""
    for step, moment in (
        (pack_parcels, past.moment_at(0.2)),
        (dispatch_parcels, past.moment_at(0.3)),
        (deliver_parcels, past.ended_at),
    ):
        await step(replace(past.run, shop=shop_at(past.run.shop, moment)))


async def complete_past_ticket(session: AsyncSession, past: PastTicket) -> None:
    await follow_replacement(session, past.id, past.deadlines, cause=Cause(past.ended_at))


async def rate_past_ticket(session: AsyncSession, past: PastTicket) -> None:
    """The shop asks how it went, and most customers say so."""
    settings = past.run.shop.settings.deadlines
    asked_at = past.ended_at + settings.rating_asked_after
    await ask_for_rating(session, past.id, open_for=settings.rating_open_for, now=asked_at)
    if past.content.rating is not None:
        cause = past.by_customer(asked_at + RATED)
        rating, note = past.content.rating, past.content.note
        await rate_ticket(session, past.id, rating=rating, note=note, cause=cause)


BEGINNINGS: Mapping[TicketType, TicketStep] = {
    TicketType.QUESTION: answer_past_question,
    TicketType.REFUND_ONLY: agree_to_past_ticket,
    TicketType.RETURN_REFUND: agree_to_past_ticket,
    TicketType.RESHIP: agree_to_past_ticket,
}
"""What the shop does first."""

ENDS: Mapping[TicketType, TicketStep] = {
    TicketType.QUESTION: close_past_question,
    TicketType.REFUND_ONLY: refund_past_ticket,
    TicketType.RETURN_REFUND: take_past_return,
    TicketType.RESHIP: complete_past_ticket,
}
"""How tickets end."""
