"""What happens to a ticket when nobody acts in time."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.questions import close_unasked
from domain.aftersales.reasons import ClaimStage, stage_of
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.sent_units import load_sent_units, units_of_ticket
from domain.aftersales.settlement import grant_ticket, record_unavailable
from domain.aftersales.states import STATUS_WHEN_ACCEPTED, STATUS_WHEN_AGREED, enter_status
from domain.aftersales.ticket import lock_ticket
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import AlreadyPacked
from domain.cause import Cause
from domain.events import TicketAgreed, TicketCancelled, TicketOverdue, TicketRefused, TicketReturnAccepted
from domain.outbox import record
from models import Order, ReplacementChoice, Ticket, TicketStatus, TicketType
from models.sql.types import AnySelect


def select_overdue(now: datetime) -> AnySelect:
    """The ids of overdue tickets, the longest overdue first."""
    return select(Ticket.id).where(Ticket.due_at <= now).order_by(Ticket.due_at)


async def act_on_overdue(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Do what the status of an overdue ticket asks for; nothing when somebody has acted meanwhile."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.due_at is None or ticket.due_at > cause.now:
        return
    await OVERDUE_ACTIONS[ticket.status](session, ticket, order, deadlines, cause)


async def agree_unanswered(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Agree for the shop, unless tracking says otherwise than the customer: that only people can decide."""
    if ticket.type is TicketType.QUESTION or await contradicts_tracking(session, ticket, order):
        ticket.due_at = deadlines.due_at(ticket.status, cause.now)
        record(session, TicketOverdue(ticket), cause)
        return
    try:
        async with session.begin_nested():
            to = STATUS_WHEN_AGREED[ticket.type]
            await grant_ticket(session, ticket, order, to, deadlines, cause=cause.automatic)
    except AlreadyPacked as refusal:
        await session.refresh(ticket)
        enter_status(ticket, TicketStatus.REFUSED, deadlines, now=cause.now)
        ticket.refusal = str(refusal)
        record(session, TicketRefused(ticket, reason=ticket.refusal), cause)
        await settle_claimed_order(session, order, cause=cause.automatic)
    else:
        record(session, TicketAgreed(ticket, unanswered=True), cause)
        record_unavailable(session, ticket, cause=cause)


async def contradicts_tracking(session: AsyncSession, ticket: Ticket, order: Order) -> bool:
    """Whether something is claimed as not received of which tracking says that it was delivered."""
    if stage_of(ticket.type, ticket.reason) is not ClaimStage.SENT:
        return False
    sent = await load_sent_units(session, order)
    return any(each.arrived_at is not None for each, _ in units_of_ticket(sent, ticket.id))


async def close_unsent(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    enter_status(ticket, TicketStatus.CANCELLED, deadlines, now=cause.now)
    record(session, TicketCancelled(ticket, unsent=True), cause)
    await settle_claimed_order(session, order, cause=cause.automatic)


async def accept_uninspected(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    # Nobody has inspected the goods, so the stock does not change until the warehouse books them in.
    ticket.uninspected_at = cause.now
    status = STATUS_WHEN_ACCEPTED[ticket.type]
    await grant_ticket(session, ticket, order, status, deadlines, cause=cause.automatic)
    record(session, TicketReturnAccepted(ticket, unseen=True), cause)
    record_unavailable(session, ticket, cause=cause)


async def refund_unchosen(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Nobody has chosen in time, or no stock has come: the customer gets money."""
    await choose_replacement(session, ticket.id, ReplacementChoice.MONEY, deadlines, cause=cause.automatic)


OverdueAction = Callable[[AsyncSession, Ticket, Order, Deadlines, Cause], Awaitable[None]]

OVERDUE_ACTIONS: Mapping[TicketStatus, OverdueAction] = {
    TicketStatus.APPLIED: agree_unanswered,
    TicketStatus.AWAITING_RETURN: close_unsent,
    TicketStatus.RETURN_SHIPPED: accept_uninspected,
    TicketStatus.AWAITING_CHOICE: refund_unchosen,
    TicketStatus.AWAITING_STOCK: refund_unchosen,
    TicketStatus.ANSWERED: close_unasked,
}
