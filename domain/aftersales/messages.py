"""The messages of a ticket, and the internal notes of the staff."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.questions import follow_message
from domain.aftersales.texts import MESSAGE_LIMIT, clean_text
from domain.cause import Cause
from domain.errors import LimitReached, NotFound
from domain.events import TicketMessageAdded
from domain.outbox import record
from models import Ticket, TicketMessage

MESSAGES_LIMIT = 500
"""Of one ticket."""


async def add_message(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    body: str,
    internal: bool,
    cause: Cause,
) -> Ticket:
    """Add a message to a ticket, whatever its status; one of the staff answers a question."""
    ticket = await session.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("ticket", field=("id",))
    count = await session.scalar(select(func.count()).where(TicketMessage.ticket_id == ticket_id))
    if (count or 0) >= MESSAGES_LIMIT:
        raise LimitReached("A ticket has at most {limit} messages.", limit=MESSAGES_LIMIT)
    message = TicketMessage(
        ticket_id=ticket_id,
        author_id=cause.by,
        body=clean_text(body, limit=MESSAGE_LIMIT, field="body"),
        internal=internal,
        created_at=cause.now,
    )
    session.add(message)
    await session.flush()
    # Customers see every event of their tickets, so an internal note is not one.
    if not internal:
        follow_message(ticket, deadlines, from_customer=cause.by == ticket.account_id, cause=cause)
        record(session, TicketMessageAdded(ticket, message_id=message.id), cause)
    return ticket
