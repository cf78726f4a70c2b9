"""Questions: tickets without lines, which the shop answers and then closes."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.states import enter_status
from domain.aftersales.ticket import lock_any_ticket
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import TicketClosed
from domain.outbox import record
from models import Ticket, TicketStatus, TicketType


def require_claim(ticket: Ticket) -> None:
    """Refuse to grant or refuse what asks for nothing but an answer."""
    if ticket.type is TicketType.QUESTION:
        raise WrongState("This is a question: answer it with a message.", field=("id",))


def follow_message(ticket: Ticket, deadlines: Deadlines, *, from_customer: bool, cause: Cause) -> None:
    """What a message for both sides does to a question: the shop answers it, the customer asks on."""
    if ticket.type is not TicketType.QUESTION:
        return
    if ticket.closed_at is not None:
        if from_customer:
            raise WrongState("This question is closed: ask a new one.", field=("id",))
    elif from_customer and ticket.status is TicketStatus.ANSWERED:
        enter_status(ticket, TicketStatus.APPLIED, deadlines, now=cause.now)
    elif not from_customer and ticket.status is TicketStatus.APPLIED:
        enter_status(ticket, TicketStatus.ANSWERED, deadlines, now=cause.now)


async def close_question(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Close a question that has been answered; the staff also one that needs no answer."""
    _, ticket = await lock_any_ticket(session, ticket_id)
    by_staff = cause.by != ticket.account_id
    closable = {TicketStatus.ANSWERED, TicketStatus.APPLIED} if by_staff else {TicketStatus.ANSWERED}
    if ticket.type is not TicketType.QUESTION or ticket.status not in closable:
        raise WrongState("Only a question that has been answered can be closed.", field=("id",))
    enter_status(ticket, TicketStatus.COMPLETED, deadlines, now=cause.now)
    record(session, TicketClosed(ticket), cause)
    return ticket


def close_unasked(session: AsyncSession, ticket: Ticket, deadlines: Deadlines, *, cause: Cause) -> None:
    """The customer of a locked question has not written again in time."""
    enter_status(ticket, TicketStatus.COMPLETED, deadlines, now=cause.now)
    record(session, TicketClosed(ticket, unasked=True), cause)
