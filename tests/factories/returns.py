"""Returns as the warehouse inspects them: whole lines at once."""

from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.decisions import decide_ticket
from domain.aftersales.inspection import ReturnedUnits, inspect_return
from domain.cause import Cause
from models import ReturnCondition, Ticket, TicketLine

NUMBERS = count(1)


def part_number() -> str:
    """The number of a ticket that is made where another one is parted."""
    return f"P{next(NUMBERS):05}"


async def accept_return(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, damaged: bool, cause: Cause
) -> Ticket:
    """Accept all that came back for a ticket, as new or damaged."""
    condition = ReturnCondition.DAMAGED if damaged else ReturnCondition.AS_NEW
    return await inspect_whole(session, ticket_id, deadlines, condition, accepted=True, cause=cause)


async def refuse_return(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, reason: str, cause: Cause
) -> Ticket:
    """Refuse all that came back for a ticket, as damaged by its customer."""
    condition = ReturnCondition.DAMAGED
    return await inspect_whole(
        session, ticket_id, deadlines, condition, accepted=False, note=reason, cause=cause
    )


async def inspect_whole(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Deadlines,
    condition: ReturnCondition,
    *,
    accepted: bool,
    note: str = "",
    cause: Cause,
) -> Ticket:
    lines = await session.scalars(select(TicketLine).where(TicketLine.ticket_id == ticket_id))
    groups = [
        ReturnedUnits(line.order_line_id, condition, line.quantity, accepted, not accepted, note)
        for line in lines
    ]
    return await inspect_return(session, ticket_id, groups, deadlines, part_number=part_number(), cause=cause)


async def decide(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, agreed: bool, reason: str, cause: Cause
) -> Ticket:
    """Decide an escalated ticket."""
    return await decide_ticket(
        session, ticket_id, deadlines, agreed=agreed, reason=reason, part_number=part_number(), cause=cause
    )
