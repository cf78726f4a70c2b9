"""The tickets that wait for the staff now, by queue."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, false, func, or_, select

from models import Permission, Role, Ticket, TicketStatus, is_granted
from models.database import Reads

DUE_SOON = timedelta(hours=4)
"""How long before a ticket should be attended to it is due soon."""

WAITING_LIMIT = 100
"""Tickets that are sent first to who begins to watch the work queue, the most urgent ones."""


class WorkQueue(StrEnum):
    """A queue of tickets that wait for the staff; a ticket may be in several."""

    NEW = "NEW"
    """Nobody has it, and nothing was decided."""
    ANSWERED = "ANSWERED"
    """The customer has written and waits for an answer."""
    DUE_SOON = "DUE_SOON"
    """It should be attended to within four hours, or should have been."""
    OVERDUE = "OVERDUE"
    """Nobody has acted in time, and only people can decide; for the warehouse, about what came back."""
    MINE = "MINE"
    """The viewer has it."""
    UNASSIGNED = "UNASSIGNED"
    """Nobody has it."""
    ESCALATED = "ESCALATED"
    """A manager decides."""
    RETURNS = "RETURNS"
    """Goods come back and are inspected, or repaired."""


@dataclass(frozen=True, slots=True)
class WorkQueueCount:
    """How many tickets are in a queue."""

    queue: WorkQueue
    count: int


WAITS = Ticket.attend_by.is_not(None)
"""Whether a ticket waits for the shop; what does not is in no queue."""

FOR_AGENTS = or_(
    Ticket.status.in_([TicketStatus.APPLIED, TicketStatus.REFUND_FAILED]),
    Ticket.unanswered_since.is_not(None),
)

TICKETS_OF: Mapping[Permission, ColumnElement[bool]] = {
    Permission.TICKET_HANDLE: FOR_AGENTS,
    Permission.TICKET_DECIDE: Ticket.status == TicketStatus.ARBITRATION,
    Permission.RETURN_RECEIVE: Ticket.status.in_([TicketStatus.RETURN_SHIPPED, TicketStatus.REPAIRING]),
}
"""Which of the tickets that wait for the shop are work of who has a permission."""

QUEUES_OF: Mapping[Permission, Sequence[WorkQueue]] = {
    Permission.TICKET_HANDLE: (
        WorkQueue.NEW,
        WorkQueue.ANSWERED,
        WorkQueue.DUE_SOON,
        WorkQueue.OVERDUE,
        WorkQueue.MINE,
        WorkQueue.UNASSIGNED,
    ),
    Permission.TICKET_DECIDE: (WorkQueue.ESCALATED,),
    Permission.RETURN_RECEIVE: (WorkQueue.RETURNS, WorkQueue.OVERDUE),
}
"""Which queues who has a permission sees."""


def is_work_of(role: Role) -> ColumnElement[bool]:
    """Whether a ticket waits for somebody of this role."""
    conditions = [condition for permission, condition in TICKETS_OF.items() if is_granted(permission, role)]
    return WAITS & or_(false(), *conditions)


def conditions_of(
    role: Role, viewer_id: int | None, *, now: datetime
) -> Mapping[WorkQueue, ColumnElement[bool]]:
    """Which of the tickets that wait for the shop are in each queue that somebody sees: counters and lists
    ask for the same."""
    soon = (Ticket.attend_by <= now + DUE_SOON) & Ticket.overdue_since.is_(None)
    applied, overdue = Ticket.status == TicketStatus.APPLIED, Ticket.overdue_since.is_not(None)
    among: Mapping[WorkQueue, ColumnElement[bool]] = {
        WorkQueue.NEW: applied & Ticket.assignee_id.is_(None),
        WorkQueue.ANSWERED: Ticket.unanswered_since.is_not(None),
        WorkQueue.DUE_SOON: FOR_AGENTS & soon,
        WorkQueue.OVERDUE: overdue
        if is_granted(Permission.TICKET_HANDLE, role)
        else overdue & is_work_of(role),
        WorkQueue.MINE: Ticket.assignee_id == (viewer_id or 0),
        WorkQueue.UNASSIGNED: FOR_AGENTS & Ticket.assignee_id.is_(None),
        WorkQueue.ESCALATED: TICKETS_OF[Permission.TICKET_DECIDE],
        WorkQueue.RETURNS: TICKETS_OF[Permission.RETURN_RECEIVE],
    }
    granted = [seen for permission, seen in QUEUES_OF.items() if is_granted(permission, role)]
    return {queue: among[queue] for seen in granted for queue in seen}


def find_queue(
    queue: WorkQueue, role: Role, viewer_id: int | None, *, now: datetime
) -> ColumnElement[bool] | None:
    """Whether a ticket is in a queue; None for who does not work on it."""
    among = conditions_of(role, viewer_id, now=now).get(queue)
    return None if among is None else WAITS & among


async def count_queues(
    reads: Reads, role: Role, viewer_id: int | None, *, now: datetime
) -> Sequence[WorkQueueCount]:
    """How many tickets are in each queue that somebody sees, all counted by one statement."""
    among = conditions_of(role, viewer_id, now=now)
    if not among:
        return []
    columns = [func.count().filter(condition) for condition in among.values()]
    async with reads() as session:
        row = (await session.execute(select(*columns).where(WAITS))).one()
    return [WorkQueueCount(queue, count) for queue, count in zip(among, row, strict=True)]


async def load_waiting(reads: Reads, role: Role) -> Sequence[Ticket]:
    """The most urgent tickets that wait for somebody of a role, at most WAITING_LIMIT."""
    async with reads() as session:
        rows = await session.scalars(
            select(Ticket).where(is_work_of(role)).order_by(Ticket.attend_by, Ticket.id).limit(WAITING_LIMIT)
        )
        return rows.all()


async def load_due_between(
    reads: Reads, role: Role, after: tuple[datetime, int], until: datetime
) -> Sequence[Ticket]:
    """The tickets of a role that should be attended to after one moment, or then with a higher id, and until
    another; at most WAITING_LIMIT, the first ones."""
    moment, id = after
    async with reads() as session:
        rows = await session.scalars(
            select(Ticket)
            .where(
                is_work_of(role),
                Ticket.attend_by >= moment,
                or_(Ticket.attend_by > moment, Ticket.id > id),
                Ticket.attend_by <= until,
            )
            .order_by(Ticket.attend_by, Ticket.id)
            .limit(WAITING_LIMIT)
        )
        return rows.all()


async def find_waiting(reads: Reads, role: Role, ids: Collection[int]) -> Collection[int]:
    """Those of these tickets that wait for somebody of a role."""
    if not ids:
        return ()
    async with reads() as session:
        rows = await session.scalars(select(Ticket.id).where(Ticket.id.in_(ids), is_work_of(role)))
        return frozenset(rows)
