"""The warehouse inspects what a customer has sent back, unit by unit: what is kept, and what is not."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.parts import part_ticket
from domain.aftersales.returns import restock_return
from domain.aftersales.sending_back import send_back_refused
from domain.aftersales.settlement import grant_ticket, record_unavailable
from domain.aftersales.states import STATUS_WHEN_ACCEPTED, enter_status
from domain.aftersales.texts import REASON_LIMIT, clean_text
from domain.aftersales.ticket import lock_ticket, ticket_lines_of
from domain.aftersales.uncollectable import settle_claimed_order
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, Path, WrongState, collect_refusals
from domain.events import TicketReturnAccepted, TicketReturnRefused, TicketReturnShort
from domain.outbox import record
from models import (
    Order,
    ReturnCondition,
    ReturnInspection,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
)

GROUPS_LIMIT = 100
"""Groups of units that one inspection tells apart."""

NEVER_ACCEPTED = frozenset({ReturnCondition.NOT_OURS, ReturnCondition.MISSING})
"""For what has not come back nothing is granted."""

DAMAGED_STOCK = frozenset({ReturnCondition.DAMAGED, ReturnCondition.INCOMPLETE})
"""What goes into the damaged stock."""


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Units of an order line that came back in one condition, or did not."""

    order_line_id: int
    condition: ReturnCondition
    quantity: int
    accepted: bool | None = None
    """Whether the shop keeps them and grants what was asked for; None where the condition says it."""
    customers_fault: bool = False
    """Whether the customer has caused what is wrong with them."""
    note: str = ""
    """What the customer reads about them."""

    @property
    def is_accepted(self) -> bool:
        if self.accepted is None:
            return self.condition is ReturnCondition.AS_NEW
        return self.accepted


async def inspect_return(
    session: AsyncSession,
    ticket_id: int,
    groups: Sequence[ReturnedUnits],
    deadlines: Deadlines,
    *,
    part_number: str,
    cause: Cause,
) -> Ticket:
    """Book how each unit of a return came back: what is accepted goes on, the rest is refused.

    Where some units are refused and others are not, the refused ones become a ticket of their own, with the
    number `part_number`. What was accepted since nobody had inspected it in time is only booked.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    is_late = ticket.uninspected_at is not None
    if not is_late:
        require_return(ticket)
    check_inspected_units(groups, await ticket_lines_of(session, ticket), is_late=is_late)
    rows = await save_inspections(session, ticket, groups, is_late=is_late, cause=cause)
    if is_late:
        await book_late(session, ticket, order, rows, cause=cause)
        return ticket
    refused = [row for row in rows if not row.accepted]
    if len(refused) == len(rows):
        enter_status(ticket, TicketStatus.RETURN_REFUSED, deadlines, now=cause.now)
        await refuse_units(session, ticket, order, refused, cause=cause)
        await settle_claimed_order(session, order, cause=cause.automatic)
        return ticket
    part = None
    if refused:
        units = {row.id: row.quantity for row in refused}
        part = await part_ticket(
            session, ticket, order, units, TicketStatus.RETURN_REFUSED, number=part_number
        )
        await refuse_units(session, part, order, refused, cause=cause)
    await grant_ticket(session, ticket, order, STATUS_WHEN_ACCEPTED[ticket.type], deadlines, cause=cause)
    # Only now, so that the unit that came back is not the one that is sent again.
    accepted = [row for row in rows if row.accepted]
    if ticket.type is not TicketType.REPAIR:  # that goes back to its customer
        await restock_inspected(session, ticket, order, accepted, cause=cause)
    record(session, TicketReturnAccepted(ticket, refused_ticket_id=part.id if part else None), cause)
    record_unavailable(session, ticket, cause=cause)
    return ticket


def require_return(ticket: Ticket) -> None:
    """Refuse to inspect a return of which nothing is under way."""
    if ticket.status is not TicketStatus.RETURN_SHIPPED:
        raise WrongState(
            "This ticket is {status}; no goods are expected.", status=ticket.status, field=("id",)
        )


async def refuse_units(
    session: AsyncSession, ticket: Ticket, order: Order, refused: Iterable[ReturnInspection], *, cause: Cause
) -> None:
    """Say why all units of a ticket are refused, and send back what is there."""
    ticket.refusal = " ".join(dict.fromkeys(row.note for row in refused))
    record(session, TicketReturnRefused(ticket, reason=ticket.refusal), cause)
    await send_back_refused(session, ticket, order)


async def book_late(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    rows: Sequence[ReturnInspection],
    *,
    cause: Cause,
) -> None:
    """Book what was granted before anybody had looked at it; of what is not there people are told."""
    await restock_inspected(session, ticket, order, rows, cause=cause)
    ticket.uninspected_at = None
    record(session, TicketReturnAccepted(ticket), cause)
    short = sum(row.quantity for row in rows if row.condition in NEVER_ACCEPTED)
    if short:
        record(session, TicketReturnShort(ticket, quantity=short), cause)


async def restock_inspected(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    rows: Iterable[ReturnInspection],
    *,
    cause: Cause,
) -> None:
    """Put inspected units of a granted ticket into the stock by their conditions."""
    rows = list(rows)
    await restock_return(
        session,
        ticket,
        order,
        as_new=sum_by_line(rows, {ReturnCondition.AS_NEW}),
        damaged=sum_by_line(rows, DAMAGED_STOCK),
        cause=cause,
    )


def sum_by_line(
    rows: Iterable[ReturnInspection], conditions: Collection[ReturnCondition]
) -> Mapping[int, int]:
    units = Counter[int]()
    for row in rows:
        if row.condition in conditions:
            units[row.order_line_id] += row.quantity
    return units


def check_inspected_units(
    groups: Sequence[ReturnedUnits], lines: Sequence[TicketLine], *, is_late: bool
) -> None:
    """Refuse an inspection that does not say of every unit of a ticket how it came back, and what follows."""
    if len(groups) > GROUPS_LIMIT:
        raise LimitReached("Tell at most {limit} groups apart.", limit=GROUPS_LIMIT, field=("units",))
    quantities = {line.order_line_id: line.quantity for line in lines}
    counted = Counter[int]()
    with collect_refusals() as check:
        for index, group in enumerate(groups):
            path = ("units", index)
            if group.order_line_id not in quantities:
                check.add(NotFound("order line", field=(*path, "order_line_id")))
            elif group.quantity < 1:
                check.add(Invalid("A quantity is at least 1.", field=(*path, "quantity")))
            counted[group.order_line_id] += group.quantity
            with check:
                check_verdict(group, path, is_late=is_late)
        for line_id, quantity in quantities.items():
            if counted[line_id] != quantity:
                template = "Say of all {expected} units of a line how they came back, not of {found}."
                found = counted[line_id]
                check.add(Invalid(template, expected=quantity, found=found, field=("units",)))


def check_verdict(group: ReturnedUnits, path: Path, *, is_late: bool) -> None:
    """Refuse a decision that the condition of the units does not allow, or that is not explained.

    What is inspected late was accepted.
    """
    if group.note.strip() or not (is_late or group.is_accepted):
        clean_text(group.note, limit=REASON_LIMIT, field=(*path, "note"))
    if is_late:
        return
    if group.condition is ReturnCondition.AS_NEW and group.accepted is False:
        raise Invalid("What came back as new is accepted.", field=(*path, "accepted"))
    if group.condition in NEVER_ACCEPTED and group.accepted:
        raise Invalid("What did not come back is not accepted.", field=(*path, "accepted"))
    if group.condition in DAMAGED_STOCK:
        if group.accepted is None:
            raise Invalid("Say whether it is accepted.", field=(*path, "accepted"))
        if not group.accepted and not group.customers_fault:
            raise Invalid("What the customer has not caused is accepted.", field=(*path, "customers_fault"))


async def save_inspections(
    session: AsyncSession,
    ticket: Ticket,
    groups: Sequence[ReturnedUnits],
    *,
    is_late: bool,
    cause: Cause,
) -> Sequence[ReturnInspection]:
    """Write how the units came back, in place of how they had come before."""
    await session.execute(
        update(ReturnInspection).where(ReturnInspection.ticket_id == ticket.id).values(current=False)
    )
    rows = [
        ReturnInspection(
            ticket_id=ticket.id,
            order_line_id=group.order_line_id,
            condition=group.condition,
            quantity=group.quantity,
            accepted=is_late or group.is_accepted,
            customers_fault=group.customers_fault,
            note=group.note.strip(),
            inspected_by_id=cause.by,
            inspected_at=cause.now,
            current=True,
        )
        for group in groups
    ]
    session.add_all(rows)
    await session.flush()
    return rows
