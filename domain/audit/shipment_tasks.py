"""Tasks of late and silent parcels against the parcels, and against the newest event of the shop."""

from datetime import timedelta

from sqlalchemy import exists, literal, select, union_all

from domain.audit.comparison import is_long_past, select_rows
from domain.shipment.tasks import DUE
from models import Shipment, ShipmentTask
from models.sql.types import AnySelect

OPENED_WITHIN = timedelta(days=1)
"""Much longer than a timer waits: also where the shop was not served for a night."""


def find_useless_tasks() -> AnySelect:
    """Parcels with an open task for a moment that is not due to them: they have moved, arrived or ended."""
    useless = [
        select_rows(Shipment.number, expected=literal("no open task"), found=literal(kind.value))
        .join_from(ShipmentTask, Shipment, Shipment.id == ShipmentTask.shipment_id)
        .where(ShipmentTask.kind == kind, ShipmentTask.ended_at.is_(None))
        .where(due_at.is_distinct_from(ShipmentTask.due_at))
        for kind, due_at in DUE.items()
    ]
    return select(union_all(*useless).subquery())


def find_missing_tasks() -> AnySelect:
    """Parcels without a task although the shop has recorded an event OPENED_WITHIN after they needed one."""
    missing = [
        select_rows(Shipment.number, expected=literal(kind.value), found=literal("no task"))
        .where(due_at.is_not(None), is_long_past(due_at, OPENED_WITHIN))
        .where(
            ~exists().where(
                ShipmentTask.shipment_id == Shipment.id,
                ShipmentTask.kind == kind,
                ShipmentTask.due_at == due_at,
            )
        )
        for kind, due_at in DUE.items()
    ]
    return select(union_all(*missing).subquery())
