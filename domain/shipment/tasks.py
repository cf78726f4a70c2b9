"""Parcels that somebody should look after: a task for each, which ends with its reason or when somebody has
looked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState
from domain.events import ShipmentOverdue
from domain.outbox import record_all
from models import Order, Shipment, ShipmentTask, ShipmentTaskKind
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

NOTE_LIMIT = 500
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may lie apart: one may have opened a task a little early."""

DUE: Mapping[ShipmentTaskKind, InstrumentedAttribute[datetime | None]] = {
    ShipmentTaskKind.LATE: Shipment.late_at,
    ShipmentTaskKind.SILENT: Shipment.silent_at,
    ShipmentTaskKind.SIGNED_AFTER_END: Shipment.signed_after_end_at,
}
"""Kind of task -> the moment from which on a parcel needs one."""

DueMoments = Mapping[ShipmentTaskKind, datetime | None]


def due_moments(shipment: Shipment) -> DueMoments:
    return {kind: getattr(shipment, column.key) for kind, column in DUE.items()}


def select_due_tasks(kind: ShipmentTaskKind, now: datetime) -> AnySelect:
    """The ids of parcels that have no task of this kind for what is due now, the longest due first."""
    due_at = DUE[kind]
    has_task = exists().where(
        ShipmentTask.shipment_id == Shipment.id, ShipmentTask.kind == kind, ShipmentTask.due_at == due_at
    )
    return select(Shipment.id).where(due_at <= now, ~has_task).order_by(due_at)


async def open_tasks(
    session: AsyncSession, kind: ShipmentTaskKind, shipment_ids: Sequence[int], *, cause: Cause
) -> int:
    """Open the tasks that parcels still need, except of those that another process has locked; returns how
    many."""
    rows = await session.execute(
        select(Shipment, Order.account_id)
        .join(Order, Order.id == Shipment.order_id)
        .where(Shipment.id.in_(shipment_ids), DUE[kind] <= cause.now)
        .order_by(Shipment.id)
        .with_for_update(of=Shipment, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    due = {shipment.id: (shipment, account_id) for shipment, account_id in rows}
    if not due:
        return 0
    new_tasks = [
        {"shipment_id": id, "kind": kind, "due_at": due_moments(shipment)[kind], "opened_at": cause.now}
        for id, (shipment, _) in due.items()
    ]
    stored = upsert_into(session, ShipmentTask).values(new_tasks).on_conflict_do_nothing()
    opened = (await session.scalars(stored.returning(ShipmentTask.shipment_id))).all()
    happened = [
        ShipmentOverdue(shipment, account_id=account_id, kind=kind)
        for shipment, account_id in (due[id] for id in sorted(opened))
    ]
    await record_all(session, happened, cause)
    return len(opened)


async def end_past_tasks(
    session: AsyncSession, shipments: Sequence[Shipment], before: Mapping[int, DueMoments], *, now: datetime
) -> None:
    """End the open tasks of locked parcels for moments that are not due to them any more."""
    conditions = []
    for kind, column in DUE.items():
        moved = [
            shipment.id
            for shipment in shipments
            if (was := before[shipment.id][kind]) is not None
            and was <= now + CLOCK_SKEW
            and was != getattr(shipment, column.key)
        ]
        if moved:
            conditions.append(and_(ShipmentTask.kind == kind, ShipmentTask.shipment_id.in_(moved)))
    if conditions:
        ended = update(ShipmentTask).where(ShipmentTask.ended_at.is_(None), or_(*conditions))
        await session.execute(ended.values(ended_at=now).execution_options(synchronize_session=False))


async def resolve_task(session: AsyncSession, task_id: int, *, note: str, cause: Cause) -> ShipmentTask:
    """End an open task with what was found; the same parcel has no other one for the same moment."""
    text = note.strip()
    if not 1 <= len(text) <= NOTE_LIMIT:
        raise Invalid("Say what you found, in at most {limit} characters.", limit=NOTE_LIMIT, field=("note",))
    task = await session.get(ShipmentTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise NotFound("shipment task", field=("id",))
    if task.ended_at is not None:
        raise WrongState("This task has ended already.", field=("id",))
    task.ended_at, task.resolved_by_id, task.note = cause.now, cause.by, text
    return task
