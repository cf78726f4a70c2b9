"""What carriers report of parcels that come back, and when the staff have to look after one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import rank_ticket
from domain.aftersales.return_parcel import LockedReturn, lock_return
from domain.aftersales.return_waybill import arrive_on_the_way
from domain.cause import Cause
from domain.events import TicketReturnDelivered, TicketReturnOverdue, TicketReturnTaken, TicketReturnTracked
from domain.outbox import record
from domain.shipment.history import (
    STORED_COLUMNS,
    KnownEvent,
    StoredEvent,
    TrackingFact,
    columns_of,
    compare_facts,
    events_that_count,
    sort_events,
)
from domain.shipment.incoming import NumberedParcel, ParcelNumber
from domain.shipment.states import FINAL, NOT_KEPT, TRANSITIONS, status_after
from domain.state import move
from models import (
    Carrier,
    ReturnEvent,
    ReturnParcel,
    ReturnTask,
    ShipmentStatus,
    Ticket,
    TicketStatus,
)
from models.sql.parameters import is_any_of
from models.sql.types import AnySelect


async def add_return_events(
    session: AsyncSession,
    found: LockedReturn,
    facts: Sequence[TrackingFact],
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> Sequence[TrackingFact]:
    """Store the facts about a locked parcel that are new and tell its tickets; returns those that were not
    stored, since the parcel has too many.
    """
    parcel, was = found.parcel, found.parcel.status
    known = await load_return_events(session, parcel)
    compared = compare_facts(known, facts)
    if not compared.new and not compared.learned:
        return compared.surplus
    new = [
        ReturnEvent(return_parcel_id=parcel.id, received_at=cause.now, **columns_of(fact))
        for fact in compared.new
    ]
    session.add_all(new)
    if compared.learned:
        rows = [{"id": each.id, "status": each.status, "code": each.code} for each in compared.learned]
        await session.execute(update(ReturnEvent), rows)
    every: list[KnownEvent] = [*known, *new]
    is_first = parcel.taken_at is None
    update_parcel(parcel, sort_events(every), deadlines, now=cause.now)
    is_taken = is_first and parcel.taken_at is not None
    for ticket in found.tickets:
        await tell_ticket(
            session, ticket, parcel, deadlines, is_taken=is_taken, moved=parcel.status is not was, cause=cause
        )
    return compared.surplus


def update_parcel(
    parcel: ReturnParcel, in_order: Sequence[KnownEvent], deadlines: Deadlines, *, now: datetime
) -> None:
    """Set the status of a parcel to what its events, in order of time, lead to; a final one stays."""
    parcel.last_event_at = in_order[-1].occurred_at
    counting = events_that_count(in_order)
    status = status_after(each.status for each in counting if each.status is not None)
    if parcel.status in FINAL or status is parcel.status:
        return
    move(parcel, status, TRANSITIONS)
    if parcel.taken_at is None:
        parcel.taken_at = min(first_time(counting), now)
    parcel.attend_at = now if status in NOT_KEPT else None
    if status in FINAL:
        parcel.poll_at = None
    if status is ShipmentStatus.DELIVERED:
        arrival = next(each for each in counting if each.status is status)
        parcel.delivered_at = min(arrival.occurred_at, now)  # the clock of a carrier may be wrong
        parcel.attend_at = now + deadlines.inspect_arrived


def first_time(counting: Iterable[KnownEvent]) -> datetime:
    """When the carrier first had a parcel."""
    pending = (None, ShipmentStatus.PENDING)
    return next(each.occurred_at for each in counting if each.status not in pending)


async def tell_ticket(
    session: AsyncSession,
    ticket: Ticket,
    parcel: ReturnParcel,
    deadlines: Deadlines,
    *,
    is_taken: bool,
    moved: bool,
    cause: Cause,
) -> None:
    """Record on a locked ticket what has become of its goods, which is a reason to look at it no longer."""
    if is_taken:
        if ticket.status is TicketStatus.AWAITING_RETURN:
            await arrive_on_the_way(session, ticket, parcel, deadlines, cause=cause)
        record(session, TicketReturnTaken(ticket), cause)
    if moved and ticket.overdue_since is not None and ticket.overdue_obstacle is None:
        ticket.overdue_since = None
    if moved and parcel.status is ShipmentStatus.DELIVERED:
        arrived = cause.now + deadlines.inspect_arrived
        ticket.due_at = max(ticket.due_at, arrived) if ticket.due_at else arrived
        record(session, TicketReturnDelivered(ticket), cause)
    elif not is_taken:
        record(session, TicketReturnTracked(ticket, return_status=parcel.status), cause)
    rank_ticket(ticket, deadlines, now=cause.now)


async def load_return_events(session: AsyncSession, parcel: ReturnParcel) -> list[StoredEvent]:
    columns = [getattr(ReturnEvent, name) for name in STORED_COLUMNS]
    rows = await session.execute(
        select(*columns).where(ReturnEvent.return_parcel_id == parcel.id).order_by(ReturnEvent.id)
    )
    return [StoredEvent(*row) for row in rows]


async def find_numbered_returns(
    session: AsyncSession, numbers: Collection[ParcelNumber]
) -> dict[ParcelNumber, list[NumberedParcel]]:
    """The parcels that come back with these numbers and are followed, the newest first of each number."""
    rows = await session.execute(
        select(
            Carrier.connection,
            ReturnParcel.tracking_number,
            ReturnParcel.id,
            Carrier.company_code,
            ReturnParcel.company_code,
        )
        .join(Carrier, Carrier.code == ReturnParcel.carrier)
        .where(Carrier.connection.in_({connection for connection, _ in numbers}))
        .where(is_any_of(session, ReturnParcel.tracking_number, {number for _, number in numbers}))
        .where(ReturnParcel.ended_at.is_(None), ReturnParcel.contested_at.is_(None))
        .order_by(ReturnParcel.id.desc())
    )
    found = defaultdict[ParcelNumber, list[NumberedParcel]](list)
    for connection, number, parcel_id, *codes in rows:
        found[connection, number].append(NumberedParcel(parcel_id, None, frozenset(codes)))
    return found


def select_unattended_returns(now: datetime) -> AnySelect:
    """The ids of parcels that come back and that the staff are to look after now, the longest due first."""
    return select(ReturnParcel.id).where(ReturnParcel.attend_at <= now).order_by(ReturnParcel.attend_at)


async def attend_return(session: AsyncSession, parcel_id: int, deadlines: Deadlines, *, cause: Cause) -> None:
    """Make a parcel that comes back a task of the staff; nothing where it has moved meanwhile.

    What has arrived comes again until somebody inspects it.
    """
    found = await lock_return(session, parcel_id)
    if found is None or found.parcel.attend_at is None or found.parcel.attend_at > cause.now:
        return
    parcel, task = found.parcel, task_of(found.parcel)
    if not found.tickets:
        parcel.attend_at = None
        return
    parcel.attend_at = cause.now + deadlines.inspect_arrived if task is ReturnTask.UNINSPECTED else None
    for ticket in found.tickets:
        if ticket.status is TicketStatus.RETURN_SHIPPED:
            ticket.overdue_since = ticket.overdue_since or cause.now
            rank_ticket(ticket, deadlines, now=cause.now)
        record(session, TicketReturnOverdue(ticket, task=task), cause)


def task_of(parcel: ReturnParcel) -> ReturnTask:
    """Why somebody has to look after a parcel that is due."""
    if parcel.delivered_at is not None:
        return ReturnTask.UNINSPECTED
    return ReturnTask.LOST if parcel.status in NOT_KEPT else ReturnTask.UNSEEN
