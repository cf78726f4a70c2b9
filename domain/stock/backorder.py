"""Backorders: units of delivery lines that were bought beyond the stock and wait for more to come."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.stock.movement import (
    RELEASE,
    RELEASE_BACKORDER,
    Allocation,
    LevelKey,
    MovementCause,
    MovementEffect,
    move_stock_for,
)
from domain.stock.reservation import Reservation, reserve_for_orders
from models import Backorder, StockLevel
from models.sql.types import AnySelect


@dataclass(frozen=True, slots=True)
class LineAllocation:
    """Units of one delivery line in the warehouse they leave."""

    delivery_line_id: int
    allocation: Allocation
    backordered: int = 0
    """How many of them wait for stock."""


async def reserve_line_units(
    session: AsyncSession, lines: Sequence[LineAllocation], *, order_id: int, cause: Cause
) -> None:
    """Reserve units for delivery lines of a locked order and backorder those that are not there.

    Raises OutOfStock where the stock is not what the allocations were made from.
    """
    reservations = [Reservation(order_id, cause.by, each.allocation, each.backordered) for each in lines]
    await reserve_for_orders(session, reservations, now=cause.now)
    await insert_backorders(session, [(order_id, each) for each in lines])


async def insert_backorders(session: AsyncSession, lines: Iterable[tuple[int, LineAllocation]]) -> None:
    """Note which units of delivery lines wait, each with its order; their levels have just been changed."""
    rows = [
        {
            "order_id": order_id,
            "delivery_line_id": line.delivery_line_id,
            "variant_id": line.allocation.variant_id,
            "warehouse_id": line.allocation.warehouse_id,
            "quantity": line.backordered,
            "filled": 0,
            "filled_at": None,
        }
        for order_id, line in lines
        if line.backordered
    ]
    if rows:
        await session.execute(insert(Backorder), rows)


async def release_line_units(
    session: AsyncSession, lines: Sequence[LineAllocation], *, order_id: int, cause: Cause
) -> None:
    """Release units of delivery lines of a locked order: those that wait for stock first, then reserved ones.

    It comes before the delivery lines are changed or deleted.
    """
    totals = Counter[int]()
    for line in lines:
        totals[line.delivery_line_id] += line.allocation.quantity
    of_lines = Backorder.delivery_line_id.in_(totals)
    if not await session.scalar(select(Backorder.id).where(of_lines).limit(1)):
        await move_units(session, [(line.allocation, order_id) for line in lines], RELEASE, cause)
        return
    await lock_level_keys(session, {line.allocation.level_key for line in lines})
    waiting = await take_waiting(session, totals)
    reserved, backordered = [], []
    for line in lines:
        units = min(line.allocation.quantity, waiting[line.delivery_line_id])
        waiting[line.delivery_line_id] -= units
        if units:
            backordered.append((replace(line.allocation, quantity=units), order_id))
        if rest := line.allocation.quantity - units:
            reserved.append((replace(line.allocation, quantity=rest), order_id))
    await move_units(session, backordered, RELEASE_BACKORDER, cause)
    await move_units(session, reserved, RELEASE, cause)


async def take_waiting(session: AsyncSession, totals: Mapping[int, int]) -> Counter[int]:
    """Take up to these units, by delivery line, off its backorders, the newest first; how many each had."""
    rows = await session.scalars(
        select(Backorder)
        .where(Backorder.delivery_line_id.in_(totals))
        .order_by(Backorder.id.desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    left, taken = Counter(totals), Counter[int]()
    for row in rows:
        units = min(row.quantity, left[row.delivery_line_id])
        row.quantity -= units
        left[row.delivery_line_id] -= units
        taken[row.delivery_line_id] += units
        if not row.quantity:
            await session.delete(row)
    await session.flush()
    return taken


async def release_reservations(
    session: AsyncSession, reservations: Sequence[Reservation], *, now: datetime
) -> None:
    """Release all units of many orders, reserved or waiting."""
    of_orders = Backorder.order_id.in_({each.order_id for each in reservations})
    waiting = Counter[tuple[int, LevelKey]]()
    if await session.scalar(select(Backorder.id).where(of_orders).limit(1)):
        await lock_level_keys(session, {each.allocation.level_key for each in reservations})
        waiting = await delete_backorders(session, of_orders)
    reserved, backordered = [], []
    for each in reservations:
        units, cause = waiting[each.order_id, each.allocation.level_key], each.movement_cause(now)
        if units:
            backordered.append((replace(each.allocation, quantity=units), cause))
        if rest := each.allocation.quantity - units:
            reserved.append((replace(each.allocation, quantity=rest), cause))
    await move_stock_for(session, backordered, RELEASE_BACKORDER)
    await move_stock_for(session, reserved, RELEASE)


async def delete_backorders(
    session: AsyncSession, condition: ColumnElement[bool]
) -> Counter[tuple[int, LevelKey]]:
    """Delete these backorders; the units that waited, by order and level."""
    rows = await session.execute(
        delete(Backorder)
        .where(condition)
        .returning(Backorder.order_id, Backorder.variant_id, Backorder.warehouse_id, Backorder.quantity)
    )
    waiting = Counter[tuple[int, LevelKey]]()
    for order_id, variant_id, warehouse_id, quantity in rows:
        waiting[order_id, (variant_id, warehouse_id)] += quantity
    return waiting


async def lock_level_keys(session: AsyncSession, keys: Iterable[LevelKey]) -> None:
    """Lock these stock levels, in sorted order, until the transaction ends."""
    await session.execute(
        select(StockLevel.variant_id)
        .where(tuple_(StockLevel.variant_id, StockLevel.warehouse_id).in_(sorted(keys)))
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update()
    )


async def move_units(
    session: AsyncSession,
    allocations: Sequence[tuple[Allocation, int]],
    effect: MovementEffect,
    cause: Cause,
) -> None:
    """Move units of orders, each given with the id of its order."""
    moves = [(allocation, MovementCause(cause, order_id)) for allocation, order_id in allocations]
    await move_stock_for(session, moves, effect)


def select_filled_backorders(now: datetime) -> AnySelect:
    """Select the ids of orders for which stock has come, of which they do not tell yet."""
    return (
        select(Backorder.order_id)
        .where(Backorder.filled_at <= now)
        .group_by(Backorder.order_id)
        .order_by(func.min(Backorder.filled_at))
    )


async def take_filled_units(session: AsyncSession, order_id: int) -> dict[int, int]:
    """The units of a locked order for which stock has come since this was asked last, by delivery line."""
    rows = await session.scalars(
        select(Backorder)
        .where(Backorder.order_id == order_id, Backorder.filled_at.is_not(None))
        .order_by(Backorder.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    filled = Counter[int]()
    for row in rows.all():
        filled[row.delivery_line_id] += row.filled
        row.filled, row.filled_at = 0, None
        if not row.quantity:
            await session.delete(row)
    await session.flush()
    return filled


async def count_waiting_units(session: AsyncSession, delivery_line_ids: Iterable[int]) -> dict[int, int]:
    """How many units of each delivery line wait for stock; without those of which none do."""
    rows = await session.execute(
        select(Backorder.delivery_line_id, func.sum(Backorder.quantity))
        .where(Backorder.delivery_line_id.in_(set(delivery_line_ids)), Backorder.quantity > 0)
        .group_by(Backorder.delivery_line_id)
    )
    return {line_id: int(units) for line_id, units in rows}
