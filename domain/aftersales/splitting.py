"""Splitting a ticket: some of its units are decided apart."""

from dataclasses import asdict, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.aftersales.certificates import require_certificate_for_ticket
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import weigh_ticket
from domain.aftersales.requests import claim_event, quote_eligible_claim
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.aftersales.substitute import load_kept_substitutes
from domain.aftersales.ticket import (
    check_ticket_limit,
    claim_of,
    copy_ticket,
    lock_ticket,
    save_ticket_lines,
    save_ticket_media,
)
from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState, collect_refusals
from domain.events import TicketSplit, TicketSplitOff
from domain.outbox import record
from models import Ticket, TicketMedia, TicketStatus, TicketType

COMMAND = "ticketSplit"


async def split_ticket(
    session: AsyncSession,
    ticket_id: int,
    lines: tuple[ClaimedUnits, ...],
    deadlines: Deadlines,
    *,
    number: str,
    key: str,
    cause: Cause,
) -> Ticket:
    """Make a ticket of its own of some units of one that was not answered yet; messages stay with the first.

    It was asked for when the first was, and is due when that is. A repeated key finds the ticket it made.
    """
    content = {"ticket_id": ticket_id, "lines": [asdict(line) for line in lines]}
    known = await idempotency.claim_key(
        session, account_id=cause.person, command=COMMAND, key=key, content=content, now=cause.now
    )
    if known is not None:
        return await session.get_one(Ticket, known)
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.APPLIED or ticket.type is TicketType.QUESTION:
        raise WrongState(
            "This ticket is {status}; only a request that was not answered is split.",
            status=ticket.status,
            field=("id",),
        )
    await require_certificate_for_ticket(session, ticket, cause.by, cause=cause)
    await check_ticket_limit(session, order)
    claim = await claim_of(session, ticket)
    kept_prices = await load_kept_substitutes(session, [ticket.id])
    kept = TicketClaim(ticket.type, ticket.reason, take_away(claim.lines, lines))
    quote = await quote_eligible_claim(
        session, order, kept, deadlines, asked_at=ticket.opened_at, ticket_id=ticket.id
    )
    await save_ticket_lines(session, ticket, quote)
    new = copy_ticket(ticket, ticket.status, number=number)
    new.split_from_id, new.due_at = ticket.id, ticket.due_at
    new.overdue_since, new.overdue_obstacle = ticket.overdue_since, ticket.overdue_obstacle
    session.add(new)
    await session.flush()
    variant_ids = {line.order_line_id: line.variant_id for line in claim.lines}
    split_off = tuple(replace(line, variant_id=variant_ids[line.order_line_id]) for line in lines)
    apart = TicketClaim(new.type, new.reason, split_off)
    quote = await quote_eligible_claim(
        session, order, apart, deadlines, asked_at=new.opened_at, ticket_id=new.id, kept=kept_prices
    )
    await save_ticket_lines(session, new, quote)
    media = await session.scalars(select(TicketMedia.media_id).where(TicketMedia.ticket_id == ticket.id))
    await save_ticket_media(session, new, media.all())
    for each in (ticket, new):
        await weigh_ticket(session, each, each.description, deadlines, now=cause.now)
    record(session, TicketSplit(ticket, into_id=new.id, into_number=new.number), cause)
    record(session, claim_event(TicketSplitOff, new, quote), cause)
    await idempotency.save_result(
        session, account_id=cause.person, command=COMMAND, key=key, result_id=new.id
    )
    return new


def take_away(claimed: tuple[ClaimedUnits, ...], lines: tuple[ClaimedUnits, ...]) -> tuple[ClaimedUnits, ...]:
    """What is left of a claim without some units; refuses units that it is not about, and all of them."""
    left = {line.order_line_id: line for line in claimed}
    with collect_refusals() as check:
        for index, line in enumerate(lines):
            known = left.get(line.order_line_id)
            if known is None:
                check.add(NotFound("order line", field=("lines", index, "order_line_id")))
            elif not 1 <= line.quantity <= known.quantity:
                check.add(
                    Invalid(
                        "The ticket is about {left} units of this line.",
                        left=known.quantity,
                        field=("lines", index, "quantity"),
                    )
                )
            elif line.variant_id not in {None, known.variant_id}:
                template = "What is split off is exchanged for what the ticket asks for."
                check.add(Invalid(template, field=("lines", index, "variant_id")))
            else:
                rest = known.quantity - line.quantity
                left[line.order_line_id] = replace(known, quantity=rest)
    found = tuple(line for line in left.values() if line.quantity)
    if not found or not lines:
        raise Invalid("Some units stay with the ticket, and some are split off.", field=("lines",))
    return found
