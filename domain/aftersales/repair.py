"""Repairs: what was sent in is repaired or cannot be, and the same units go back to their customer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.goods_in_repair import find_goods_in_repair, send_back_repaired, sum_by_line
from domain.aftersales.inspection import GROUPS_LIMIT
from domain.aftersales.parts import part_ticket
from domain.aftersales.states import answer_customer, enter_status
from domain.aftersales.texts import REASON_LIMIT, clean_text
from domain.aftersales.ticket import lock_ticket, ticket_lines_of
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, WrongState, collect_refusals
from domain.events import TicketRepairFinished
from domain.outbox import record
from models import RepairOutcome, ReturnInspection, Ticket, TicketLine, TicketRepair, TicketStatus


@dataclass(frozen=True, slots=True)
class RepairedUnits:
    """Units of an order line that were repaired, or cannot be."""

    order_line_id: int
    quantity: int
    repaired: bool
    note: str = ""
    """What the customer reads about them: of what cannot be repaired, why."""


async def finish_repair(
    session: AsyncSession,
    ticket_id: int,
    groups: Sequence[RepairedUnits],
    deadlines: Deadlines,
    *,
    part_number: str,
    cause: Cause,
) -> Ticket:
    """Say of each unit whether it was repaired: what was goes back, for the rest its customer chooses.

    Where some were and others cannot be, those become a ticket of their own, with the number `part_number`.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.REPAIRING:
        template = "This ticket is {status}; nothing of it is being repaired."
        raise WrongState(template, status=ticket.status, field=("id",))
    rows, here = await find_goods_in_repair(session, ticket)
    check_repaired_units(groups, await ticket_lines_of(session, ticket), sum_by_line(rows, here))
    answer_customer(ticket, deadlines, now=cause.now)
    left = count_unrepaired(rows, here, groups)
    hopeless = [group for group in groups if not group.repaired]
    if len(hopeless) == len(groups):
        give_up_repair(session, ticket, hopeless, deadlines, cause=cause)
        return ticket
    if hopeless:
        part = await part_ticket(session, ticket, order, left, TicketStatus.REPAIRING, number=part_number)
        give_up_repair(session, part, hopeless, deadlines, cause=cause)
    note = join_notes(group for group in groups if group.repaired)
    add_repair(session, ticket, RepairOutcome.REPAIRED, note, cause=cause)
    await send_back_repaired(session, ticket, order)
    enter_status(ticket, TicketStatus.RESHIPPING, deadlines, now=cause.now)
    record(session, TicketRepairFinished(ticket, outcome=RepairOutcome.REPAIRED, note=note), cause)
    return ticket


def check_repaired_units(
    groups: Sequence[RepairedUnits], lines: Sequence[TicketLine], here: Mapping[int, int]
) -> None:
    """Refuse what does not say of every unit of a ticket what has become of it, and why; units that got lost
    were not repaired."""
    if len(groups) > GROUPS_LIMIT:
        raise LimitReached("Tell at most {limit} groups apart.", limit=GROUPS_LIMIT, field=("units",))
    quantities = {line.order_line_id: line.quantity for line in lines}
    counted, repaired = Counter[int](), Counter[int]()
    with collect_refusals() as check:
        for index, group in enumerate(groups):
            path = ("units", index)
            if group.order_line_id not in quantities:
                check.add(NotFound("order line", field=(*path, "order_line_id")))
            elif group.quantity < 1:
                check.add(Invalid("A quantity is at least 1.", field=(*path, "quantity")))
            counted[group.order_line_id] += group.quantity
            repaired[group.order_line_id] += group.quantity if group.repaired else 0
            if group.note.strip() or not group.repaired:
                with check:
                    clean_text(group.note, limit=REASON_LIMIT, field=(*path, "note"))
        with check:
            check_notes_together(groups)
        for line_id, quantity in quantities.items():
            if counted[line_id] != quantity:
                template = "Say of all {expected} units of a line whether they were repaired, not of {found}."
                found = counted[line_id]
                check.add(Invalid(template, expected=quantity, found=found, field=("units",)))
            elif repaired[line_id] > (left := here.get(line_id, 0)):
                check.add(Invalid("Only {left} of these units are here.", left=left, field=("units",)))


def check_notes_together(groups: Sequence[RepairedUnits]) -> None:
    """Refuse notes that are too long for the one text by which their customer is told."""
    for repaired in (True, False):
        if len(join_notes(each for each in groups if each.repaired is repaired)) > REASON_LIMIT:
            template = "Write at most {limit} characters about all of them together."
            raise Invalid(template, limit=REASON_LIMIT, field=("units",))


def count_unrepaired(
    rows: Sequence[ReturnInspection], here: Mapping[int, int], groups: Iterable[RepairedUnits]
) -> Mapping[int, int]:
    """How many units of each inspection cannot be repaired, as groups name them by order line: those that are
    not here, then the first of those that are.
    """
    hopeless, found = Counter[int](), Counter[int]()
    for group in groups:
        hopeless[group.order_line_id] += 0 if group.repaired else group.quantity
    away = [(row, row.quantity - here[row.id]) for row in rows]
    for row, units in [*away, *((row, here[row.id]) for row in rows)]:
        taken = min(units, hopeless[row.order_line_id])
        found[row.id] += taken
        hopeless[row.order_line_id] -= taken
    return found


def give_up_repair(
    session: AsyncSession,
    ticket: Ticket,
    groups: Iterable[RepairedUnits],
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Let the customer choose what to get for units that cannot be repaired, which may be themselves."""
    note = join_notes(groups)
    add_repair(session, ticket, RepairOutcome.UNREPAIRABLE, note, cause=cause)
    enter_status(ticket, TicketStatus.AWAITING_CHOICE, deadlines, now=cause.now)
    record(session, TicketRepairFinished(ticket, outcome=RepairOutcome.UNREPAIRABLE, note=note), cause)


def join_notes(groups: Iterable[RepairedUnits]) -> str:
    """What is said about units, each thing once."""
    return " ".join(dict.fromkeys(note for group in groups if (note := group.note.strip())))


def add_repair(
    session: AsyncSession, ticket: Ticket, outcome: RepairOutcome, note: str, *, cause: Cause
) -> TicketRepair:
    repair = TicketRepair(ticket_id=ticket.id, outcome=outcome, note=note, finished_at=cause.now)
    session.add(repair)
    return repair
