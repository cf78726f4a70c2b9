"""Closing warehouses: removed where nothing was ever kept in them, archived else."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound, WrongState
from domain.removal import RemovalOutcome, delete_with_owned, is_referenced
from models import StockLevel, Warehouse


async def remove_warehouse(
    session: AsyncSession, warehouse_id: int, *, now: datetime
) -> tuple[Warehouse, RemovalOutcome]:
    """Remove a warehouse, or archive it where stock was kept in it or orders were sent from it.

    WrongState for the main one, and while goods are in it or wait for stock to come to it.
    """
    warehouses = await lock_warehouses(session)
    warehouse = next((row for row in warehouses if row.id == warehouse_id), None)
    if warehouse is None:
        raise NotFound("warehouse", field=("id",))
    await session.refresh(warehouse, with_for_update=True)
    if warehouse.archived_at is not None:
        raise WrongState("This warehouse is archived already.", field=("id",))
    if warehouse is warehouses[0]:
        raise WrongState("This is the main warehouse: put another one first.", field=("id",))
    if units := await count_units(session, warehouse_id):
        raise WrongState(
            "There are {units} units in this warehouse: move them first.", units=units, field=("id",)
        )
    if not await is_referenced(session, warehouse, row_id=warehouse_id, owned=()):
        await delete_with_owned(session, warehouse, row_id=warehouse_id, owned=())
        return warehouse, RemovalOutcome.REMOVED
    warehouse.archived_at, warehouse.active, warehouse.allows_pickup = now, False, False
    await session.flush()
    return warehouse, RemovalOutcome.ARCHIVED


async def restore_warehouse(session: AsyncSession, warehouse_id: int) -> Warehouse:
    """List an archived warehouse again; orders take from it when it is made active."""
    warehouse = next((row for row in await lock_warehouses(session) if row.id == warehouse_id), None)
    if warehouse is None:
        raise NotFound("warehouse", field=("id",))
    if warehouse.archived_at is None:
        raise WrongState("This warehouse is not archived.", field=("id",))
    warehouse.archived_at = None
    await session.flush()
    return warehouse


async def lock_warehouses(session: AsyncSession) -> list[Warehouse]:
    """All warehouses, the main one first; they neither change nor go meanwhile, but orders are placed."""
    rows = select(Warehouse).order_by(Warehouse.position, Warehouse.id).with_for_update(key_share=True)
    return list(await session.scalars(rows.execution_options(populate_existing=True)))


async def count_units(session: AsyncSession, warehouse_id: int) -> int:
    """Units in a warehouse, sellable or damaged, and units that are bought and wait for stock there."""
    units = StockLevel.on_hand + StockLevel.damaged + StockLevel.backordered
    total = select(func.sum(units)).where(StockLevel.warehouse_id == warehouse_id)
    return await session.scalar(total) or 0
