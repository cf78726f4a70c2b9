"""Which ticket is attended to first: by its deadline, by what is asked for, by what the customer says."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.automatic import agree_when_opened
from domain.aftersales.decisions import agree_ticket
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.priority import hours_of_value
from domain.aftersales.settlement import follow_refunds
from domain.aftersales.ticket import order_id_of
from domain.aftersales.urgent_terms import find_urgent_terms, load_urgent_terms
from domain.aftersales.urgent_terms.finding import parts_of
from domain.cause import Cause
from domain.order.lifecycle import cancel_open_tickets
from models import Role, Ticket, TicketStatus, TicketType
from models.urgent_term import FIRST_TERMS
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    bring_to_status,
    create_question,
    create_rule,
    create_ticket,
    settle_refunds,
    ship_back,
)
from tests.factories.order import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It leaks.", {}),
        ("I am NOT angry, there is no hurry, and this isn't urgent.", {}),
        ("不着急，慢慢来，没有投诉的意思", {}),
        ("This is a SCAM: my lawyers will write asap", {"scam": 24, "lawyers": 24, "asap": 6}),
        ("我很生氣，要投訴你們，尽快处理", {"生气": 12, "投诉": 24, "尽快": 6}),
        ("我要打12315", {"12315": 24}),
        ("特别生气，不着急？现在很着急", {"生气": 12, "着急": 6}),
        ("不着急不着急很着急", {"着急": 6}),
        ("垃圾桶的盖子坏了，烟雾报警器不响", {}),
    ],
)
async def test_words_make_a_ticket_urgent_unless_they_are_denied(
    session: AsyncSession, text: str, found: dict[str, int]
) -> None:
    assert find_urgent_terms(text, await load_urgent_terms(session)) == found


def test_the_words_that_a_shop_begins_with_are_spelled_as_they_are_compared() -> None:
    assert [each.term for each in FIRST_TERMS] == [parts_of(each.word)[0] for each in FIRST_TERMS]


def test_what_is_worth_more_of_what_one_person_may_give_is_attended_to_earlier() -> None:
    worths = (0, 9_999, 10_000, 49_999, 50_000, 99_999, 100_000)
    assert [hours_of_value(worth, 100_000) for worth in worths] == [0, 0, 4, 4, 12, 12, 24]
    assert [hours_of_value(worth, 0) for worth in (0, 1)] == [0, 24]


async def write(session: AsyncSession, ticket: Ticket, body: str, *, by: int, hours: int = 0) -> None:
    cause = Cause(NOW + hours * HOUR, by)
    await add_message(session, ticket.id, MessageDraft(body), DEADLINES, cause=cause)


async def test_a_ticket_waits_for_the_shop_until_its_deadline_less_the_hours_of_what_the_customer_says(
    session: AsyncSession,
) -> None:
    agent = await create_account(session, role=Role.SUPPORT)
    ticket = await create_ticket(session, description="Please hurry.")
    due = NOW + DEADLINES.answer

    assert (ticket.attend_by, ticket.urgent_terms, ticket.word_hours) == (due - 6 * HOUR, ["hurry"], 6)

    await write(session, ticket, "This is a scam!", by=ticket.account_id, hours=1)
    assert (ticket.attend_by, ticket.unanswered_since) == (due - 24 * HOUR, NOW + HOUR)
    assert (ticket.urgent_terms, ticket.word_hours) == (["hurry", "scam"], 24)

    await write(session, ticket, "We are on it.", by=agent.id, hours=2)
    assert (ticket.attend_by, ticket.unanswered_since) == (due - 24 * HOUR, None)

    await bring_to_status(session, ticket, TicketStatus.AWAITING_RETURN)
    assert ticket.attend_by is None

    await write(session, ticket, "Where do I send it?", by=ticket.account_id, hours=3)
    assert ticket.attend_by == NOW + 3 * HOUR + DEADLINES.answer - 24 * HOUR

    await ship_back(session, ticket, now=NOW + 4 * HOUR)
    assert ticket.unanswered_since == NOW + 3 * HOUR


async def test_what_has_ended_waits_for_nobody_until_its_customer_writes_again(session: AsyncSession) -> None:
    agent = await create_account(session, role=Role.SUPPORT)
    refunding = await create_ticket(session, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING)
    applied = await create_ticket(session)
    for ticket in (refunding, applied):
        await write(session, ticket, "Where is my money?", by=ticket.account_id)
    await settle_refunds(session, refunding)
    await follow_refunds(session, refunding.id, DEADLINES, cause=Cause(NOW))
    await cancel_open_tickets(session, [order_id_of(applied)], cause=Cause(NOW))
    await session.flush()

    ended = [TicketStatus.COMPLETED, TicketStatus.CANCELLED]
    assert [refunding.status, applied.status] == ended
    for ticket in (refunding, applied):
        assert (ticket.attend_by, ticket.unanswered_since, ticket.due_at) == (None, None, None)

    await write(session, refunding, "It is too little.", by=refunding.account_id, hours=1)
    assert refunding.attend_by == NOW + HOUR + DEADLINES.answer
    await write(session, refunding, "That was the discount.", by=agent.id, hours=2)
    assert refunding.attend_by is None


async def test_what_the_shop_does_by_itself_answers_nobody(session: AsyncSession) -> None:
    manager = await create_account(session, role=Role.MANAGER)
    await create_rule(session, types=(TicketType.RETURN_REFUND,))
    by_rule, by_person = await create_ticket(session), await create_ticket(session)
    for ticket in (by_rule, by_person):
        await write(session, ticket, "Or send it again?", by=ticket.account_id)

    await agree_when_opened(session, by_rule.id, DEADLINES, cause=Cause(NOW))
    await agree_ticket(session, by_person.id, DEADLINES, cause=Cause(NOW, manager.id))

    assert {by_rule.status, by_person.status} == {TicketStatus.AWAITING_RETURN}
    assert (by_rule.unanswered_since, by_person.unanswered_since) == (NOW, None)


async def test_an_overdue_ticket_stays_where_its_deadline_was(session: AsyncSession) -> None:
    question = await create_question(session)
    due = NOW + DEADLINES.answer
    await act_on_overdue(session, question.id, DEADLINES, cause=Cause(due + HOUR))

    assert (question.overdue_since, question.attend_by) == (due + HOUR, due + HOUR)
    assert question.due_at == due + HOUR + DEADLINES.answer
