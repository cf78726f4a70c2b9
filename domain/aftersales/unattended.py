"""What happens to tickets by themselves: when nobody acts in time, and when their order ends."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.answering import accept
from domain.aftersales.goods import AlreadyPacked
from domain.aftersales.settling import grant
from domain.aftersales.states import AGREED, TRANSITIONS, UNSETTLED, Deadlines, enter
from domain.aftersales.ticket import lock_ticket
from domain.errors import OutOfStock
from domain.outbox import record
from models import Order, Ticket, TicketStatus


def overdue(now: datetime) -> Select[Any]:
    return select(Ticket.id).where(Ticket.due_at <= now).order_by(Ticket.due_at)


async def act_overdue(session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, now: datetime) -> None:
    """Do what an overdue ticket's status asks for; nothing when somebody was faster."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.due_at is None or ticket.due_at > now:
        return
    try:
        async with session.begin_nested():
            await OVERDUE[ticket.status](session, ticket, order, deadlines, now)
    except OutOfStock as refusal:
        await session.refresh(ticket)
        ticket.due_at = deadlines.due_at(ticket.status, now)
        record(session, "ticket.postponed", ticket, now=now, reason=str(refusal))


async def agree_unanswered(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, now: datetime
) -> None:
    try:
        async with session.begin_nested():
            await grant(session, ticket, order, AGREED[ticket.type], deadlines, now=now, by=None)
    except AlreadyPacked as refusal:
        await session.refresh(ticket)
        enter(ticket, TicketStatus.REFUSED, deadlines, now=now)
        ticket.refusal = str(refusal)
        record(session, "ticket.refused", ticket, now=now, reason=ticket.refusal)
    else:
        record(session, "ticket.agreed", ticket, now=now, unanswered=True)


async def close_unsent(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, now: datetime
) -> None:
    enter(ticket, TicketStatus.CANCELLED, deadlines, now=now)
    record(session, "ticket.cancelled", ticket, now=now, unsent=True)


async def accept_unseen(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, now: datetime
) -> None:
    """Nobody has looked at the goods, so the stock does not change: whoever finds them books them in."""
    await accept(session, ticket, order, deadlines, now=now, by=None)
    record(session, "ticket.return_accepted", ticket, now=now, unseen=True)


Act = Callable[[AsyncSession, Ticket, Order, Deadlines, datetime], Awaitable[None]]

OVERDUE: Mapping[TicketStatus, Act] = {
    TicketStatus.APPLIED: agree_unanswered,
    TicketStatus.AWAITING_RETURN: close_unsent,
    TicketStatus.RETURN_SHIPPED: accept_unseen,
}


async def end_with_order(
    session: AsyncSession, order_id: int, deadlines: Deadlines, *, now: datetime
) -> None:
    """Nothing is left to ask for once an order was cancelled or has been refunded in full."""
    open_ = {status for status in UNSETTLED if TicketStatus.CANCELLED in TRANSITIONS[status]}
    found = select(Ticket.id).where(Ticket.order_id == order_id, Ticket.status.in_(open_)).order_by(Ticket.id)
    for ticket_id in (await session.scalars(found)).all():
        _, ticket = await lock_ticket(session, ticket_id)
        if ticket.status in open_:
            enter(ticket, TicketStatus.CANCELLED, deadlines, now=now)
            record(session, "ticket.cancelled", ticket, now=now, order_over=True)
