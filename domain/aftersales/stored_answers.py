"""When tickets were answered and resolved that were stored before they kept it themselves: as events say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.events import EVENT_TYPES, TicketEvent
from models import RESOLVED, ArchivedEvent, Event, Subject, Ticket, TicketStatus
from models.base import JsonObject

BATCH = 1_000

EventRow = Row[tuple[int, int, str, JsonObject, int | None, datetime]]
"""Ticket, version, name, payload, who, when."""


@dataclass(slots=True)
class TicketHistory:
    """What the events of a ticket say."""

    first_answered_at: datetime | None = None
    resolved_at: datetime | None = None
    reopens: int = 0

    def add(self, event: EventRow, ticket: Ticket) -> None:
        """What `TicketEvent.keep_on_row` keeps of an event."""
        event_type = EVENT_TYPES.get(event.name)
        answers = event_type is not None and issubclass(event_type, TicketEvent) and event_type.answers
        if answers and event.actor_id != ticket.account_id:
            self.first_answered_at = self.first_answered_at or event.occurred_at
        if TicketStatus(event.payload["status"]) in RESOLVED:
            self.resolved_at = self.resolved_at or event.occurred_at
        elif self.resolved_at is not None:
            self.resolved_at, self.reopens = None, self.reopens + 1


async def fill_stored_answers(session: AsyncSession, after: int) -> int | None:
    """Fill in the next BATCH tickets what they do not keep yet.

    The id of the last ticket of the batch; None when there was none.
    """
    tickets = (
        await session.scalars(
            select(Ticket)
            .where(Ticket.id > after, keeps_no_answers())
            .order_by(Ticket.id)
            .limit(BATCH)
            .with_for_update()
        )
    ).all()
    histories = await read_histories(session, tickets)
    for ticket in tickets:
        history = histories[ticket.id]
        ticket.first_answered_at, ticket.reopens = history.first_answered_at, history.reopens
        if ticket.status in RESOLVED:
            # the first releases recorded no events
            ticket.resolved_at = history.resolved_at or ticket.closed_at
        if ticket.first_answered_at or ticket.resolved_at or ticket.reopens:
            ticket.recount_at = ticket.opened_at
    return tickets[-1].id if tickets else None


def keeps_no_answers() -> ColumnElement[bool]:
    """Whether a ticket keeps nothing yet, or was resolved and does not keep when."""
    nothing = and_(Ticket.first_answered_at.is_(None), Ticket.resolved_at.is_(None), Ticket.reopens == 0)
    return or_(nothing, and_(Ticket.status.in_(RESOLVED), Ticket.resolved_at.is_(None)))


async def read_histories(session: AsyncSession, tickets: Sequence[Ticket]) -> Mapping[int, TicketHistory]:
    """The histories of tickets, by their ids; one statement."""
    histories = {ticket.id: TicketHistory() for ticket in tickets}
    by_id = {ticket.id: ticket for ticket in tickets}
    for event in await read_events(session, by_id):
        histories[event.subject_id].add(event, by_id[event.subject_id])
    return histories


async def read_events(session: AsyncSession, ticket_ids: Iterable[int]) -> Iterable[EventRow]:
    """The events of tickets, archived ones too, in the order in which they happened."""
    ids = list(ticket_ids)
    if not ids:
        return ()
    parts = [
        select(
            table.subject_id, table.version, table.name, table.payload, table.actor_id, table.occurred_at
        ).where(table.subject == Subject.TICKET, table.subject_id.in_(ids))
        for table in (Event, ArchivedEvent)
    ]
    every = union_all(*parts).subquery()
    return await session.execute(select(every).order_by(every.c.subject_id, every.c.version))
