"""Who has a ticket: given to an agent, handed over with a note, free again when an agent leaves."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.certificates import require_certificate_for_ticket
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.states import FINAL
from domain.aftersales.ticket import lock_ticket
from domain.cause import Cause
from domain.errors import Invalid, NotFound, Path
from domain.events import TicketAssigned
from domain.outbox import record, record_all
from models import Account, Permission, Ticket, is_granted


async def assign_ticket(
    session: AsyncSession, ticket_id: int, assignee_id: int | None, *, cause: Cause
) -> Ticket:
    """Assign a ticket to an agent; None takes it from whoever has it, and it does not return by itself."""
    if assignee_id is not None:
        await check_agent(session, assignee_id)
    _, ticket = await lock_ticket(session, ticket_id)
    if assignee_id is not None:
        field = ("assignee_id",)
        await require_certificate_for_ticket(session, ticket, assignee_id, cause=cause, field=field)
    ticket.released_by_id = ticket.assignee_id if assignee_id is None else None
    ticket.assignee_id = assignee_id
    record(session, TicketAssigned(ticket, assignee_id=assignee_id), cause)
    return ticket


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
    """Take the tickets that have not ended from a locked account that cannot handle them any more."""
    if not can_handle(account):
        await release_tickets_of(session, account.id, cause=cause)


async def release_tickets_of(session: AsyncSession, account_id: int, *, cause: Cause) -> None:
    """Take all tickets that have not ended from somebody; the shop gives them to others."""
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.assignee_id == account_id, Ticket.status.not_in(FINAL))
        .order_by(Ticket.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    tickets = rows.all()
    for ticket in tickets:
        ticket.assignee_id = None
    await record_all(session, [TicketAssigned(ticket, assignee_id=None) for ticket in tickets], cause)
