"""Merging duplicates: one of two tickets of a customer ends, and goes on as the other.

A ticket about an order goes on as one about the same order; a question about none as any that is open.
"""

from dataclasses import replace

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import lock_account
from domain.aftersales.certificates import require_certificate_for_ticket
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.messages import MESSAGES_LIMIT
from domain.aftersales.priority import weigh_texts
from domain.aftersales.requests import quote_eligible_claim
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.aftersales.states import enter_status
from domain.aftersales.substitute import load_kept_substitutes
from domain.aftersales.ticket import claim_of, lock_order_of, save_ticket_lines
from domain.aftersales.uncollectable import settle_claimed_order
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, WrongState
from domain.events import TicketDuplicateJoined, TicketMerged
from domain.outbox import record
from models import Order, Ticket, TicketMessage, TicketRead, TicketStatus, TicketType
from models.sql.upsert import upsert_into

MERGED_FROM = frozenset({TicketStatus.APPLIED, TicketStatus.ANSWERED})
"""Nothing was granted yet: no money is under way, and no goods are."""


async def merge_tickets(
    session: AsyncSession,
    ticket_id: int,
    into_id: int,
    deadlines: Deadlines,
    *,
    move_units: bool,
    cause: Cause,
) -> Ticket:
    """End a duplicate, whose messages go on in the other ticket, which is returned.

    The units it is about are free again, or with `move_units` asked for by the other one.
    """
    if ticket_id == into_id:
        raise Invalid("A ticket cannot be merged into itself.", field=("into_id",))
    await check_same_subject(session, ticket_id, into_id)
    order, into, ticket = await lock_both_tickets(session, into_id, ticket_id)
    check_mergeable(ticket, into)
    await require_certificate_for_ticket(session, into, cause.by, cause=cause, field=("into_id",))
    await check_messages_fit(session, ticket, into)
    was_open = ticket.status is TicketStatus.APPLIED and ticket.type is TicketType.QUESTION
    waited_since = ticket.unanswered_since or (ticket.opened_at if was_open else None)
    due_at, claim = ticket.due_at, await claim_of(session, ticket)
    enter_status(ticket, TicketStatus.CANCELLED, deadlines, now=cause.now)
    ticket.merged_into_id = into.id
    await session.flush()
    if move_units:
        await add_units(session, order, into, ticket, claim, deadlines)
    messages = await move_messages(session, ticket, into)
    await session.execute(
        update(Ticket).where(Ticket.merged_into_id == ticket.id).values(merged_into_id=into.id)
    )
    if was_open and into.status is TicketStatus.ANSWERED:
        enter_status(into, TicketStatus.APPLIED, deadlines, now=cause.now)
    if into.status is TicketStatus.APPLIED and due_at is not None and into.due_at is not None:
        into.due_at = min(into.due_at, due_at)
    if waited_since is not None:
        into.unanswered_since = min(into.unanswered_since or waited_since, waited_since)
    await weigh_texts(session, into, deadlines, now=cause.now)
    record(session, TicketMerged(ticket, into_id=into.id, into_number=into.number, messages=messages), cause)
    record(session, TicketDuplicateJoined(into, duplicate_id=ticket.id, number=ticket.number), cause)
    if order is not None:
        await settle_claimed_order(session, order, cause=cause.automatic)
    return into


async def check_same_subject(session: AsyncSession, ticket_id: int, into_id: int) -> None:
    """Refuse tickets that are not of one customer and order, before either is locked; a question about no
    order goes on as any of its customer.

    What two questions about no order have in common is their customer, whose account is locked: of two
    merges one waits. The other way round nothing is locked after a ticket but a question about no order.
    """
    rows = await session.execute(
        select(Ticket.id, Ticket.order_id, Ticket.account_id).where(Ticket.id.in_([ticket_id, into_id]))
    )
    found = {row.id: row for row in rows}
    ticket, into = found.get(ticket_id), found.get(into_id)
    if ticket is None or into is None:
        raise NotFound("ticket", field=("id",))
    if ticket.account_id != into.account_id or ticket.order_id not in {None, into.order_id}:
        raise WrongState("Only tickets about the same order are merged.", field=("into_id",))
    if into.order_id is None:
        await lock_account(session, into.account_id)


async def lock_both_tickets(
    session: AsyncSession, into_id: int, ticket_id: int
) -> tuple[Order | None, Ticket, Ticket]:
    """The order of the first, both tickets: locked, the tickets in the order of their ids, as whoever takes
    many from an agent locks them."""
    order = await lock_order_of(session, into_id)
    # whoever writes about a duplicate holds it while waiting for what it goes on as
    followers = select(Ticket.id).where(Ticket.merged_into_id == ticket_id).order_by(Ticket.id)
    await session.execute(followers.with_for_update())
    locked = select(Ticket).where(Ticket.id.in_([into_id, ticket_id])).order_by(Ticket.id).with_for_update()
    rows = await session.scalars(locked.execution_options(populate_existing=True))
    found = {row.id: row for row in rows}
    if ticket_id not in found or into_id not in found:
        raise NotFound("ticket", field=("id",))
    return order, found[into_id], found[ticket_id]


def check_mergeable(ticket: Ticket, into: Ticket) -> None:
    """Refuse what has been granted or has ended, and what is of another customer by now."""
    if ticket.account_id != into.account_id:
        raise WrongState("Only tickets about the same order are merged.", field=("into_id",))
    if ticket.status not in MERGED_FROM:
        raise WrongState(
            "This ticket is {status}; it goes on by itself.", status=ticket.status, field=("id",)
        )
    if into.closed_at is not None:
        raise WrongState("This ticket has ended.", field=("into_id",))


async def check_messages_fit(session: AsyncSession, ticket: Ticket, into: Ticket) -> None:
    of_both = TicketMessage.ticket_id.in_([ticket.id, into.id])
    count = await session.scalar(select(func.count(TicketMessage.id)).where(of_both))
    if (count or 0) > MESSAGES_LIMIT:
        raise LimitReached("A ticket has at most {limit} messages.", limit=MESSAGES_LIMIT)


async def add_units(
    session: AsyncSession,
    order: Order | None,
    into: Ticket,
    duplicate: Ticket,
    claim: TicketClaim,
    deadlines: Deadlines,
) -> None:
    """Let a ticket ask for the units of another one, too, which are free now."""
    if order is None or into.status is not TicketStatus.APPLIED or into.type is not claim.type:
        raise WrongState(
            "Units go only to a ticket of the same type that was not answered yet.", field=("move_units",)
        )
    before = await claim_of(session, into)
    kept = await load_kept_substitutes(session, [duplicate.id, into.id])
    both = TicketClaim(into.type, into.reason, add_lines(before.lines, claim.lines))
    quote = await quote_eligible_claim(
        session, order, both, deadlines, asked_at=into.opened_at, ticket_id=into.id, kept=kept
    )
    await save_ticket_lines(session, into, quote)


def add_lines(*claims: tuple[ClaimedUnits, ...]) -> tuple[ClaimedUnits, ...]:
    """The units of several claims, each line once; units of several parcels are those that came first."""
    found: dict[int, ClaimedUnits] = {}
    for line in (line for lines in claims for line in lines):
        known = found.get(line.order_line_id)
        if known is None:
            found[line.order_line_id] = line
            continue
        if known.variant_id != line.variant_id:
            raise WrongState(
                "The tickets want different goods in place of the same ones.", field=("move_units",)
            )
        parcel = line.shipment_id if line.shipment_id == known.shipment_id else None
        found[line.order_line_id] = replace(
            known, quantity=known.quantity + line.quantity, shipment_id=parcel
        )
    return tuple(found.values())


async def move_messages(session: AsyncSession, ticket: Ticket, into: Ticket) -> int:
    """Move the messages of one ticket to another, with what was read of them; how many."""
    moved = await session.scalars(
        update(TicketMessage)
        .where(TicketMessage.ticket_id == ticket.id)
        .values(ticket_id=into.id)
        .returning(TicketMessage.id)
        .execution_options(synchronize_session=False)
    )
    count = len(moved.all())
    marks = (await session.scalars(select(TicketRead).where(TicketRead.ticket_id == ticket.id))).all()
    for mark in marks:
        statement = upsert_into(session, TicketRead).values(
            ticket_id=into.id, account_id=mark.account_id, message_id=mark.message_id, read_at=mark.read_at
        )
        # What was read of the one must not count as read in the other: the lower mark stays.
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[TicketRead.ticket_id, TicketRead.account_id],
                set_={"message_id": statement.excluded.message_id, "read_at": statement.excluded.read_at},
                where=TicketRead.message_id > statement.excluded.message_id,
            )
        )
    await session.execute(delete(TicketRead).where(TicketRead.ticket_id == ticket.id))
    return count
