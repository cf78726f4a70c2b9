from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Subquery, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, loader
from loaders.page import Key, Sort
from models import (
    SOLD_STATUSES,
    Category,
    DeliveryLine,
    MovementKind,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    StockLevel,
    StockMovement,
    Variant,
    Warehouse,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_MOVEMENT = Sort("newest-movement", (Key(StockMovement.id, descending=True),))

NEVER = 1_000_000
"""Days left of what nobody buys."""


@dataclass(frozen=True, slots=True)
class StockAtWarehouse:
    """A stock level and its warehouse."""

    level: StockLevel
    warehouse: Warehouse


@dataclass(frozen=True, slots=True)
class LowStock:
    """A variant that is low, how fast it sells, and what to order of it."""

    sold_days: int
    cover_days: int
    variant: Variant
    on_hand: int
    reserved: int
    available: int
    threshold: int
    sold: int
    """Units ordered within `sold_days`."""
    whole_days_left: int

    @property
    def days_left(self) -> int | None:
        """None when nobody bought it."""
        return None if self.whole_days_left == NEVER else self.whole_days_left

    @property
    def suggested(self) -> int:
        """Expected sales of `cover_days`, rounded up, and the threshold, less what is available."""
        expected = -(-self.sold * self.cover_days // self.sold_days)
        return max(0, expected + self.threshold - self.available)


async def all_warehouses(reads: Reads) -> Sequence[Warehouse]:
    """All warehouses, the main one first."""
    async with reads() as session:
        return (await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id))).all()


def select_movements(
    *,
    variant_id: int | None = None,
    warehouse_id: int | None = None,
    order_id: int | None = None,
    kinds: Collection[MovementKind] | None = None,
    moved_from: datetime | None = None,
    moved_before: datetime | None = None,
) -> AnySelect:
    """Movements; all conditions that are given must hold."""
    exact = {
        StockMovement.variant_id: variant_id,
        StockMovement.warehouse_id: warehouse_id,
        StockMovement.order_id: order_id,
    }
    statement = select(StockMovement).where(
        *(column == value for column, value in exact.items() if value is not None)
    )
    if kinds is not None:
        statement = statement.where(StockMovement.kind.in_(kinds))
    if moved_from is not None:
        statement = statement.where(StockMovement.created_at >= moved_from)
    if moved_before is not None:
        statement = statement.where(StockMovement.created_at < moved_before)
    return statement


def select_low_stock(
    *,
    default_threshold: int,
    days: int,
    since: datetime,
    warehouse_id: int | None = None,
    category_path: str | None = None,
) -> tuple[AnySelect, Sort]:
    """Tracked variants on sale that are down to their threshold, those that run out first before the others.

    Counted in one warehouse or in all active ones together; `days` is the number of days after `since`. The
    columns are those of LowStock from `variant` on.
    """
    held, sold = select_held_units(warehouse_id), select_sold_units(since, warehouse_id)
    on_hand, reserved = func.coalesce(held.c.on_hand, 0), func.coalesce(held.c.reserved, 0)
    available, units = func.coalesce(held.c.available, 0), func.coalesce(sold.c.units, 0)
    threshold = func.coalesce(Variant.low_stock_at, default_threshold)
    days_left: ColumnElement[int] = case(
        (units == 0, NEVER), else_=cast(available * days, BigInteger) // units
    )
    columns: tuple[type[Variant] | ColumnElement[int], ...] = (
        Variant,
        on_hand,
        reserved,
        available,
        threshold,
        units,
        days_left,
    )
    statement = (
        select(*columns)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(held, held.c.variant_id == Variant.id)
        .outerjoin(sold, sold.c.variant_id == Variant.id)
        .where(Product.status.in_(SOLD_STATUSES), Variant.archived_at.is_(None), Variant.tracked)
        .where(available <= threshold)
    )
    if category_path is not None:
        statement = statement.join(Category, Category.id == Product.category_id).where(
            Category.path.startswith(category_path, autoescape=True)
        )
    return statement, Sort("low-stock", (Key(days_left), Key(available), Key(Variant.id)))


def select_held_units(warehouse_id: int | None) -> Subquery:
    """Units on hand, reserved and available by variant, in one warehouse or in all active ones together."""
    in_warehouse = Warehouse.active if warehouse_id is None else Warehouse.id == warehouse_id
    numbers = {
        "on_hand": StockLevel.on_hand,
        "reserved": StockLevel.reserved,
        "available": StockLevel.available,
    }
    sums = [cast(func.sum(number), BigInteger).label(name) for name, number in numbers.items()]
    return (
        select(StockLevel.variant_id, *sums)
        .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
        .where(in_warehouse)
        .group_by(StockLevel.variant_id)
        .subquery("held")
    )


def select_sold_units(since: datetime, warehouse_id: int | None) -> Subquery:
    """Units by variant that were ordered since then, from one warehouse or from all."""
    not_cancelled = OrderLine.quantity - OrderLine.cancelled
    quantity = not_cancelled if warehouse_id is None else DeliveryLine.quantity
    statement = (
        select(OrderLine.variant_id, cast(func.sum(quantity), BigInteger).label("units"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= since, Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.variant_id)
    )
    if warehouse_id is not None:
        statement = statement.join(DeliveryLine, DeliveryLine.order_line_id == OrderLine.id).where(
            DeliveryLine.warehouse_id == warehouse_id
        )
    return statement.subquery("sold")


class WarehouseById(ByKey[int, Warehouse]):
    key = Warehouse.id


class StockByVariant(Grouped[int, Sequence[StockAtWarehouse]]):
    """The stock levels of each variant, the main warehouse's first, with their warehouses."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[StockAtWarehouse]]:
        rows = await session.execute(
            select(StockLevel, Warehouse)
            .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
            .where(StockLevel.variant_id.in_(keys))
            .order_by(Warehouse.position, Warehouse.id)
        )
        stock: defaultdict[int, list[StockAtWarehouse]] = defaultdict(list)
        for level, warehouse in rows:
            stock[level.variant_id].append(StockAtWarehouse(level, warehouse))
            self.loaders.prime("warehouse", warehouse.id, warehouse)
        return stock

    def default(self) -> Sequence[StockAtWarehouse]:
        return ()


class StockLoaders:
    warehouse = loader(WarehouseById)
    variant_stock = loader(StockByVariant)
