"""Customers are asked once how a ticket went, after it has ended; they rate it within a time."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.recipients import CustomerNotice, queue_customer_notices
from domain.aftersales.texts import REASON_LIMIT
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, WrongState, collect_refusals
from domain.events import TicketRated
from domain.outbox import record
from models import Account, Event, NoticeKind, Subject, Ticket, TicketRating
from models.sql.types import AnySelect

WORST, BEST = 1, 5
RATING_CHANGES_LIMIT = 10
"""How often a customer rates one ticket."""


def select_unasked(now: datetime) -> AnySelect:
    """Tickets that had ended by then, and of which nobody has asked yet how they went."""
    return select(Ticket.id).where(Ticket.rate_at <= now).order_by(Ticket.rate_at, Ticket.id)


async def ask_for_rating(
    session: AsyncSession, ticket_id: int, *, open_for: timedelta, now: datetime
) -> None:
    """Ask the customer of a ticket that has ended, unless that was done meanwhile or they are gone."""
    ticket = await session.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None or ticket.rate_at is None:
        return
    ticket.rate_at = None
    account = await session.get_one(Account, ticket.account_id)
    if account.disabled_at is not None:
        return
    ticket.recount_at = now
    session.add(TicketRating(ticket_id=ticket.id, asked_at=now, open_until=now + open_for, note=""))
    key = f"ticket.rating:{ticket.id}"
    notice = CustomerNotice(account, NoticeKind.TICKET_RATING, key, {"number": ticket.number})
    await queue_customer_notices(session, [notice], now=now)


async def rate_ticket(
    session: AsyncSession, ticket_id: int, *, rating: int, note: str, cause: Cause
) -> Ticket:
    """Keep what the customer of a ticket says about it, in place of what they have said before."""
    ticket = await session.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None or ticket.account_id != cause.by:
        raise NotFound("ticket", field=("id",))
    asked = await session.get(TicketRating, ticket_id, populate_existing=True)
    if asked is None:
        raise WrongState("We have not asked you about this ticket.", field=("id",))
    if cause.now >= asked.open_until:
        raise WrongState("The time to rate this ticket is over.", field=("id",))
    note = note.strip()
    with collect_refusals() as check:
        if not WORST <= rating <= BEST:
            check.add(Invalid("From {worst} to {best}.", worst=WORST, best=BEST, field=("rating",)))
        if len(note) > REASON_LIMIT:
            check.add(LimitReached("At most {limit} characters.", limit=REASON_LIMIT, field=("note",)))
    if (asked.rating, asked.note) == (rating, note):
        return ticket
    await check_rating_changes(session, ticket)
    asked.rating, asked.note, asked.rated_at = rating, note, cause.now
    record(session, TicketRated(ticket, rating=rating), cause)
    return ticket


async def check_rating_changes(session: AsyncSession, ticket: Ticket) -> None:
    """Refuse to change what was said about a ticket more often than anybody does who means it."""
    changes = await session.scalar(
        select(func.count(Event.id)).where(
            Event.subject == Subject.TICKET, Event.subject_id == ticket.id, Event.name == TicketRated.name
        )
    )
    if (changes or 0) >= RATING_CHANGES_LIMIT:
        raise LimitReached(
            "A ticket can be rated {limit} times.", limit=RATING_CHANGES_LIMIT, field=("rating",)
        )
