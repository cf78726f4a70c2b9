"""The release before knows no question about no order: a downgrade ends them, and nothing else."""

import asyncio

from alembic import command
from sqlalchemy import select

from domain.aftersales.messages import MessageDraft, add_message, read_ticket
from domain.aftersales.rating import ask_for_rating
from domain.cause import Cause
from migrations.runner import alembic_config, upgrade
from models import Event, ReactionDone, Role, Ticket, TicketMessage, TicketRelease
from models.database import Database
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    create_media,
    create_question_about_no_order,
    create_ticket,
)
from tests.factories.order import NOW
from tests.test_migrations import empty_url

__all__ = ["empty_url"]


async def ask_and_claim(url: str) -> None:
    """A question about no order with all that can be written about it, and a claim."""
    database = Database.open(url, pool_size=1)
    async with database.writes.begin() as session:
        agent = await create_account(session, role=Role.SUPPORT)
        ticket = await create_question_about_no_order(session)
        picture = await create_media(session, uploader_id=agent.id)
        note = MessageDraft("Who knows?", internal=True, media_ids=(picture.id,), mention_ids=(agent.id,))
        await add_message(session, ticket.id, note, DEADLINES, cause=Cause(NOW, agent.id))
        await add_message(session, ticket.id, MessageDraft("Yes."), DEADLINES, cause=Cause(NOW, agent.id))
        message_id = await session.scalar(select(TicketMessage.id).limit(1))
        await read_ticket(
            session, ticket.id, message_id or 0, sees_internal=True, cause=Cause(NOW, ticket.account_id)
        )
        session.add(TicketRelease(ticket_id=ticket.id, account_id=agent.id, released_at=NOW))
        ticket.rate_at = NOW
        await session.flush()
        await ask_for_rating(session, ticket.id, open_for=DEADLINES.answer, now=NOW)
        for event in await session.scalars(select(Event)):
            session.add(ReactionDone(event_id=event.id, reaction="notify", done_at=NOW))
        await create_ticket(session)
    await database.close()


async def list_tickets(url: str) -> list[bool]:
    """Whether each ticket is about an order."""
    database = Database.open(url, pool_size=1)
    async with database.reads() as session:
        found = [order_id is not None for order_id in await session.scalars(select(Ticket.order_id))]
    await database.close()
    return found


def test_a_downgrade_ends_questions_about_no_order_and_keeps_the_others(empty_url: str) -> None:
    upgrade(empty_url)
    asyncio.run(ask_and_claim(empty_url))
    before = asyncio.run(list_tickets(empty_url))

    command.downgrade(alembic_config(empty_url), "0075")
    upgrade(empty_url)

    assert sorted(before) == [False, True]
    assert asyncio.run(list_tickets(empty_url)) == [True]
