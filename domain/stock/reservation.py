"""Reserving stock for many orders at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Integer, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable

from domain.cause import Cause
from domain.stock.movement import (
    ALLOCATION_COLUMNS,
    BACKORDER,
    RESERVE,
    Allocation,
    LevelKey,
    MovementCause,
    build_level_update,
    insert_missing_levels,
    merge_allocations,
    movement_row,
    refusal_for,
)
from models import StockLevel, StockMovement
from models.sql.bulk import BulkStatement
from models.sql.dialects import column_types
from models.sql.parameters import bound_table
from models.sql.types import RowValues


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units reserved or backordered for one order, or released, by an account."""

    order_id: int
    actor_id: int | None
    allocation: Allocation
    """All of them."""
    backordered: int = 0
    """How many of them wait for stock."""

    @property
    def reserved(self) -> int:
        return self.allocation.quantity - self.backordered

    def movement_cause(self, now: datetime) -> MovementCause:
        return MovementCause(Cause(now, self.actor_id), self.order_id)


async def reserve_for_orders(
    session: AsyncSession, reservations: Sequence[Reservation], *, now: datetime
) -> None:
    """Reserve the units of all orders or of none; OutOfStock names the variant of which there are too few.

    Units are backordered only where nothing is left in their warehouse: OutOfStock where there is, again.
    """
    if not reservations:
        return
    allocations = merge_allocations([each.allocation for each in reservations])
    backordered = Counter[LevelKey]()
    for each in reservations:
        backordered[each.allocation.level_key] += each.backordered
    if any(backordered.values()):
        await insert_missing_levels(session, [key for key, units in backordered.items() if units])
    rows = await RESERVE_STATEMENT.execute(
        session,
        allocations=[
            {
                "variant_id": allocation.variant_id,
                "warehouse_id": allocation.warehouse_id,
                "quantity": allocation.quantity - backordered[allocation.level_key],
                "backordered": backordered[allocation.level_key],
            }
            for allocation in allocations
        ],
        movements=[row for each in reservations for row in movement_rows(each, now)],
    )
    changed = {(variant_id, warehouse_id) for variant_id, warehouse_id, *_ in rows}
    for allocation in allocations:
        if allocation.level_key not in changed:
            raise await refusal_for(session, allocation, RESERVE)


def movement_rows(reservation: Reservation, now: datetime) -> Iterator[RowValues]:
    """The movements of a reservation: of what is reserved, and of what is backordered."""
    cause = reservation.movement_cause(now)
    for units, effect in ((reservation.reserved, RESERVE), (reservation.backordered, BACKORDER)):
        if units:
            yield movement_row(replace(reservation.allocation, quantity=units), effect, cause)


def build_reserve_statements(dialect: str) -> list[Executable]:
    """The conditional UPDATE of levels and the INSERT of movements: one statement on PostgreSQL."""
    columns = {**ALLOCATION_COLUMNS, "backordered": Integer()}
    allocations = bound_table("allocations", columns, dialect)
    level_update = build_level_update(allocations, RESERVE, allocations.c.backordered)
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
