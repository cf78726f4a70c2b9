"""The steps of a scenario that concern its after-sales ticket."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from sqlalchemy import select

from demo.load.scenario_run import ScenarioRun
from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.requests import TicketRequest, cancel_ticket, open_ticket
from domain.aftersales.return_waybill import ReturnWaybill, ship_return
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.cause import Cause
from events.aftersales import deadlines_of
from events.shop import Shop
from models import SIMULATED_CARRIER, Order, OrderLine, Ticket, TicketStatus, TicketType

OPENED = timedelta(hours=20)
"""Age of a ticket: less than the time the shop has to answer."""
ANSWERED = timedelta(hours=2)
"""Age of the answer to a ticket."""


async def open_scenario_ticket(run: ScenarioRun) -> None:
    ticket = run.scenario.ticket
    if ticket is None:
        raise LookupError("this scenario has no ticket")
    shop = run.shop_now(ago=OPENED)
    async with shop.database.writes.begin() as session:
        order = await session.get_one(Order, run.order_id)
        line_id = await session.scalar(select(OrderLine.id).where(OrderLine.order_id == order.id))
        units = () if ticket.type is TicketType.QUESTION else (ClaimedUnits(line_id or 0, 1),)
        claim = TicketClaim(ticket.type, ticket.reason, units)
        await open_ticket(
            session,
            order.id,
            TicketRequest(claim, ticket.description),
            deadlines_of(shop.settings),
            number=shop.secrets.new_number("T", shop.clock()),
            key=order.number,
            cause=Cause(shop.clock(), run.buyer_id),
        )


async def load_ticket(run: ScenarioRun) -> Ticket:
    async with run.shop.database.reads() as session:
        return (await session.scalars(select(Ticket).where(Ticket.order_id == run.order_id))).one()


def shop_when_answered(run: ScenarioRun) -> Shop:
    return run.shop_now(ago=ANSWERED)


async def agree_scenario_ticket(run: ScenarioRun) -> None:
    ticket, shop = await load_ticket(run), shop_when_answered(run)
    async with shop.database.writes.begin() as session:
        await agree_ticket(
            session,
            ticket.id,
            deadlines_of(shop.settings),
            cause=Cause(shop.clock(), run.fixtures.manager_id),
        )


async def answer_scenario_question(run: ScenarioRun) -> None:
    ticket, shop = await load_ticket(run), shop_when_answered(run)
    async with shop.database.writes.begin() as session:
        await add_message(
            session,
            ticket.id,
            MessageDraft("您好，可以的：详细说明见商品页的参数表，使用前请先擦干底部。"),
            deadlines_of(shop.settings),
            cause=Cause(shop.clock(), run.fixtures.manager_id),
        )


async def refuse_scenario_ticket(run: ScenarioRun) -> None:
    ticket, shop = await load_ticket(run), shop_when_answered(run)
    async with shop.database.writes.begin() as session:
        await refuse_ticket(
            session,
            ticket.id,
            deadlines_of(shop.settings),
            reason="照片上看不出问题，请补充清晰的照片。",
            cause=Cause(shop.clock(), run.fixtures.manager_id),
        )


async def ship_scenario_return(run: ScenarioRun) -> None:
    """The customer returns the items, if the ticket is one that awaits a return."""
    ticket, shop = await load_ticket(run), run.shop_now(ago=ANSWERED / 2)
    if ticket.status is not TicketStatus.AWAITING_RETURN:
        return
    async with shop.database.writes.begin() as session:
        await ship_return(
            session,
            ticket.id,
            ReturnWaybill(SIMULATED_CARRIER, f"SF{ticket.number}"),
            deadlines_of(shop.settings),
            cause=Cause(shop.clock(), run.buyer_id),
        )


async def cancel_scenario_ticket(run: ScenarioRun) -> None:
    ticket, shop = await load_ticket(run), shop_when_answered(run)
    async with shop.database.writes.begin() as session:
        await cancel_ticket(
            session, ticket.id, deadlines_of(shop.settings), cause=Cause(shop.clock(), run.buyer_id)
        )


TICKET_STEPS: Mapping[str, Callable[[ScenarioRun], Awaitable[None]]] = {
    "open": open_scenario_ticket,
    "agree": agree_scenario_ticket,
    "answer": answer_scenario_question,
    "refuse": refuse_scenario_ticket,
    "return": ship_scenario_return,
    "cancel_ticket": cancel_scenario_ticket,
}
