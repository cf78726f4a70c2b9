"""What may happen to a ticket, in every state it can be in."""

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.merging import merge_tickets
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.questions import close_question
from domain.aftersales.repair import RepairedUnits, finish_repair
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.requests import TicketRequestChange, reapply_ticket
from domain.aftersales.sending_back import escalate_lost
from domain.aftersales.settlement import follow_replacement, retry_refunds
from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from events.shop import Shop
from models import (
    Account,
    Order,
    ReplacementChoice,
    Role,
    Shipment,
    ShipmentStatus,
    Ticket,
    TicketLine,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.domain.states.outcomes import (
    COMMANDS_TO_STATE,
    LATER,
    Command,
    accept_returned,
    agree,
    bring_replacement_back,
    check_outcomes,
    deliver_replacement,
    documented_outcomes,
    escalate,
    fail_refunds,
    fill,
    pay_difference,
    refuse,
    refuse_returned,
    reject,
    say_how_to_pay,
    send_return,
    settle_refunds,
    take_dearer_variant,
    take_money,
    take_variant,
    track_replacement,
    wait,
    withdraw,
)
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    create_question,
    create_question_about_no_order,
    create_ticket,
)
from tests.factories.order import NOW, RECEIPT_AFTER
from tests.factories.returns import decide, part_number

EXCHANGES = {"RESHIPPING", "AWAITING_CHOICE", "AWAITING_STOCK", "AWAITING_PAYMENT"}


async def a_ticket(session: AsyncSession, state: str) -> Ticket:
    """A ticket brought to a state on the ordinary way: a return, or what alone reaches it."""
    kind = TicketType.EXCHANGE if state in EXCHANGES else TicketType.RETURN_REFUND
    kind = TicketType.REPAIR if state == "REPAIRING" else kind
    ticket = await create_ticket(session, type=kind)
    for step in COMMANDS_TO_STATE[state]:
        await step(session, ticket)
    return ticket


async def decide_yes(session: AsyncSession, ticket: Ticket) -> None:
    await decide(
        session, ticket.id, DEADLINES, agreed=True, reason="Yes.", cause=Cause(NOW, ticket.account_id)
    )


async def lose_refused(session: AsyncSession, ticket: Ticket) -> None:
    order = await session.get_one(Order, ticket.order_id)
    await escalate_lost(session, ticket.id, order, cause=Cause(NOW))


async def again(session: AsyncSession, ticket: Ticket) -> None:
    change = TicketRequestChange("It leaks, look.", reason=TicketReason.QUALITY_FAULT)
    await reapply_ticket(session, ticket.id, change, DEADLINES, cause=Cause(NOW, ticket.account_id))


async def merge(session: AsyncSession, ticket: Ticket) -> None:
    if ticket.order_id is None:
        account = await session.get_one(Account, ticket.account_id)
        other = await create_question_about_no_order(session, account=account)
    else:
        other = await create_question(session, order=await session.get_one(Order, ticket.order_id))
    cause = Cause(NOW, None)
    await merge_tickets(session, ticket.id, other.id, DEADLINES, move_units=False, cause=cause)


async def a_repair(session: AsyncSession, state: str) -> Ticket:
    """A repair brought to a state on the ordinary way."""
    ticket = await create_ticket(session, type=TicketType.REPAIR)
    for step in REPAIR_TO_STATE[state]:
        await step(session, ticket)
    return ticket


async def end_repair(session: AsyncSession, ticket: Ticket, *, repaired: bool) -> None:
    lines = await session.scalars(select(TicketLine).where(TicketLine.ticket_id == ticket.id))
    units = [RepairedUnits(line.order_line_id, line.quantity, repaired, "Look.") for line in lines]
    cause = Cause(NOW, None)
    await finish_repair(session, ticket.id, units, DEADLINES, part_number=part_number(), cause=cause)


async def repair(session: AsyncSession, ticket: Ticket) -> None:
    await end_repair(session, ticket, repaired=True)


async def give_up(session: AsyncSession, ticket: Ticket) -> None:
    await end_repair(session, ticket, repaired=False)


async def take_same_units(session: AsyncSession, ticket: Ticket) -> None:
    choice, cause = ReplacementChoice.SAME_UNITS, Cause(NOW, ticket.account_id)
    await choose_replacement(session, ticket.id, choice, DEADLINES, cause=cause)


async def lose_repaired(session: AsyncSession, ticket: Ticket) -> None:
    await track_replacement(session, ticket, ShipmentStatus.EXPIRED)
    if ticket.status is TicketStatus.RESHIPPING:
        lost = select(Shipment.id).where(Shipment.status == ShipmentStatus.EXPIRED)
        for shipment_id in await session.scalars(lost):
            await end_shipment(session, shipment_id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
        await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))


REPAIR_TO_STATE: Mapping[str, Sequence[Command]] = {
    "REPAIRING": [agree, send_return, accept_returned],
    "RESHIPPING": [agree, send_return, accept_returned, repair],
    "AWAITING_CHOICE": [agree, send_return, accept_returned, give_up],
    "REFUNDING": [agree, send_return, accept_returned, give_up, take_money],
    "COMPLETED": [agree, send_return, accept_returned, repair, deliver_replacement],
}

REPAIR: Mapping[str, Command] = {
    "it is repaired": repair,
    "it cannot be repaired": give_up,
    "the customer takes the same units": take_same_units,
    "the customer takes money": take_money,
    "the customer takes another variant": take_variant,
    "it arrives at its customer": deliver_replacement,
    "it gets lost on its way to the customer": lose_repaired,
    "the customer cancels": withdraw,
    "the customer escalates": escalate,
    "the return is inspected again": accept_returned,
    "the deadline passes": lambda session, it: act_on_overdue(session, it.id, DEADLINES, cause=Cause(LATER)),
}

TICKET: Mapping[str, Command] = {
    "the shop agrees": agree,
    "the shop refuses": refuse,
    "the customer applies again": again,
    "it is merged into another": merge,
    "the customer cancels": withdraw,
    "the customer ships the return": send_return,
    "the return is accepted": accept_returned,
    "the return is refused": refuse_returned,
    "the customer escalates": escalate,
    "a manager agrees": decide_yes,
    "a manager rejects": reject,
    "what was refused gets lost on its way back": lose_refused,
    "the refund succeeds": settle_refunds,
    "the refund fails": fail_refunds,
    "staff retry the refund": lambda session, it: retry_refunds(
        session, it.id, DEADLINES, cause=Cause(NOW, it.account_id)
    ),
    "the customer waits for stock": wait,
    "the customer takes another variant": take_variant,
    "the customer takes a dearer variant": take_dearer_variant,
    "the customer says how they pay the difference": say_how_to_pay,
    "the difference is paid": pay_difference,
    "the customer takes money": take_money,
    "there is stock of the replacement": fill,
    "the replacement arrives": deliver_replacement,
    "the replacement comes back": bring_replacement_back,
    "the deadline passes": lambda session, it: act_on_overdue(session, it.id, DEADLINES, cause=Cause(LATER)),
}


async def a_question(session: AsyncSession, state: str) -> Ticket:
    """A question brought to a state on the ordinary way."""
    question = await create_question(session)
    for step in QUESTION_TO_STATE[state]:
        await step(session, question)
    return question


async def a_question_about_no_order(session: AsyncSession, state: str) -> Ticket:
    """The same of a question about no order."""
    question = await create_question_about_no_order(session)
    for step in QUESTION_TO_STATE[state]:
        await step(session, question)
    return question


async def write(session: AsyncSession, ticket: Ticket, *, by: int | None, internal: bool = False) -> None:
    by = ticket.account_id if by is None else by
    await add_message(session, ticket.id, MessageDraft("Hm.", internal), DEADLINES, cause=Cause(NOW, by))


async def answer(session: AsyncSession, ticket: Ticket) -> None:
    agent = await create_account(session, role=Role.SUPPORT)
    await write(session, ticket, by=agent.id)


async def note(session: AsyncSession, ticket: Ticket) -> None:
    agent = await create_account(session, role=Role.SUPPORT)
    await write(session, ticket, by=agent.id, internal=True)


async def ask_on(session: AsyncSession, ticket: Ticket) -> None:
    await write(session, ticket, by=None)


async def close(session: AsyncSession, ticket: Ticket) -> None:
    await close_question(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))


async def close_by_staff(session: AsyncSession, ticket: Ticket) -> None:
    await close_question(session, ticket.id, DEADLINES, cause=Cause(NOW, None))


QUESTION_TO_STATE: Mapping[str, Sequence[Command]] = {
    "APPLIED": [],
    "ANSWERED": [answer],
    "COMPLETED": [answer, close],
    "CANCELLED": [withdraw],
}

QUESTION: Mapping[str, Command] = {
    "the staff write a message": answer,
    "the staff write an internal note": note,
    "the customer writes a message": ask_on,
    "the customer closes it": close,
    "the staff close it": close_by_staff,
    "it is merged into another": merge,
    "the customer cancels": withdraw,
    "the deadline passes": TICKET["the deadline passes"],
    "the shop agrees": agree,
    "the shop refuses": refuse,
    "the customer applies again": again,
    "the customer escalates": escalate,
}


@pytest.mark.parametrize("state", documented_outcomes("Questions"))
async def test_what_may_happen_to_a_question(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Questions", state, a_question, QUESTION)


@pytest.mark.parametrize("state", documented_outcomes("Questions"))
async def test_what_may_happen_to_a_question_about_no_order(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Questions", state, a_question_about_no_order, QUESTION)


@pytest.mark.parametrize("state", documented_outcomes("Repairs"))
async def test_what_may_happen_to_a_repair(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Repairs", state, a_repair, REPAIR)


@pytest.mark.parametrize("state", documented_outcomes("Tickets"))
async def test_what_may_happen_to_a_ticket(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Tickets", state, a_ticket, TICKET)
