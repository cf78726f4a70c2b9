"""Reserving stock for many orders at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable

from domain.cause import Cause
from domain.stock.movement import (
    RESERVE,
    Allocation,
    MovementCause,
    build_level_update,
    merge_allocations,
    movement_row,
    refusal_for,
)
from models import StockLevel, StockMovement
from models.sql.bulk import BulkStatement
from models.sql.dialects import column_types
from models.sql.parameters import bound_table


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units reserved for one order, or released, by an account."""

    order_id: int
    actor_id: int | None
    allocation: Allocation

    def movement_cause(self, now: datetime) -> MovementCause:
        return MovementCause(Cause(now, self.actor_id), self.order_id)


async def reserve_for_orders(
    session: AsyncSession, reservations: Sequence[Reservation], *, now: datetime
) -> None:
    """Reserve the units of all orders or of none; OutOfStock names the variant of which there are too few."""
    if not reservations:
        return
    allocations = merge_allocations([each.allocation for each in reservations])
    rows = await RESERVE_STATEMENT.execute(
        session,
        allocations=[
            {
                "variant_id": allocation.variant_id,
                "warehouse_id": allocation.warehouse_id,
                "quantity": allocation.quantity,
            }
            for allocation in allocations
        ],
        movements=[movement_row(each.allocation, RESERVE, each.movement_cause(now)) for each in reservations],
    )
    changed = {tuple(row) for row in rows}
    for allocation in allocations:
        if allocation.level_key not in changed:
            raise await refusal_for(session, allocation, RESERVE)


def build_reserve_statements(dialect: str) -> list[Executable]:
    """The conditional UPDATE of levels and the INSERT of movements: one statement on PostgreSQL."""
    columns = {"variant_id": BigInteger(), "warehouse_id": BigInteger(), "quantity": Integer()}
    level_update = build_level_update(bound_table("allocations", columns, dialect), RESERVE)
    movements = bound_table("movements", column_types(StockMovement), dialect)
    sort_keys = [movements.c.variant_id, movements.c.warehouse_id, movements.c.order_id]
    movement_insert = insert(StockMovement).from_select(
        [each.name for each in movements.c], select(*movements.c).order_by(*sort_keys)
    )
    if dialect == "sqlite":
        return [movement_insert, level_update]
    changed = level_update.cte("changed")
    inserted = movement_insert.cte("inserted")
    return [select(changed.c.variant_id, changed.c.warehouse_id).add_cte(inserted)]


RESERVE_STATEMENT = BulkStatement("reserve_stock", build_reserve_statements)


async def lock_levels(session: AsyncSession, variant_ids: Iterable[int]) -> None:
    """Lock all stock levels of these variants until the transaction ends."""
    await session.execute(
        select(StockLevel.variant_id)
        .where(StockLevel.variant_id.in_(set(variant_ids)))
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update()
    )
