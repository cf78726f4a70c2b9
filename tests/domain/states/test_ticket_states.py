"""What may happen to a ticket, in every state it can be in."""

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.merging import merge_tickets
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.questions import close_question
from domain.aftersales.requests import TicketRequestChange, reapply_ticket
from domain.aftersales.sending_back import escalate_lost
from domain.aftersales.settlement import retry_refunds
from domain.cause import Cause
from events.shop import Shop
from models import Order, Role, Ticket, TicketReason, TicketType
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
    wait,
    withdraw,
)
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, create_question, create_ticket
from tests.factories.order import NOW
from tests.factories.returns import decide

EXCHANGES = {"RESHIPPING", "AWAITING_CHOICE", "AWAITING_STOCK", "AWAITING_PAYMENT"}


async def a_ticket(session: AsyncSession, state: str) -> Ticket:
    """A ticket brought to a state on the ordinary way: a return, or an exchange where it is sent again."""
    kind = TicketType.EXCHANGE if state in EXCHANGES else TicketType.RETURN_REFUND
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
    order = await session.get_one(Order, ticket.order_id)
    other = await create_question(session, order=order)
    cause = Cause(NOW, None)
    await merge_tickets(session, ticket.id, other.id, DEADLINES, move_units=False, cause=cause)


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


@pytest.mark.parametrize("state", documented_outcomes("Tickets"))
async def test_what_may_happen_to_a_ticket(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Tickets", state, a_ticket, TICKET)
