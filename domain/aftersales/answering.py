"""What the shop does with tickets: agree, refuse, look at what came back, decide."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.goods import take_goods_back
from domain.aftersales.settling import grant
from domain.aftersales.states import ACCEPTED, AGREED, Deadlines, enter
from domain.aftersales.texts import REASON_LIMIT, said
from domain.aftersales.ticket import lock_ticket
from domain.errors import Invalid, NotFound, WrongState
from domain.outbox import record
from domain.state import words
from models import Account, Order, Role, Ticket, TicketStatus

AGENTS = frozenset({Role.SUPPORT, Role.MANAGER, Role.ADMIN})
"""Whom a ticket can be given to."""


async def agree_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, now: datetime, by: int | None
) -> Ticket:
    """Grant what the customer asks for."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.APPLIED:
        raise WrongState(f"This ticket is {words(ticket.status)}; there is nothing to answer.", field=("id",))
    await grant(session, ticket, order, AGREED[ticket.type], deadlines, now=now, by=by)
    record(session, "ticket.agreed", ticket, now=now, by=by)
    return ticket


async def refuse_ticket(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    reason: str,
    now: datetime,
    by: int | None,
) -> Ticket:
    """Say no, and why; the customer may apply again or escalate."""
    _, ticket = await lock_ticket(session, ticket_id)
    enter(ticket, TicketStatus.REFUSED, deadlines, now=now)
    ticket.refusal = said(reason, limit=REASON_LIMIT, field="reason")
    record(session, "ticket.refused", ticket, now=now, by=by, reason=ticket.refusal)
    return ticket


async def accept_return(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    damaged: bool,
    note: str = "",
    now: datetime,
    by: int | None,
) -> Ticket:
    """The goods are here and as they should be: into the stock with them, and on with the ticket."""
    order, ticket = await lock_ticket(session, ticket_id)
    await accept(session, ticket, order, deadlines, now=now, by=by)
    await take_goods_back(session, ticket, order, damaged=damaged, now=now, by=by)
    said_ = note.strip()[:REASON_LIMIT]
    record(session, "ticket.return_accepted", ticket, now=now, by=by, damaged=damaged, note=said_)
    return ticket


async def accept(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    deadlines: Deadlines,
    *,
    now: datetime,
    by: int | None,
) -> None:
    if ticket.status is not TicketStatus.RETURN_SHIPPED:
        raise WrongState(f"This ticket is {words(ticket.status)}; no goods are expected.", field=("id",))
    await grant(session, ticket, order, ACCEPTED[ticket.type], deadlines, now=now, by=by)


async def refuse_return(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    reason: str,
    now: datetime,
    by: int,
) -> Ticket:
    """What came back is not what was agreed; the customer may escalate."""
    _, ticket = await lock_ticket(session, ticket_id)
    enter(ticket, TicketStatus.RETURN_REFUSED, deadlines, now=now)
    ticket.refusal = said(reason, limit=REASON_LIMIT, field="note")
    record(session, "ticket.return_refused", ticket, now=now, by=by, reason=ticket.refusal)
    return ticket


async def decide_ticket(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    agreed: bool,
    reason: str,
    now: datetime,
    by: int,
) -> Ticket:
    """The last word on an escalated ticket. Goods that have come back need not come again."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.ARBITRATION:
        raise WrongState(f"This ticket is {words(ticket.status)}; there is nothing to decide.", field=("id",))
    words_ = said(reason, limit=REASON_LIMIT, field="reason")
    if agreed:
        sent_back = ticket.return_tracking_number is not None
        to = ACCEPTED[ticket.type] if sent_back else AGREED[ticket.type]
        await grant(session, ticket, order, to, deadlines, now=now, by=by)
        ticket.refusal = None
    else:
        enter(ticket, TicketStatus.REJECTED, deadlines, now=now)
        ticket.refusal = words_
    record(session, "ticket.decided", ticket, now=now, by=by, agreed=agreed, reason=words_)
    return ticket


async def assign_ticket(
    session: AsyncSession, ticket_id: int, assignee_id: int | None, *, now: datetime, by: int
) -> Ticket:
    """Give a ticket to an agent, or back to nobody."""
    _, ticket = await lock_ticket(session, ticket_id)
    if assignee_id is not None:
        await check_agent(session, assignee_id)
    ticket.assignee_id = assignee_id
    record(session, "ticket.assigned", ticket, now=now, by=by, assignee_id=assignee_id)
    return ticket


async def check_agent(session: AsyncSession, account_id: int) -> None:
    account = await session.get(Account, account_id)
    if account is None:
        raise NotFound("account", field=("assignee_id",))
    if account.role not in AGENTS or account.disabled_at is not None:
        raise Invalid("Only support staff can be given a ticket.", field=("assignee_id",))
