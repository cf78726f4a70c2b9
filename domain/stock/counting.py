"""Setting stock levels to what was counted, and reading them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import BigInteger, Integer, String, and_, case, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.stock.movement import (
    ADD,
    RECEIVE,
    Allocation,
    LevelKey,
    fill_backorders,
    insert_missing_levels,
    update_levels,
)
from models import StockLevel, StockMovement, Warehouse
from models.base import UtcDateTime
from models.sql.batches import in_batches
from models.sql.dialects import dialect_of
from models.sql.parameters import bound_table, encode_rows
from models.sql.types import ColumnTypes
from models.sql.upsert import upsert_into

COUNTED_COLUMNS: ColumnTypes = {
    "variant_id": BigInteger(),
    "warehouse_id": BigInteger(),
    "units": Integer(),
    "kind": String(),
}


async def set_levels(
    session: AsyncSession, counted: Mapping[LevelKey, int], *, reason: str, cause: Cause
) -> set[LevelKey]:
    """Set units on hand to what was counted, but never below what is reserved; the keys that changed.

    A level that is new receives its units, any other is corrected. The database finds the differences itself,
    with the levels locked: three statements per thousand levels.
    """
    inserted = await insert_missing_levels(session, counted)
    changed = set(inserted)
    for batch in in_batches(sorted(counted.items())):
        differences = await insert_difference_movements(session, batch, inserted, reason, cause)
        if differences:
            fillable = await update_levels(session, differences, ADD)
            await fill_backorders(session, fillable, now=cause.now)
        changed |= {difference.level_key for difference in differences}
    return changed


async def insert_difference_movements(
    session: AsyncSession,
    counted: Sequence[tuple[LevelKey, int]],
    inserted: set[LevelKey],
    reason: str,
    cause: Cause,
) -> list[Allocation]:
    """Insert a movement for each level that is not what was counted; the units each adds (or takes)."""
    dialect = dialect_of(session)
    rows = [
        {
            "variant_id": variant_id,
            "warehouse_id": warehouse_id,
            "units": units,
            "kind": (RECEIVE if (variant_id, warehouse_id) in inserted else ADD).kind,
        }
        for (variant_id, warehouse_id), units in counted
    ]
    counts = bound_table("counted", COUNTED_COLUMNS, dialect, encode_rows(rows, dialect))
    possible = case((counts.c.units < StockLevel.reserved, StockLevel.reserved), else_=counts.c.units)
    is_level = and_(
        StockLevel.variant_id == counts.c.variant_id, StockLevel.warehouse_id == counts.c.warehouse_id
    )
    locked = (
        select(
            StockLevel.variant_id,
            StockLevel.warehouse_id,
            counts.c.kind,
            (possible - StockLevel.on_hand).label("units"),
        )
        .join(counts, is_level)
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update(of=StockLevel)
        .cte("locked")
    )
    differences = select(
        locked.c.variant_id,
        locked.c.warehouse_id,
        locked.c.kind,
        locked.c.units,
        literal(0),
        literal(0),
        literal(reason),
        literal(cause.by, BigInteger),
        literal(cause.now, UtcDateTime),
    ).where(locked.c.units != 0)
    names = (
        "variant_id",
        "warehouse_id",
        "kind",
        "on_hand",
        "reserved",
        "damaged",
        "reason",
        "actor_id",
        "created_at",
    )
    result = await session.execute(
        upsert_into(session, StockMovement)
        .from_select(names, differences)
        .returning(StockMovement.variant_id, StockMovement.warehouse_id, StockMovement.on_hand)
    )
    return sorted((Allocation(*row) for row in result), key=lambda difference: difference.level_key)


async def levels_by_variant(
    session: AsyncSession, variant_ids: Iterable[int], *, active: bool = False
) -> dict[int, list[StockLevel]]:
    """Stock levels by variant id, the main warehouse's first; with `active` of active warehouses only."""
    levels: defaultdict[int, list[StockLevel]] = defaultdict(list)
    for batch in in_batches(variant_ids):
        rows = await session.scalars(
            select(StockLevel)
            .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
            .where(StockLevel.variant_id.in_(batch), Warehouse.active if active else true())
            .order_by(StockLevel.variant_id, Warehouse.position, Warehouse.id)
            .execution_options(populate_existing=True)
        )
        for level in rows:
            levels[level.variant_id].append(level)
    return levels
