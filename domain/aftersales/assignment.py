"""Who has a ticket: given to an agent, handed over with a note, free again when an agent leaves."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.certificates import require_certificate_for_ticket
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.ticket import lock_any_ticket
from domain.cause import Cause
from domain.errors import Invalid, NotFound, Path
from domain.events import TicketAssigned
from domain.outbox import record, record_all
from models import Account, Permission, Ticket, TicketAgent, TicketRelease, is_granted
from models.sql.types import AnySelect


async def assign_ticket(
    session: AsyncSession, ticket_id: int, assignee_id: int | None, *, cause: Cause
) -> Ticket:
    """Assign a ticket to an agent; None takes it from whoever has it, to whom the shop gives it no more.

    Nothing changes where nobody has it.
    """
    if assignee_id is not None:
        await check_agent(session, assignee_id)
    _, ticket = await lock_any_ticket(session, ticket_id)
    if assignee_id is not None:
        field = ("assignee_id",)
        await require_certificate_for_ticket(session, ticket, assignee_id, cause=cause, field=field)
    if assignee_id is not None:
        await forget_release(session, ticket, assignee_id)
    elif ticket.assignee_id is None:
        return ticket
    else:
        released = TicketRelease(ticket_id=ticket.id, account_id=ticket.assignee_id, released_at=cause.now)
        await session.merge(released)
    ticket.assignee_id = assignee_id
    record(session, TicketAssigned(ticket, assignee_id=assignee_id), cause)
    return ticket


async def forget_release(session: AsyncSession, ticket: Ticket, account_id: int) -> None:
    """Forget that somebody gave a locked ticket back: they are given it by name, or take it themselves."""
    await session.execute(
        delete(TicketRelease).where(
            TicketRelease.ticket_id == ticket.id, TicketRelease.account_id == account_id
        )
    )


def select_ended_releases(now: datetime) -> AnySelect:
    """The ids of tickets that were given back by somebody and with which nobody has to do any more."""
    # `now` decides nothing here: what has ended has ended
    has_ended = Ticket.closed_at.is_not(None) & Ticket.attend_by.is_(None)
    released = select(TicketRelease.ticket_id).join(Ticket, Ticket.id == TicketRelease.ticket_id)
    return released.where(has_ended).distinct().order_by(TicketRelease.ticket_id)


async def forget_releases(session: AsyncSession, ticket_id: int) -> None:
    await session.execute(delete(TicketRelease).where(TicketRelease.ticket_id == ticket_id))


def is_needed() -> ColumnElement[bool]:
    """Whether somebody has to do with a ticket still; an index has those by who has them."""
    return or_(Ticket.closed_at.is_(None), Ticket.attend_by.is_not(None))


async def hand_over_ticket(
    session: AsyncSession,
    ticket_id: int,
    assignee_id: int | None,
    deadlines: Deadlines,
    *,
    note: str,
    cause: Cause,
) -> Ticket:
    """Assign a ticket with an internal note for whoever goes on with it, who is told."""
    ticket = await assign_ticket(session, ticket_id, assignee_id, cause=cause)
    mentioned = () if assignee_id is None else (assignee_id,)
    await add_message(
        session, ticket_id, MessageDraft(note, internal=True, mention_ids=mentioned), deadlines, cause=cause
    )
    return ticket


async def check_agent(session: AsyncSession, account_id: int, *, field: Path = ("assignee_id",)) -> None:
    """Refuse who cannot handle tickets.

    The account is locked, before any ticket is, as those do who disable it: nobody is given a ticket while
    they leave.
    """
    account = await session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise NotFound("account", field=field)
    if not can_handle(account):
        raise Invalid("Only support staff can be given a ticket.", field=field)


def can_handle(account: Account) -> bool:
    return account.disabled_at is None and is_granted(Permission.TICKET_HANDLE, account.role)


async def release_tickets(session: AsyncSession, account: Account, *, cause: Cause) -> None:
    """Take the tickets that have not ended from a locked account that cannot handle them any more.

    They are away then: who comes back to the support is given nothing before they say that they are there.
    """
    if can_handle(account):
        return
    agent = await lock_ticket_agent(session, account.id)
    if agent is not None:
        agent.away_since = agent.away_since or cause.now
    await release_tickets_of(session, account.id, cause=cause)


async def lock_ticket_agent(session: AsyncSession, account_id: int) -> TicketAgent | None:
    statement = select(TicketAgent).where(TicketAgent.account_id == account_id).with_for_update()
    return await session.scalar(statement.execution_options(populate_existing=True))


async def release_tickets_of(session: AsyncSession, account_id: int, *, cause: Cause) -> None:
    """Take all tickets that have not ended from somebody; the shop gives them to others."""
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.assignee_id == account_id, is_needed())
        .order_by(Ticket.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    await take_away(session, rows.all(), cause=cause)


async def take_away(session: AsyncSession, tickets: Sequence[Ticket], *, cause: Cause) -> None:
    """Take locked tickets from whoever has them."""
    for ticket in tickets:
        ticket.assignee_id = None
    await record_all(session, [TicketAssigned(ticket, assignee_id=None) for ticket in tickets], cause)
