"""Levels made what somebody counted, and levels as they are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Integer, String, and_, case, column, literal, select, true, values
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.stock.change import ADD, RECEIVE, Allocation, Cause, Place, make_levels, move
from domain.upsert import insert
from models import StockLevel, StockMovement, Warehouse
from models.base import UtcDateTime

Counted = Mapping[Place, int]


async def set_levels(
    session: AsyncSession, counted: Counted, *, reason: str, now: datetime, by: int | None = None
) -> set[Place]:
    """Make levels what was counted, though never less than is reserved; the places that changed.

    What has never been in stock is received, everything else corrected. Nothing is read here: the database
    finds the differences itself, with the levels locked, and each is then a conditional change like any
    other. Three statements per thousand places.
    """
    made = await make_levels(session, counted)
    cause = Cause(now, by, reason=reason)
    changed = set(made)
    for batch in batches(sorted(counted.items())):
        differences = await note_differences(session, batch, made, cause)
        if differences:
            await move(session, differences, ADD)
        changed |= {difference.place for difference in differences}
    return changed


async def note_differences(
    session: AsyncSession, counted: Sequence[tuple[Place, int]], made: set[Place], cause: Cause
) -> list[Allocation]:
    """A movement for every level that is not what was counted; what each of them adds to it."""
    columns = (
        column("variant_id", BigInteger),
        column("warehouse_id", BigInteger),
        column("units", Integer),
        column("kind", String),
    )
    rows = [(*place, units, (RECEIVE if place in made else ADD).kind.value) for place, units in counted]
    found = values(*columns, name="counted").data(rows).cte("counted")
    possible = case((found.c.units < StockLevel.reserved, StockLevel.reserved), else_=found.c.units)
    same = and_(StockLevel.variant_id == found.c.variant_id, StockLevel.warehouse_id == found.c.warehouse_id)
    locked = (
        select(
            StockLevel.variant_id,
            StockLevel.warehouse_id,
            found.c.kind,
            (possible - StockLevel.on_hand).label("units"),
        )
        .join(found, same)
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update(of=StockLevel)
        .cte("locked")
    )
    differing = select(
        locked.c.variant_id,
        locked.c.warehouse_id,
        locked.c.kind,
        locked.c.units,
        literal(0),
        literal(0),
        literal(cause.reason),
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
    done = await session.execute(
        insert(session, StockMovement)
        .from_select(names, differing)
        .returning(StockMovement.variant_id, StockMovement.warehouse_id, StockMovement.on_hand)
    )
    return sorted((Allocation(*row) for row in done), key=lambda difference: difference.place)


async def levels(
    session: AsyncSession, variant_ids: Iterable[int], *, active: bool = False
) -> dict[int, list[StockLevel]]:
    """The levels of each variant as they are now, the main warehouse's first; of active warehouses only."""
    found: defaultdict[int, list[StockLevel]] = defaultdict(list)
    for batch in batches(variant_ids):
        rows = await session.scalars(
            select(StockLevel)
            .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
            .where(StockLevel.variant_id.in_(batch), Warehouse.active if active else true())
            .order_by(StockLevel.variant_id, Warehouse.position, Warehouse.id)
            .execution_options(populate_existing=True)
        )
        for level in rows:
            found[level.variant_id].append(level)
    return found
