"""Parcels that are late or silent become tasks, many in one transaction."""

from collections.abc import Sequence
from functools import partial

from domain.cause import Cause
from domain.shipment.tasks import open_tasks, select_due_tasks
from events.types import Resources, Timer
from models import ShipmentTaskKind


async def open_many(kind: ShipmentTaskKind, resources: Resources, shipment_ids: Sequence[int]) -> int:
    async with resources.database.writes.begin() as session:
        return await open_tasks(session, kind, shipment_ids, cause=Cause(resources.clock()))


async def open_one(kind: ShipmentTaskKind, resources: Resources, shipment_id: int) -> None:
    await open_many(kind, resources, [shipment_id])


def timer_of(kind: ShipmentTaskKind) -> Timer:
    return Timer(
        f"shipment.{kind.lower()}",
        due=partial(select_due_tasks, kind),
        act=partial(open_one, kind),
        act_on_group=partial(open_many, kind),
    )


OVERDUE_SHIPMENTS = tuple(map(timer_of, ShipmentTaskKind))
