"""Open parcels: what is scanned before it is packed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import strawberry

from domain.errors import NotFound
from domain.idempotency import is_repeated
from domain.shipment.open_parcels import Scan, cancel_open_parcel, open_parcel, scan_into_parcel
from models import OpenParcel, UnpackedParcel
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.order.finding import find_delivery


@dataclass(frozen=True, slots=True)
class DeliveryPacking:
    """What those who pack see of one delivery."""

    delivery_id: int


async def delivery_packing(info: Info, delivery_id: strawberry.ID) -> DeliveryPacking | None:
    """What those who pack need of one delivery; null when it does not exist.

    delivery_id: the delivery
    """
    try:
        found = await find_delivery(info, row_id(delivery_id, "Delivery"))
    except NotFound:
        return None
    return DeliveryPacking(found.id) if found else None


async def open_parcels(roots: Sequence[DeliveryPacking], info: Info) -> list[Sequence[OpenParcel]]:
    """The parcels that were opened for it, those that have ended, too."""
    ids = [root.delivery_id for root in roots]
    return await info.context.load.delivery_open_parcels.load_many(ids)


async def unpacked_parcels(roots: Sequence[DeliveryPacking], info: Info) -> list[Sequence[UnpackedParcel]]:
    """Its parcels that were unpacked again before they left, with what became of their waybills."""
    ids = [root.delivery_id for root in roots]
    return await info.context.load.delivery_unpacked_parcels.load_many(ids)


async def parcel_open(
    info: Info, delivery_id: strawberry.ID, warehouse_id: strawberry.ID | None = None
) -> OpenParcel:
    """Begins a parcel into which units are scanned; `shipmentPack` closes it.

    delivery_id: the delivery that is packed
    warehouse_id: where; may be left out where only one warehouse has something of it
    """
    warehouse = None if warehouse_id is None else row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    delivery = row_id(delivery_id, "Delivery", field=("delivery_id",))
    async with info.context.transaction() as session:
        return await open_parcel(session, delivery, warehouse_id=warehouse, cause=info.context.cause)


async def parcel_scan(
    info: Info,
    id: strawberry.ID,
    barcode: str,
    idempotency_key: str,
    quantity: int = 1,
    take_out: bool = False,
) -> OpenParcel:
    """Counts units as put into an open parcel; refused unless its delivery needs them there.

    id: the open parcel
    barcode: what the scanner has read: EAN, UPC or SKU
    idempotency_key: of the scan: sent again with it, the scan counts once
    quantity: how many units
    take_out: counts them as taken out again
    """
    scan, parcel_id = Scan(barcode, quantity, take_out), row_id(id, "OpenParcel")
    async with info.context.transaction() as session:
        if await is_repeated(
            session,
            command="parcel_scan",
            key=idempotency_key,
            content=asdict(scan),
            about_id=parcel_id,
            cause=info.context.cause,
        ):
            return await session.get_one(OpenParcel, parcel_id)
        return await scan_into_parcel(session, parcel_id, scan, cause=info.context.cause)


async def parcel_cancel(info: Info, id: strawberry.ID) -> OpenParcel:
    """Gives up an open parcel: what was scanned into it waits to be packed.

    id: the open parcel
    """
    async with info.context.transaction() as session:
        return await cancel_open_parcel(session, row_id(id, "OpenParcel"), cause=info.context.cause)


async def find_open_parcel(info: Info, open_parcel_id: int) -> OpenParcel | None:
    """The open parcel, for those who pack."""
    if not info.context.viewer.may(Permission.SHIPMENT_PACK):
        return None
    return await info.context.load.open_parcel.load(open_parcel_id)
