"""Box types."""

from collections.abc import Sequence

import strawberry

from domain.shipment.boxes import archive_box_type, restore_box_type, save_box_type
from loaders.packing import load_box_types
from models import BoxType
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.packing import BoxTypeSaveInput


async def box_types(
    info: Info, warehouse_id: strawberry.ID | None = None, archived: bool = False
) -> Sequence[BoxType]:
    """The kinds of boxes that parcels are packed into, the smallest first.

    warehouse_id: only those that this warehouse uses
    archived: also those that are not used any more
    """
    warehouse = None if warehouse_id is None else row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    return await load_box_types(info.context.shop.database.reads, warehouse_id=warehouse, archived=archived)


async def box_type_save(info: Info, input: BoxTypeSaveInput) -> BoxType:
    """Adds a kind of box, or replaces all that one is described by."""
    box_type_id = None if input.id is None else row_id(input.id, "BoxType")
    async with info.context.transaction() as session:
        return await save_box_type(session, input.draft(), box_type_id=box_type_id, version=input.version)


async def box_type_archive(info: Info, id: strawberry.ID, version: int) -> BoxType:
    """Stops packing into a kind of box; parcels that are in one keep it.

    id: the kind of box
    version: the version that was read
    """
    async with info.context.transaction() as session:
        return await archive_box_type(session, row_id(id, "BoxType"), version=version, now=info.context.now)


async def box_type_restore(info: Info, id: strawberry.ID, version: int) -> BoxType:
    """Packs into an archived kind of box again.

    id: the kind of box
    version: the version that was read
    """
    async with info.context.transaction() as session:
        return await restore_box_type(session, row_id(id, "BoxType"), version=version)


async def find_box_type(info: Info, box_type_id: int) -> BoxType | None:
    """The kind of box, for those who pack."""
    if not info.context.viewer.may(Permission.SHIPMENT_PACK):
        return None
    return await info.context.load.box_type.load(box_type_id)
