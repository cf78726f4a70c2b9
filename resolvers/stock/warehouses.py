"""Warehouses: listing and saving them."""

from collections.abc import Sequence

from domain.stock import OpeningHours, Weekday, save_warehouse
from loaders.stock import all_warehouses
from models import Warehouse
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.stock import WarehouseSaveInput


async def warehouses(info: Info) -> Sequence[Warehouse]:
    """All warehouses, the main one first."""
    return await all_warehouses(info.context.shop.database.reads)


async def warehouse_save(info: Info, input: WarehouseSaveInput) -> Warehouse:
    """Opens a warehouse, or replaces everything that one is described by."""
    warehouse_id = None if input.id is None else row_id(input.id, "Warehouse")
    async with info.context.transaction() as session:
        return await save_warehouse(
            session, input.draft(), warehouse_id=warehouse_id, position=input.position
        )


def pickup_hours(root: Warehouse) -> list[OpeningHours]:
    """When orders can be collected there, from Monday on."""
    return [
        OpeningHours(Weekday(each["weekday"]), each["opens"], each["closes"])
        for each in root.pickup_hours or ()
    ]


async def find_warehouse(info: Info, warehouse_id: int) -> Warehouse | None:
    """The warehouse, for staff only."""
    return (
        await info.context.load.warehouse.load(warehouse_id)
        if info.context.viewer.may(Permission.LOGISTICS_VIEW)
        else None
    )
