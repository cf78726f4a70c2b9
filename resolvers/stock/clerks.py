"""What clerks and buyers do: warehouses, movements, what runs low."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import strawberry

from domain.errors import Invalid, NotFound
from domain.stock import WarehouseDraft, adjust, save_warehouse, set_threshold, transfer
from loaders.page import PAGE_DEFAULT, Page
from loaders.stock import NEVER, NEWEST_MOVEMENT, LowStock, every_warehouse, low_stock, movements_wanted
from models import MovementKind, StockLevel, StockMovement, Variant, Warehouse
from resolvers.context import Info
from resolvers.ids import parse_id, row_id
from resolvers.inputs.stock import LowStockFilter, MovementFilter
from resolvers.paging import paged
from resolvers.stock.availability import point_of

DAYS_LIMIT = 366


@dataclass(frozen=True, slots=True)
class LowStockLine:
    """A variant a buyer has to think of."""

    low: LowStock
    sold_days: int
    cover_days: int

    @property
    def variant(self) -> Variant:
        return self.low.variant

    @property
    def on_hand(self) -> int:
        return self.low.on_hand

    @property
    def reserved(self) -> int:
        return self.low.reserved

    @property
    def available(self) -> int:
        return self.low.available

    @property
    def threshold(self) -> int:
        return self.low.threshold

    @property
    def sold(self) -> int:
        return self.low.sold

    @property
    def days_left(self) -> int | None:
        return None if self.low.days_left == NEVER else self.low.days_left

    @property
    def suggested(self) -> int:
        """What is expected to be sold, rounded up, and the threshold on top."""
        expected = -(-self.low.sold * self.cover_days // self.sold_days)
        return max(0, expected + self.threshold - self.available)


async def warehouses(info: Info) -> Sequence[Warehouse]:
    """Where goods are kept, the main warehouse first."""
    return await every_warehouse(info.context.shop.database.reads)


async def warehouse_save(
    info: Info,
    code: str,
    name: str,
    city: str,
    id: strawberry.ID | None = None,
    country_code: str = "CN",
    province: str = "",
    district: str = "",
    line1: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    position: int | None = None,
    active: bool = True,
) -> Warehouse:
    """Open a warehouse, or change one: all of it as it shall be.

    id: which to change; left out, a new one is opened
    code: what product files call it
    name: what people call it
    city: city or prefecture
    country_code: the ISO 3166 code of its country
    province: province, state or municipality
    district: district or county
    line1: street and number
    latitude: degrees north; left out, those of its district, city or province, where they are known
    longitude: degrees east, given together with the latitude
    position: its place among the others, 1 for the main one; left out, it stays or comes last
    active: whether it gives goods to orders; what was set aside in it leaves it either way
    """
    point = point_of(country_code, province, city, district) if latitude is longitude is None else None
    draft = WarehouseDraft(
        code=code,
        name=name,
        country_code=country_code,
        province=province,
        city=city,
        district=district,
        line1=line1,
        latitude=point.latitude if point else latitude,
        longitude=point.longitude if point else longitude,
        active=active,
    )
    warehouse = None if id is None else row_id(id, "Warehouse")
    async with info.context.transaction() as session:
        return await save_warehouse(session, draft, warehouse_id=warehouse, position=position)


async def stock_adjust(
    info: Info,
    variant_id: strawberry.ID,
    warehouse_id: strawberry.ID,
    kind: MovementKind,
    quantity: int,
    reason: str,
    to_warehouse_id: strawberry.ID | None = None,
) -> StockLevel:
    """Receive goods, correct a count, write off damaged units, or send units to another warehouse.

    variant_id: of what
    warehouse_id: where it lies
    kind: RECEIVED, CORRECTED, DAMAGED or TRANSFERRED; the others follow from orders
    quantity: how many units; for CORRECTED the difference, which may be negative
    reason: why, for whoever reads the movements later
    to_warehouse_id: where TRANSFERRED units go
    """
    variant = row_id(variant_id, "Variant", field=("variant_id",))
    warehouse = row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    now, by = info.context.now, info.context.viewer.id
    if to_warehouse_id is not None and kind is not MovementKind.TRANSFERRED:
        raise Invalid("Only TRANSFERRED units go to another warehouse.", field=("to_warehouse_id",))
    async with info.context.transaction() as session:
        if kind is not MovementKind.TRANSFERRED:
            return await adjust(
                session,
                variant_id=variant,
                warehouse_id=warehouse,
                kind=kind,
                quantity=quantity,
                reason=reason,
                now=now,
                by=by,
            )
        return await transfer(
            session,
            variant_id=variant,
            warehouse_id=warehouse,
            to_warehouse_id=row_id(to_warehouse_id or "", "Warehouse", field=("to_warehouse_id",)),
            quantity=quantity,
            reason=reason,
            now=now,
            by=by,
        )


async def stock_threshold_set(info: Info, variant_id: strawberry.ID, units: int | None = None) -> Variant:
    """Say from how many units on a variant counts as low.

    variant_id: which variant
    units: that many or fewer are few; left out, as many as the shop says of any
    """
    variant = row_id(variant_id, "Variant", field=("variant_id",))
    async with info.context.transaction() as session:
        return await set_threshold(session, variant_id=variant, units=units)


async def stock_movements(
    info: Info, filter: MovementFilter | None = None, first: int = PAGE_DEFAULT, after: str | None = None
) -> Page[StockMovement]:
    """What changed stock, the newest first.

    filter: which; all of them without it
    first: how many, at most 100
    after: the cursor of the last one seen
    """
    chosen = filter or MovementFilter()
    named = {
        "variant_id": (chosen.variant_id, "Variant"),
        "warehouse_id": (chosen.warehouse_id, "Warehouse"),
        "order_id": (chosen.order_id, "Order"),
    }
    ids = {
        name: row_id(given, kind, field=("filter", name)) for name, (given, kind) in named.items() if given
    }
    wanted = movements_wanted(
        **ids, kinds=chosen.kinds, moved_from=chosen.moved_from, moved_before=chosen.moved_before
    )
    return await paged(info, wanted, NEWEST_MOVEMENT, first=first, after=after)


async def low_stock_list(
    info: Info,
    filter: LowStockFilter | None = None,
    sold_days: int = 28,
    cover_days: int = 28,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[LowStockLine]:
    """What is down to its threshold among the counted variants on sale, the first to run out first.

    filter: which; all of them without it
    sold_days: over how many days back it is looked how fast something sells
    cover_days: for how many days a buyer would order
    first: how many, at most 100
    after: the cursor of the last one seen
    """
    for name, days in (("sold_days", sold_days), ("cover_days", cover_days)):
        if not 1 <= days <= DAYS_LIMIT:
            raise Invalid(f"From 1 to {DAYS_LIMIT} days.", field=(name,))
    chosen = filter or LowStockFilter()
    given = chosen.warehouse_id
    wanted, sort = low_stock(
        otherwise=info.context.shop.settings.low_stock_at,
        days=sold_days,
        since=info.context.now - timedelta(days=sold_days),
        warehouse_id=row_id(given, "Warehouse", field=("filter", "warehouse_id")) if given else None,
        category_path=await category_path(info, chosen.category),
    )

    def shape(*columns: Any) -> LowStockLine:
        return LowStockLine(LowStock(*columns), sold_days, cover_days)

    return await paged(info, wanted, sort, first=first, after=after, shape=shape)


async def category_path(info: Info, named: str | None) -> str | None:
    """The path of a category by its id or its slug."""
    if named is None:
        return None
    parsed = parse_id(named)
    by_id = parsed[1] if parsed and parsed[0] == "Category" else None
    load = info.context.load
    category = await (load.category.load(by_id) if by_id else load.slug_category.load(named))
    if category is None:
        raise NotFound("category", field=("filter", "category"))
    return category.path


def low_stock_at(root: Variant, info: Info) -> int | None:
    """From how many units on it counts as low, where it says so itself; null for customers."""
    return root.low_stock_at if info.context.viewer.is_staff else None


async def find_warehouse(info: Info, warehouse_id: int) -> Warehouse | None:
    """For staff only."""
    return await info.context.load.warehouse.load(warehouse_id) if info.context.viewer.is_staff else None
