from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, loader
from loaders.page import Key, Sort
from loaders.prepared import Reads
from models import (
    Category,
    DeliveryLine,
    MovementKind,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    ProductStatus,
    StockLevel,
    StockMovement,
    Variant,
    Warehouse,
)

NEWEST_MOVEMENT = Sort("newest-movement", (Key(StockMovement.id, descending=True),))

NEVER = 1_000_000
"""Days until something runs out that nobody buys."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a warehouse has of a variant."""

    level: StockLevel
    warehouse: Warehouse


@dataclass(frozen=True, slots=True)
class LowStock:
    """A variant of which too few are left, and how fast it sells."""

    variant: Variant
    on_hand: int
    reserved: int
    threshold: int
    sold: int
    days_left: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


async def every_warehouse(reads: Reads) -> Sequence[Warehouse]:
    """The main one first."""
    async with reads() as session:
        return (await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id))).all()


def movements_wanted(
    *,
    variant_id: int | None = None,
    warehouse_id: int | None = None,
    order_id: int | None = None,
    kinds: Collection[MovementKind] | None = None,
    moved_from: datetime | None = None,
    moved_before: datetime | None = None,
) -> Select[Any]:
    """Movements; everything given must hold."""
    exact = {
        StockMovement.variant_id: variant_id,
        StockMovement.warehouse_id: warehouse_id,
        StockMovement.order_id: order_id,
    }
    wanted = select(StockMovement).where(
        *(column == value for column, value in exact.items() if value is not None)
    )
    if kinds is not None:
        wanted = wanted.where(StockMovement.kind.in_(kinds))
    if moved_from is not None:
        wanted = wanted.where(StockMovement.created_at >= moved_from)
    if moved_before is not None:
        wanted = wanted.where(StockMovement.created_at < moved_before)
    return wanted


def low_stock(
    *,
    otherwise: int,
    days: int,
    since: datetime,
    warehouse_id: int | None = None,
    category_path: str | None = None,
) -> tuple[Select[Any], Sort]:
    """Counted variants on sale that are down to their threshold, the first to run out first.

    In one warehouse, or in all active ones together. `otherwise` is the threshold of variants without one
    of their own; `days` are those since `since`.
    """
    held, sold = units_held(warehouse_id), units_sold(since, warehouse_id)
    on_hand, reserved = func.coalesce(held.c.on_hand, 0), func.coalesce(held.c.reserved, 0)
    units = func.coalesce(sold.c.units, 0)
    threshold = func.coalesce(Variant.low_stock_at, otherwise)
    left = on_hand - reserved
    days_left: ColumnElement[int] = case((units == 0, NEVER), else_=cast(left * days, BigInteger) // units)
    columns: tuple[Any, ...] = (Variant, on_hand, reserved, threshold, units, days_left)
    wanted = (
        select(*columns)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(held, held.c.variant_id == Variant.id)
        .outerjoin(sold, sold.c.variant_id == Variant.id)
        .where(Product.status == ProductStatus.ACTIVE, Variant.archived_at.is_(None), Variant.tracked)
        .where(left <= threshold)
    )
    if category_path is not None:
        wanted = wanted.join(Category, Category.id == Product.category_id).where(
            Category.path.startswith(category_path, autoescape=True)
        )
    return wanted, Sort("low-stock", (Key(days_left), Key(left), Key(Variant.id)))


def units_held(warehouse_id: int | None) -> Subquery:
    """What one warehouse has of each variant, or all active ones together."""
    here = Warehouse.active if warehouse_id is None else Warehouse.id == warehouse_id
    total = [cast(func.sum(column), BigInteger) for column in (StockLevel.on_hand, StockLevel.reserved)]
    return (
        select(StockLevel.variant_id, total[0].label("on_hand"), total[1].label("reserved"))
        .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
        .where(here)
        .group_by(StockLevel.variant_id)
        .subquery("held")
    )


def units_sold(since: datetime, warehouse_id: int | None) -> Subquery:
    """How many of each variant were ordered since then, from one warehouse or from all."""
    bought = OrderLine.quantity - OrderLine.cancelled
    quantity = bought if warehouse_id is None else DeliveryLine.quantity
    sold = (
        select(OrderLine.variant_id, cast(func.sum(quantity), BigInteger).label("units"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= since, Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.variant_id)
    )
    if warehouse_id is not None:
        sold = sold.join(DeliveryLine, DeliveryLine.order_line_id == OrderLine.id).where(
            DeliveryLine.warehouse_id == warehouse_id
        )
    return sold.subquery("sold")


class WarehouseById(ByKey[int, Warehouse]):
    key = Warehouse.id


class ShelvesByVariant(Grouped[int, Sequence[Shelf]]):
    """What there is of each variant and where, the main warehouse first; one statement for both."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Shelf]]:
        rows = await session.execute(
            select(StockLevel, Warehouse)
            .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
            .where(StockLevel.variant_id.in_(keys))
            .order_by(Warehouse.position, Warehouse.id)
        )
        found: defaultdict[int, list[Shelf]] = defaultdict(list)
        for level, warehouse in rows:
            found[level.variant_id].append(Shelf(level, warehouse))
            self.loaders.warehouse.prime(warehouse.id, warehouse)
        return found

    def nothing(self) -> Sequence[Shelf]:
        return ()


class StockLoaders:
    warehouse = loader(WarehouseById)
    variant_shelves = loader(ShelvesByVariant)
