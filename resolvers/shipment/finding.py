"""Finding parcels: what a viewer may see."""

import strawberry

from domain.errors import Invalid, NotFound
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.shipment import (
    NEWEST_SHIPMENT,
    OLDEST_DELIVERY,
    select_deliveries_to_pack,
    select_shipments,
)
from models import (
    Delivery,
    Shipment,
)
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.shipment import ShipmentFilter
from resolvers.order.finding import is_carried
from resolvers.paging import query_page


async def shipment(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Shipment | None:
    """One parcel, by id or by number; null when it does not exist or is not yours.

    id: its global id
    number: its number, as printed on the parcel
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if number is not None:
        return await visible_shipment(info, await info.context.load.shipment_by_number.load(number))
    try:
        return await find_shipment(info, row_id(id or "", "Shipment"))
    except NotFound:
        return None


async def find_shipment(info: Info, shipment_id: int) -> Shipment | None:
    """The shipment, if this viewer may see it."""
    return await visible_shipment(info, await info.context.load.shipment.load(shipment_id))


async def visible_shipment(info: Info, found: Shipment | None) -> Shipment | None:
    """The shipment, if this viewer may see it: customers those of their orders, couriers those they carry."""
    viewer, load = info.context.viewer, info.context.load
    if found is None:
        return None
    if viewer.may(Permission.DELIVERY_RUN_DRIVE):
        return found if is_carried(info, await load.shipment_runs.load(found.id)) else None
    if viewer.may(Permission.SHIPMENT_LIST):
        return found
    order = await load.order.load(found.order_id)
    return found if order and viewer.owns(order.account_id) else None


async def shipments(
    info: Info,
    filter: ShipmentFilter | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Shipment]:
    """All parcels, the newest first.

    filter: which of them
    """
    filters = filter or ShipmentFilter()
    statement = select_shipments(
        status=filters.status,
        warehouse_id=warehouse_row_id(filters.warehouse_id, "filter"),
        carrier=filters.carrier,
        dispatched=filters.dispatched,
        waiting=filters.waiting,
    )
    return await query_page(info, statement, NEWEST_SHIPMENT, page)


async def deliveries_to_pack(
    info: Info,
    warehouse_id: strawberry.ID | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Delivery]:
    """Deliveries that are not packed completely, the oldest first.

    warehouse_id: only with something to pack in this warehouse
    """
    statement = select_deliveries_to_pack(warehouse_id=warehouse_row_id(warehouse_id))
    return await query_page(info, statement, OLDEST_DELIVERY, page)


def warehouse_row_id(id: strawberry.ID | None, *path: str) -> int | None:
    return None if id is None else row_id(id, "Warehouse", field=(*path, "warehouse_id"))
