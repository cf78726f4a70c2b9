"""What customers do with tickets: apply, apply again, send goods back, insist, give up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.aftersales.quote import Quote, quote_claim
from domain.aftersales.rules import Claim, Wanted
from domain.aftersales.states import Deadlines, enter
from domain.aftersales.texts import DESCRIPTION_LIMIT, TRACKING_LIMIT, said
from domain.aftersales.ticket import claim_of, lock_ticket, room_for_one_more, write_lines, write_media
from domain.order import lock_order
from domain.outbox import record
from models import Order, Ticket, TicketReason, TicketStatus

COMMAND = "ticketOpen"


@dataclass(frozen=True, slots=True)
class Application:
    """A claim, and how the customer explains and proves it."""

    claim: Claim
    description: str
    media_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What is said differently the second time; None stays as it was."""

    description: str
    reason: TicketReason | None = None
    lines: tuple[Wanted, ...] | None = None
    media_ids: tuple[int, ...] | None = None


async def open_ticket(
    session: AsyncSession,
    order_id: int,
    application: Application,
    deadlines: Deadlines,
    *,
    number: str,
    key: str,
    now: datetime,
    by: int,
) -> Ticket:
    """Apply for something after the sale; a repeated key finds the ticket it opened."""
    content = {"order_id": order_id} | asdict(application)
    known = await idempotency.claim(
        session, account_id=by, command=COMMAND, key=key, content=content, now=now
    )
    if known is not None:
        return await session.get_one(Ticket, known)
    order = await lock_order(session, order_id)
    await room_for_one_more(session, order)
    quote = await granted(session, order, application.claim, deadlines, asked_at=now)
    ticket = Ticket(
        number=number,
        order_id=order.id,
        account_id=order.account_id,
        type=application.claim.type,
        reason=application.claim.reason,
        status=TicketStatus.APPLIED,
        description=said(application.description, limit=DESCRIPTION_LIMIT, field="description"),
        currency=order.currency,
        refund_amount=quote.refund.minor,
        version=0,
        opened_at=now,
        due_at=deadlines.due_at(TicketStatus.APPLIED, now),
    )
    session.add(ticket)
    await session.flush()
    await write_lines(session, ticket, quote)
    await write_media(session, ticket, application.media_ids)
    record(session, "ticket.opened", ticket, now=now, by=by, **facts(ticket, quote))
    await idempotency.settle(session, account_id=by, command=COMMAND, key=key, result_id=ticket.id)
    return ticket


async def reapply_ticket(
    session: AsyncSession,
    ticket_id: int,
    change: Change,
    deadlines: Deadlines,
    *,
    now: datetime,
    by: int,
) -> Ticket:
    """Apply again after a refusal, explained better; it is in time if the first try was."""
    order, ticket = await lock_ticket(session, ticket_id)
    enter(ticket, TicketStatus.APPLIED, deadlines, now=now)
    before = await claim_of(session, ticket)
    claim = Claim(ticket.type, change.reason or ticket.reason, change.lines or before.lines)
    quote = await granted(session, order, claim, deadlines, asked_at=ticket.opened_at, own=ticket.id)
    ticket.reason, ticket.refusal = claim.reason, None
    ticket.description = said(change.description, limit=DESCRIPTION_LIMIT, field="description")
    await write_lines(session, ticket, quote)
    if change.media_ids is not None:
        await write_media(session, ticket, change.media_ids)
    record(session, "ticket.reapplied", ticket, now=now, by=by, **facts(ticket, quote))
    return ticket


async def cancel_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, now: datetime, by: int
) -> Ticket:
    """Take a request back while nothing has been settled."""
    _, ticket = await lock_ticket(session, ticket_id)
    enter(ticket, TicketStatus.CANCELLED, deadlines, now=now)
    record(session, "ticket.cancelled", ticket, now=now, by=by)
    return ticket


async def escalate_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, now: datetime, by: int
) -> Ticket:
    """Ask for a manager after a refusal, as long as no other ticket is about the same units."""
    order, ticket = await lock_ticket(session, ticket_id)
    enter(ticket, TicketStatus.ARBITRATION, deadlines, now=now)
    claim = await claim_of(session, ticket)
    quote = await granted(session, order, claim, deadlines, asked_at=ticket.opened_at, own=ticket.id)
    await write_lines(session, ticket, quote)
    record(session, "ticket.escalated", ticket, now=now, by=by)
    return ticket


async def ship_return(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    carrier: str,
    tracking_number: str,
    now: datetime,
    by: int,
) -> Ticket:
    """Say how the goods travel back."""
    _, ticket = await lock_ticket(session, ticket_id)
    enter(ticket, TicketStatus.RETURN_SHIPPED, deadlines, now=now)
    ticket.return_carrier = said(carrier, limit=TRACKING_LIMIT, field="carrier")
    ticket.return_tracking_number = said(tracking_number, limit=TRACKING_LIMIT, field="tracking_number")
    record(session, "ticket.return_shipped", ticket, now=now, by=by)
    return ticket


async def granted(
    session: AsyncSession,
    order: Order,
    claim: Claim,
    deadlines: Deadlines,
    *,
    asked_at: datetime,
    own: int | None = None,
) -> Quote:
    """The quote of a claim, or the refusal that stands in its way."""
    quote = await quote_claim(session, order, claim, deadlines, asked_at=asked_at, own=own)
    if quote.obstacle is not None:
        raise quote.obstacle
    return quote


def facts(ticket: Ticket, quote: Quote) -> Mapping[str, Any]:
    return {
        "number": ticket.number,
        "type": ticket.type,
        "reason": ticket.reason,
        "currency": ticket.currency,
        "refund_amount": ticket.refund_amount,
        "lines": [{"order_line_id": each.line.id, "quantity": each.quantity} for each in quote.lines],
    }
