"""Warehouses: listing and saving them."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.removal import RemovalOutcome
from domain.stock import OpeningHours, Weekday, remove_warehouse, restore_warehouse, save_warehouse
from loaders.stock import all_warehouses
from models import Warehouse
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.stock import WarehouseSaveInput


@dataclass(frozen=True, slots=True)
class WarehouseRemoval:
    """What became of a warehouse: the archived one, or none where it is gone."""

    warehouse: Warehouse | None
    outcome: RemovalOutcome


async def warehouses(info: Info, archived: bool = False) -> Sequence[Warehouse]:
    """All warehouses, the main one first.

    archived: true for those that are archived, too
    """
    rows = await all_warehouses(info.context.shop.database.reads)
    return [row for row in rows if archived or row.archived_at is None]


async def warehouse_remove(info: Info, id: strawberry.ID) -> WarehouseRemoval:
    """Removes a warehouse in which nothing was ever kept; archives any other one that is empty.

    id: the warehouse
    """
    async with info.context.transaction() as session:
        row, outcome = await remove_warehouse(session, row_id(id, "Warehouse"), now=info.context.now)
    return WarehouseRemoval(row if outcome is RemovalOutcome.ARCHIVED else None, outcome)


async def warehouse_restore(info: Info, id: strawberry.ID) -> Warehouse:
    """Lists an archived warehouse again; orders take from it when `warehouseSave` makes it active.

    id: the warehouse
    """
    async with info.context.transaction() as session:
        return await restore_warehouse(session, row_id(id, "Warehouse"))


async def warehouse_save(info: Info, input: WarehouseSaveInput) -> Warehouse:
    """Opens a warehouse, or replaces everything that one is described by."""
    warehouse_id = None if input.id is None else row_id(input.id, "Warehouse")
    async with info.context.transaction() as session:
        return await save_warehouse(
            session,
            input.draft(),
            warehouse_id=warehouse_id,
            position=input.position,
            now=info.context.now,
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
