"""Late and silent parcels, and waybills that are not cancelled, for those who look after them."""

from collections.abc import Sequence

import strawberry

from domain.shipment.tasks import resolve_task
from domain.shipment.waybills import settle_waybill
from loaders.carrier import NEWEST_WAYBILL, select_waybill_tasks
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.shipment import NEWEST_TASK, select_tasks
from models import ShipmentTask, ShipmentTaskKind, Waybill, WaybillStatus
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


async def waybill_tasks(
    info: Info, open: bool | None = True, page: PageRequest = FIRST_PAGE
) -> Page[Waybill]:
    """Waybills that their carriers do not cancel, or of which they do not say what became, the newest first.

    open: true: that wait for somebody; false: that were settled; null: both
    """
    return await query_page(info, select_waybill_tasks(is_open=open), NEWEST_WAYBILL, page)


async def waybill_task_resolve(info: Info, id: strawberry.ID, note: str) -> Waybill:
    """Ends the task of a waybill with what was settled with its carrier.

    id: the task
    note: what was settled, for the staff
    """
    waybill_id = row_id(id, "WaybillTask")
    async with info.context.transaction() as session:
        return await settle_waybill(session, waybill_id, note=note, cause=info.context.cause)


async def find_waybill_task(info: Info, waybill_id: int) -> Waybill | None:
    """The waybill, for those who see all parcels, where it is a task."""
    if not info.context.viewer.may(Permission.SHIPMENT_LIST):
        return None
    found = await info.context.load.waybill.load(waybill_id)
    return found if found and found.status is WaybillStatus.CANCEL_REFUSED else None


async def parcel_numbers(rows: Sequence[Waybill], info: Info) -> list[str]:
    """The number of the parcel it was asked for, which may have been unpacked; of what was to be collected
    from a customer, the shop's own name for it."""
    load = info.context.load
    packed = await load.shipment.load_many([row.shipment_id or 0 for row in rows])
    unpacked = await load.unpacked_parcel.load_many([row.unpacked_id or 0 for row in rows])
    found = [here or gone for here, gone in zip(packed, unpacked, strict=True)]
    return [
        parcel.number if parcel else row.reference if row.return_collection_id else ""
        for parcel, row in zip(found, rows, strict=True)
    ]
