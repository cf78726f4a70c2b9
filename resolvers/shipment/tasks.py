"""Late and silent parcels, for those who look after them."""

import strawberry

from domain.shipment.tasks import resolve_task
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.shipment import NEWEST_TASK, select_tasks
from models import ShipmentTask, ShipmentTaskKind
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.paging import query_page


async def shipment_tasks(
    info: Info,
    kind: ShipmentTaskKind | None = None,
    open: bool | None = True,
    page: PageRequest = FIRST_PAGE,
) -> Page[ShipmentTask]:
    """Parcels that are late or silent, the newest task first.

    kind: only of this kind
    open: true: that wait for somebody; false: that have ended; null: both
    """
    return await query_page(info, select_tasks(kind=kind, is_open=open), NEWEST_TASK, page)


async def shipment_task_resolve(info: Info, id: strawberry.ID, note: str) -> ShipmentTask:
    """Ends a task of a late or silent parcel with what was found; it does not come again for the same reason.

    id: the task
    note: what was found, for the staff
    """
    task_id = row_id(id, "ShipmentTask")
    async with info.context.transaction() as session:
        return await resolve_task(session, task_id, note=note, cause=info.context.cause)


async def find_shipment_task(info: Info, task_id: int) -> ShipmentTask | None:
    """The task, for those who see all parcels."""
    if not info.context.viewer.may(Permission.SHIPMENT_LIST):
        return None
    return await info.context.load.shipment_task.load(task_id)
