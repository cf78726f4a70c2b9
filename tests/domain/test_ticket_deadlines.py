"""Tickets: deadlines, idempotency and concurrency."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import assign_ticket, hand_over_ticket
from domain.aftersales.decisions import agree_ticket
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.rules import NotEligible, TicketObstacle
from domain.aftersales.states import FINAL, STATUS_WHEN_ACCEPTED, STATUS_WHEN_AGREED
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, LimitReached, NotFound
from domain.idempotency import KeyReused
from events.shop import Shop
from models import (
    MovementKind,
    Refund,
    Role,
    StockMovement,
    Ticket,
    TicketMessage,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    count_tickets,
    create_media,
    create_ticket,
    order_of_three,
    ticket_events,
)
from tests.factories.order import NOW

DAY = timedelta(days=1)
S, T, R, X = TicketStatus, TicketType, TicketReason, TicketObstacle

# --- deadlines


def without_repairs(types: Iterable[TicketType]) -> list[TicketType]:
    """People look at what is to be repaired: no silence agrees to it or accepts it."""
    return [each for each in types if each is not TicketType.REPAIR]


@pytest.mark.parametrize("type", without_repairs(STATUS_WHEN_AGREED))
async def test_an_unanswered_ticket_is_agreed_after_two_days(
    shop: Shop, session: AsyncSession, type: TicketType
) -> None:
    ticket = await create_ticket(session, type=type, reason=R.WRONG_ITEM)
    assert ticket.due_at == NOW + 2 * DAY
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 2 * DAY - timedelta(seconds=1)))
    assert ticket.status is S.APPLIED
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 2 * DAY))

    assert ticket.status is STATUS_WHEN_AGREED[type]
    await session.commit()


async def test_a_ticket_is_closed_when_the_goods_are_not_sent_in_seven_days(
    shop: Shop, session: AsyncSession
) -> None:
    ticket = await create_ticket(session, status=S.AWAITING_RETURN)
    assert ticket.due_at == NOW + 7 * DAY
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 7 * DAY))

    assert ticket.status is S.CANCELLED
    await session.commit()


@pytest.mark.parametrize("type", without_repairs(STATUS_WHEN_ACCEPTED))
async def test_a_return_nobody_inspects_is_accepted_after_ten_days(
    shop: Shop, session: AsyncSession, type: TicketType
) -> None:
    ticket = await create_ticket(session, type=type, status=S.RETURN_SHIPPED)
    assert ticket.due_at == NOW + 10 * DAY
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 10 * DAY))

    assert ticket.status is STATUS_WHEN_ACCEPTED[type]
    kinds = await session.scalars(select(StockMovement.kind))
    assert MovementKind.RETURNED not in set(kinds)
    await session.commit()


async def test_a_final_ticket_has_no_deadline() -> None:
    assert {S.REJECTED, S.COMPLETED, S.CANCELLED} == FINAL
    assert all(DEADLINES.due_at(status, NOW) is None for status in FINAL)


# --- once only


async def test_the_same_request_sent_twice_opens_one_ticket(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    first = await create_ticket(session, order=order, lines=[(line, 1)], key="same")
    second = await create_ticket(session, order=order, lines=[(line, 1)], key="same")

    assert second.id == first.id
    assert await count_tickets(session) == 1
    with pytest.raises(KeyReused):
        await create_ticket(session, order=order, lines=[(line, 2)], key="same")
    await session.commit()


async def test_a_customer_attaches_only_pictures_of_their_own(shop: Shop, session: AsyncSession) -> None:
    order, _ = await order_of_three(session)
    stranger = await create_account(session)
    own = await create_media(session, uploader_id=order.account_id)
    foreign = await create_media(session, uploader_id=stranger.id)

    with pytest.raises(NotFound) as refusal:
        await create_ticket(session, order=order, media_ids=[own.id, foreign.id])
    assert refusal.value.field == ("media_ids", 1)
    await session.commit()


async def test_an_internal_note_is_no_event(shop: Shop, session: AsyncSession) -> None:
    agent = await create_account(session, role=Role.SUPPORT)
    ticket = await create_ticket(session)
    for internal in (True, False):
        await add_message(
            session, ticket.id, MessageDraft("Hm.", internal), DEADLINES, cause=Cause(NOW, agent.id)
        )

    assert ticket.version == 2
    assert await ticket_events(session, ticket) == ["ticket.opened", "ticket.message"]
    await session.commit()


async def test_a_customer_who_writes_on_and_on_keeps_nobody_from_answering(
    shop: Shop, session: AsyncSession
) -> None:
    agent, ticket = await create_account(session, role=Role.SUPPORT), await create_ticket(session)
    written = {"ticket_id": ticket.id, "body": "Hm.", "internal": False, "created_at": NOW}
    rows = [written | {"author_id": ticket.account_id} for _ in range(299)]
    await session.execute(insert(TicketMessage), rows)

    async def write(by: int, *, internal: bool = False) -> None:
        draft = MessageDraft("Hm.", internal)
        await add_message(session, ticket.id, draft, DEADLINES, cause=Cause(NOW, by))

    await write(ticket.account_id)
    with pytest.raises(LimitReached) as customers:
        await write(ticket.account_id)
    for internal in (True, False):
        await write(agent.id, internal=internal)
    await hand_over_ticket(session, ticket.id, agent.id, DEADLINES, note="Yours.", cause=Cause(NOW, agent.id))
    await session.execute(insert(TicketMessage), [written | {"author_id": agent.id} for _ in range(197)])
    with pytest.raises(LimitReached) as everybody:
        await write(agent.id)

    assert str(customers.value) == "A customer writes at most 300 messages about a ticket."
    assert str(everybody.value) == "A ticket has at most 500 messages."
    assert await session.scalar(select(func.count(TicketMessage.id))) == 500
    await session.commit()


async def test_a_ticket_is_assigned_to_support_staff_only(shop: Shop, session: AsyncSession) -> None:
    agent = await create_account(session, role=Role.SUPPORT)
    clerk = await create_account(session, role=Role.WAREHOUSE)
    ticket = await create_ticket(session)
    await assign_ticket(session, ticket.id, agent.id, cause=Cause(NOW, agent.id))
    with pytest.raises(DomainError) as refusal:
        await assign_ticket(session, ticket.id, clerk.id, cause=Cause(NOW, agent.id))

    assert refusal.value.field == ("assignee_id",)
    assert ticket.assignee_id == agent.id
    await session.commit()


async def test_two_agents_who_agree_at_once_refund_once(shop: Shop, session: AsyncSession) -> None:
    ticket = await create_ticket(session, type=T.REFUND_ONLY)
    await session.commit()

    async def agree() -> ErrorCode | None:
        try:
            async with shop.database.writes.begin() as session:
                await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
        except DomainError as refusal:
            return refusal.code
        return None

    answers = await asyncio.gather(*(agree() for _ in range(4)))

    async with shop.database.reads() as session:
        assert sorted(answers, key=str) == [None, *[ErrorCode.WRONG_STATE] * 3]
        assert await session.scalar(select(func.count(Refund.id))) == 1
        assert (await session.get_one(Ticket, ticket.id)).version == 2


async def test_two_requests_at_once_do_not_claim_the_same_units(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    await session.commit()

    async def ask(key: str) -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await create_ticket(session, order=order, lines=[(line, 2)], key=key)
        except NotEligible:
            return False
        return True

    granted = await asyncio.gather(*(ask(key) for key in "abcd"))

    async with shop.database.reads() as session:
        assert sum(granted) == 1
        assert await count_tickets(session) == 1
