"""What the staff decides about tickets: agree, refuse, arbitrate."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.certificates import (
    require_certificate_for_ticket,
    require_certificate_to_agree,
)
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.parts import current_inspections_of, part_ticket
from domain.aftersales.questions import require_claim
from domain.aftersales.returns import restock_return
from domain.aftersales.sending_back import (
    CLAIMED_GOODS,
    Whereabouts,
    count_whereabouts,
    end_parcels_kept,
    keep_unsent,
    require_inspected_parcels,
    send_back_refused,
)
from domain.aftersales.settlement import grant_ticket, record_unavailable
from domain.aftersales.states import STATUS_WHEN_ACCEPTED, STATUS_WHEN_AGREED, answer_customer, enter_status
from domain.aftersales.texts import REASON_LIMIT, clean_text
from domain.aftersales.ticket import lock_ticket, ticket_lines_of
from domain.aftersales.uncollectable import settle_claimed_order
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import (
    TicketAgreed,
    TicketDecided,
    TicketRefused,
)
from domain.outbox import record
from models import Order, ReturnInspection, Ticket, TicketStatus, TicketType


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
    answer_customer(ticket, deadlines, now=cause.now)
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
    answer_customer(ticket, deadlines, now=cause.now)
    enter_status(ticket, TicketStatus.REFUSED, deadlines, now=cause.now)
    ticket.refusal = clean_text(reason, limit=REASON_LIMIT, field="reason")
    record(session, TicketRefused(ticket, reason=ticket.refusal), cause)
    await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


async def decide_ticket(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    *,
    agreed: bool,
    reason: str,
    part_number: str,
    cause: Cause,
) -> Ticket:
    """Decide an escalated ticket for good.

    Goods that have come back and are at the warehouse need not come again: when the shop agrees, they go into
    the damaged stock. What was sent back to the customer meanwhile comes once more; where that is a part of
    the units, the others become a ticket of their own, with the number `part_number`.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.ARBITRATION:
        raise WrongState(
            "This ticket is {status}; there is nothing to decide.", status=ticket.status, field=("id",)
        )
    reason = clean_text(reason, limit=REASON_LIMIT, field="reason")
    answer_customer(ticket, deadlines, now=cause.now)
    if agreed:
        await require_certificate_to_agree(session, ticket, order, cause=cause)
        decided = await grant_decided(session, ticket, order, deadlines, part_number=part_number, cause=cause)
    else:
        await require_certificate_for_ticket(session, ticket, cause.by, cause=cause)
        enter_status(ticket, TicketStatus.REJECTED, deadlines, now=cause.now)
        await send_back_refused(session, ticket, order)
        decided = [ticket]
    for each in decided:
        each.refusal = None if agreed else reason
        record(session, TicketDecided(each, agreed=agreed, reason=reason), cause)
        record_unavailable(session, each, cause=cause)
    await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


async def grant_decided(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    deadlines: Deadlines,
    *,
    part_number: str,
    cause: Cause,
) -> list[Ticket]:
    """Grant an escalated ticket by where its goods are; the tickets that it is then."""
    rows = await current_inspections_of(session, ticket)
    if ticket.return_tracking_number is None and not rows:  # nothing was ever sent back
        await grant_ticket(session, ticket, order, STATUS_WHEN_AGREED[ticket.type], deadlines, cause=cause)
        return [ticket]
    await require_inspected_parcels(session, rows)
    await keep_unsent(session, ticket)
    where = await count_whereabouts(session, rows)
    if ticket.type is TicketType.REPAIR:
        note_lost(rows, where)
    granted = {row.id: row.quantity - where.away.get(row.id, 0) for row in rows}
    here = Counter[int]()
    for row in rows:
        here[row.order_line_id] += where.here.get(row.id, 0)
    if not rows:  # it came back to a release that did not inspect unit by unit
        here.update({line.order_line_id: line.quantity for line in await ticket_lines_of(session, ticket)})
    await end_parcels_kept(session, order, rows, cause=cause)
    if not any(where.away.values()):
        await grant_returned(session, ticket, order, here, deadlines, cause=cause)
        return [ticket]
    decided = [ticket]
    if any(granted.values()):
        part = await part_ticket(
            session, ticket, order, granted, TicketStatus.ARBITRATION, number=part_number
        )
        await grant_returned(session, part, order, here, deadlines, cause=cause)
        decided.append(part)
    ticket.return_carrier_code = ticket.return_carrier = ticket.return_tracking_number = None
    ticket.return_parcel_id, ticket.return_corrections = None, 0
    await grant_ticket(session, ticket, order, STATUS_WHEN_AGREED[ticket.type], deadlines, cause=cause)
    return decided


async def grant_returned(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    here: Mapping[int, int],
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Grant a ticket of which nothing has to come again, and keep its units that are at the warehouse, by
    order line."""
    await grant_ticket(session, ticket, order, STATUS_WHEN_ACCEPTED[ticket.type], deadlines, cause=cause)
    rows = await current_inspections_of(session, ticket)
    if ticket.type is TicketType.REPAIR:  # that goes back to its customer
        for row in rows:
            if row.condition in CLAIMED_GOODS:
                row.delivery_line_id = None
    else:
        await restock_return(session, ticket, order, as_new={}, damaged=here, cause=cause)
    for row in rows:
        row.accepted = True


def note_lost(rows: Sequence[ReturnInspection], where: Whereabouts) -> None:
    """Note how many units of each are neither at the warehouse nor with their customer.

    What was not the shop's and went back has never been among them.
    """
    for row in rows:
        if row.condition in CLAIMED_GOODS or row.delivery_line_id is None:
            row.lost = row.quantity - where.here.get(row.id, 0) - where.away.get(row.id, 0)
