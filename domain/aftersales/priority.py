"""In which order tickets are attended to: by their deadline, earlier for what is worth much or sounds urgent.

The order is by a moment, so that it stays right while time passes. A ticket that waits for others has none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import CTE, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.urgent_terms import UrgentTerms, find_urgent_terms, load_urgent_terms
from domain.aftersales.worth import sum_unit_costs
from domain.payment.approval_limit import find_limit
from models import Ticket, TicketMessage, TicketStatus, UrgentTerm
from models.sql.types import AnySelect

WAITS_FOR_SHOP = frozenset(
    {
        TicketStatus.APPLIED,
        TicketStatus.RETURN_SHIPPED,
        TicketStatus.REPAIRING,
        TicketStatus.ARBITRATION,
        TicketStatus.REFUND_FAILED,
    }
)
"""The statuses in which the shop has to act, whatever the customer writes."""

VALUE_HOURS = ((100, 24), (50, 12), (10, 4))
"""How many hours earlier: from this many per cent of what one person may give away alone."""

WORDS_LIMIT = 10
"""Words that are kept of a ticket."""

MESSAGES_READ = 50
"""Messages of its customer that are read again, the newest, when words have changed."""


def note_words(ticket: Ticket, texts: Iterable[str], terms: UrgentTerms) -> None:
    """Note what the customer has said that makes a ticket urgent; what was said before stays."""
    found = dict.fromkeys(ticket.urgent_terms or (), 0)
    for text in texts:
        words = find_urgent_terms(text, terms)
        found |= words
        ticket.word_hours = max([ticket.word_hours or 0, *words.values()])
    ticket.urgent_terms = list(found)[:WORDS_LIMIT]


def hours_of_value(worth: int, limit: int) -> int:
    """How many hours earlier something worth this much is attended to, by what one person may give away."""
    return (
        next((hours for percent, hours in VALUE_HOURS if worth * 100 >= limit * percent), 0) if worth else 0
    )


async def note_value(session: AsyncSession, ticket: Ticket) -> None:
    """Note how much a ticket asks for: its refund, or what its units cost where that is more."""
    cost = await sum_unit_costs(session, ticket)
    limit = find_limit(session, ticket.currency)
    ticket.value_hours = hours_of_value(max(cost, ticket.refund_amount), limit)


async def weigh_ticket(
    session: AsyncSession, ticket: Ticket, text: str, deadlines: Deadlines, *, now: datetime
) -> None:
    """Note what a customer asks for and how they say it, and set by when it should be attended to."""
    terms = await load_urgent_terms(session)
    note_words(ticket, [text], terms)
    if ticket.version == 0:  # a new one has no other texts
        ticket.terms_edition = terms.edition
    await note_value(session, ticket)
    rank_ticket(ticket, deadlines, now=now)


async def weigh_texts(session: AsyncSession, ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> None:
    """The same by all that is written of a ticket by now, also of duplicates that go on as it."""
    texts = await load_texts(session, [ticket])
    note_words(ticket, texts[ticket.id], await load_urgent_terms(session))
    await note_value(session, ticket)
    rank_ticket(ticket, deadlines, now=now)


def rank_ticket(ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> None:
    """Set by when a ticket should be attended to, by its status, its deadline, its value and its words."""
    deadline = deadline_of(ticket, deadlines, now=now)
    earlier = timedelta(hours=(ticket.value_hours or 0) + (ticket.word_hours or 0))
    ticket.attend_by = None if deadline is None else deadline - earlier


def deadline_of(ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> datetime | None:
    """By when the shop has to act on a ticket or answer its customer; None where it waits for others."""
    ends = []
    if ticket.status in WAITS_FOR_SHOP:
        ends.append(ticket.overdue_since or ticket.due_at or now + deadlines.answer)
    if ticket.unanswered_since is not None:
        ends.append(ticket.unanswered_since + deadlines.answer)
    return min(ends, default=None)


def select_unranked(now: datetime) -> AnySelect:
    """The ids of tickets that wait for the shop and were opened by a release which did not rank them."""
    waits = Ticket.status.in_(WAITS_FOR_SHOP) & Ticket.attend_by.is_(None)
    return select(Ticket.id).where(waits).order_by(Ticket.id)


async def rank_unranked(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, now: datetime
) -> None:
    ticket = await session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    await weigh_texts(session, ticket, deadlines, now=now)


def select_outdated(now: datetime) -> AnySelect:
    """The ids of tickets that wait for the shop and were read by words that have changed since."""
    edition = select(func.coalesce(func.max(UrgentTerm.edition), 0)).where(UrgentTerm.created_at <= now)
    outdated = Ticket.terms_edition < edition.scalar_subquery()
    return select(Ticket.id).where(outdated, Ticket.attend_by.is_not(None)).order_by(Ticket.id)


async def read_again(session: AsyncSession, ticket_ids: Collection[int]) -> int:
    """Read the texts of tickets by the words of now, all in one transaction; how many.

    By when they should be attended to moves with the hours of their words.
    """
    terms = await load_urgent_terms(session)
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.id.in_(ticket_ids), Ticket.terms_edition < terms.edition, Ticket.attend_by.is_not(None))
        .order_by(Ticket.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    tickets = rows.all()
    texts = await load_texts(session, tickets)
    for ticket in tickets:
        before = ticket.word_hours
        ticket.urgent_terms, ticket.word_hours, ticket.terms_edition = [], 0, terms.edition
        note_words(ticket, texts[ticket.id], terms)
        if ticket.attend_by is not None:
            ticket.attend_by += timedelta(hours=before - ticket.word_hours)
    return len(tickets)


async def load_texts(session: AsyncSession, tickets: Sequence[Ticket]) -> Mapping[int, Sequence[str]]:
    """What customers have written of tickets, and of those that they were split from: their descriptions,
    those of duplicates, and messages."""
    texts = defaultdict[int, list[str]](list)
    for ticket in tickets:
        texts[ticket.id].append(ticket.description)
    ids = list(texts)
    origins = select_origins(ids)
    duplicates = select(origins.c.ticket_id, Ticket.description).join(
        Ticket, Ticket.merged_into_id == origins.c.origin_id
    )
    place = func.row_number().over(partition_by=origins.c.ticket_id, order_by=TicketMessage.id.desc())
    newest = (
        select(origins.c.ticket_id, TicketMessage.body, TicketMessage.id, place.label("place"))
        .join(TicketMessage, TicketMessage.ticket_id == origins.c.origin_id)
        .join(Ticket, (Ticket.id == TicketMessage.ticket_id) & (Ticket.account_id == TicketMessage.author_id))
        .where(TicketMessage.internal.is_(False))
        .subquery()
    )
    messages = (
        select(newest.c.ticket_id, newest.c.body)
        .where(newest.c.place <= MESSAGES_READ)
        .order_by(newest.c.ticket_id, newest.c.id)
    )
    for statement in (duplicates, messages):
        for ticket_id, text in await session.execute(statement):
            texts[ticket_id].append(text)
    return texts


def select_origins(ids: Sequence[int]) -> CTE:
    """Tickets, each with itself and with all that it was split from, one after the other."""
    before = func.coalesce(Ticket.split_from_id, Ticket.part_of_id)
    own = select(Ticket.id.label("ticket_id"), Ticket.id.label("origin_id")).where(Ticket.id.in_(ids))
    origins = own.cte("origins", recursive=True)
    return origins.union(
        select(origins.c.ticket_id, before)
        .join(Ticket, Ticket.id == origins.c.origin_id)
        .where(before.is_not(None))
    )
