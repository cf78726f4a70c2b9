"""What the staff decides about tickets: agree, refuse, accept or refuse a return, arbitrate."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.certificates import (
    require_certificate_for_ticket,
    require_certificate_to_agree,
)
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.questions import require_claim
from domain.aftersales.returns import restock_return
from domain.aftersales.settlement import grant_ticket, record_unavailable
from domain.aftersales.states import STATUS_WHEN_ACCEPTED, STATUS_WHEN_AGREED, enter_status
from domain.aftersales.texts import REASON_LIMIT, clean_text
from domain.aftersales.ticket import lock_ticket
from domain.aftersales.uncollectable import settle_claimed_order
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import (
    TicketAgreed,
    TicketDecided,
    TicketRefused,
    TicketReturnAccepted,
    TicketReturnRefused,
)
from domain.outbox import record
from models import Ticket, TicketStatus


async def agree_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Grant what the customer asks for."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.APPLIED:
        raise WrongState(
            "This ticket is {status}; there is nothing to answer.", status=ticket.status, field=("id",)
        )
    require_claim(ticket)
    await require_certificate_to_agree(session, ticket, order, cause=cause)
    await grant_ticket(session, ticket, order, STATUS_WHEN_AGREED[ticket.type], deadlines, cause=cause)
    record(session, TicketAgreed(ticket), cause)
    record_unavailable(session, ticket, cause=cause)
    return ticket


async def refuse_ticket(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    reason: str,
    cause: Cause,
) -> Ticket:
    """Refuse what the customer asks for; they may apply again or escalate."""
    order, ticket = await lock_ticket(session, ticket_id)
    require_claim(ticket)
    await require_certificate_for_ticket(session, ticket, cause.by, cause=cause)
    enter_status(ticket, TicketStatus.REFUSED, deadlines, now=cause.now)
    ticket.refusal = clean_text(reason, limit=REASON_LIMIT, field="reason")
    record(session, TicketRefused(ticket, reason=ticket.refusal), cause)
    await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


async def accept_return(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    damaged: bool,
    note: str = "",
    cause: Cause,
) -> Ticket:
    """Accept what came back: it is restocked, as damaged or to be sold again, and the ticket goes on.

    A return that was accepted because nobody inspected it in time is only restocked.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    awaited = ticket.uninspected_at is None
    if awaited:
        require_return(ticket)
        await grant_ticket(session, ticket, order, STATUS_WHEN_ACCEPTED[ticket.type], deadlines, cause=cause)
    # Only now, so that the unit that came back is not the one that is sent again.
    await restock_return(session, ticket, order, damaged=damaged, cause=cause)
    note = note.strip()[:REASON_LIMIT]
    record(session, TicketReturnAccepted(ticket, damaged=damaged, note=note), cause)
    if awaited:
        record_unavailable(session, ticket, cause=cause)
    return ticket


def require_return(ticket: Ticket) -> None:
    """Refuse to accept a return of which nothing is under way."""
    if ticket.status is not TicketStatus.RETURN_SHIPPED:
        raise WrongState(
            "This ticket is {status}; no goods are expected.", status=ticket.status, field=("id",)
        )


async def refuse_return(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    reason: str,
    cause: Cause,
) -> Ticket:
    """Refuse what came back as not what was agreed; the customer may escalate."""
    order, ticket = await lock_ticket(session, ticket_id)
    enter_status(ticket, TicketStatus.RETURN_REFUSED, deadlines, now=cause.now)
    ticket.refusal = clean_text(reason, limit=REASON_LIMIT, field="note")
    record(session, TicketReturnRefused(ticket, reason=ticket.refusal), cause)
    await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


async def decide_ticket(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    agreed: bool,
    reason: str,
    damaged: bool = False,
    cause: Cause,
) -> Ticket:
    """Decide an escalated ticket for good.

    Goods that have come back need not come again: when the shop agrees, they are restocked, as damaged or
    to be sold again.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.ARBITRATION:
        raise WrongState(
            "This ticket is {status}; there is nothing to decide.", status=ticket.status, field=("id",)
        )
    reason = clean_text(reason, limit=REASON_LIMIT, field="reason")
    if agreed:
        await require_certificate_to_agree(session, ticket, order, cause=cause)
        sent_back = ticket.return_tracking_number is not None
        to = STATUS_WHEN_ACCEPTED[ticket.type] if sent_back else STATUS_WHEN_AGREED[ticket.type]
        await grant_ticket(session, ticket, order, to, deadlines, cause=cause)
        if sent_back:
            await restock_return(session, ticket, order, damaged=damaged, cause=cause)
        ticket.refusal = None
    else:
        await require_certificate_for_ticket(session, ticket, cause.by, cause=cause)
        enter_status(ticket, TicketStatus.REJECTED, deadlines, now=cause.now)
        ticket.refusal = reason
    record(session, TicketDecided(ticket, agreed=agreed, reason=reason), cause)
    record_unavailable(session, ticket, cause=cause)
    await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket
