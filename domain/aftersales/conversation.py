"""What customers and agents write to each other about a ticket."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.texts import MESSAGE_LIMIT, said
from domain.errors import LimitReached, NotFound
from domain.outbox import record
from models import Ticket, TicketMessage

MESSAGES_LIMIT = 500
"""Of one ticket."""


async def add_message(
    session: AsyncSession, ticket_id: int, *, body: str, internal: bool, now: datetime, by: int
) -> Ticket:
    """Say something about a ticket, whatever its status. An internal note is no event: customers hear of
    every event of their tickets, and of a note they hear nothing."""
    ticket = await session.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("ticket", field=("id",))
    known = await session.scalar(select(func.count()).where(TicketMessage.ticket_id == ticket_id))
    if (known or 0) >= MESSAGES_LIMIT:
        raise LimitReached(f"A ticket has at most {MESSAGES_LIMIT} messages.")
    message = TicketMessage(
        ticket_id=ticket_id,
        author_id=by,
        body=said(body, limit=MESSAGE_LIMIT, field="body"),
        internal=internal,
        created_at=now,
    )
    session.add(message)
    await session.flush()
    if not internal:
        record(session, "ticket.message", ticket, now=now, by=by, message_id=message.id)
    return ticket
