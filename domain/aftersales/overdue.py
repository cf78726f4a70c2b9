"""What happens to a ticket when nobody acts in time."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.automatic import (
    accept_uninspected,
    agree_unanswered,
    leave_to_people,
    leave_unrepaired,
)
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.difference import drop_unpaid_difference
from domain.aftersales.questions import close_unasked
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.return_collection import find_collected_by
from domain.aftersales.sending_back import find_last_arrival
from domain.aftersales.states import enter_status
from domain.aftersales.ticket import lock_any_ticket
from domain.aftersales.uncollectable import settle_claimed_order
from domain.cause import Cause
from domain.events import TicketCancelled
from domain.outbox import record
from models import Order, ReplacementChoice, RuleObstacle, Ticket, TicketStatus, TicketType
from models.sql.types import AnySelect


def select_overdue(now: datetime) -> AnySelect:
    """The ids of overdue tickets, the longest overdue first."""
    return select(Ticket.id).where(Ticket.due_at <= now).order_by(Ticket.due_at)


async def act_on_overdue(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Do what the status of an overdue ticket asks for; nothing when somebody has acted meanwhile."""
    order, ticket = await lock_any_ticket(session, ticket_id)
    if ticket.due_at is None or ticket.due_at > cause.now:
        return
    if order is None or ticket.type is TicketType.QUESTION:
        serve_question(session, ticket, deadlines, cause=cause)
        return
    await OVERDUE_ACTIONS[ticket.status](session, ticket, order, deadlines, cause)


def serve_question(session: AsyncSession, ticket: Ticket, deadlines: Deadlines, *, cause: Cause) -> None:
    """Close a locked question that was answered; what was not, people must answer: no rule does."""
    if ticket.status is TicketStatus.ANSWERED:
        close_unasked(session, ticket, deadlines, cause=cause)
    else:
        leave_to_people(session, ticket, RuleObstacle.NO_RULE, deadlines, cause=cause)


async def close_unsent(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Cancel what was not sent back in time, which counts from when its customer had it, and from when a
    carrier was to collect it."""
    collected_by = await find_collected_by(session, ticket)
    if collected_by is not None and collected_by + deadlines.send_back > cause.now:
        ticket.due_at = collected_by + deadlines.send_back
        return
    arrived_at = await find_last_arrival(session, ticket, now=cause.now)
    if arrived_at is not None and arrived_at + deadlines.send_back > cause.now:
        ticket.due_at = arrived_at + deadlines.send_back
        return
    enter_status(ticket, TicketStatus.CANCELLED, deadlines, now=cause.now)
    record(session, TicketCancelled(ticket, unsent=True), cause)
    await settle_claimed_order(session, order, cause=cause.automatic)


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
    TicketStatus.REPAIRING: leave_unrepaired,
    TicketStatus.AWAITING_CHOICE: refund_unchosen,
    TicketStatus.AWAITING_STOCK: refund_unchosen,
    TicketStatus.AWAITING_PAYMENT: drop_unpaid_difference,
}
