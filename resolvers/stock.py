from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import strawberry

from domain.stock import adjust, transfer
from loaders.stock import every_warehouse
from models import MovementKind, Product, StockLevel, Variant, Warehouse
from resolvers.context import Info
from resolvers.ids import row_id

FEW = 5
"""From this many on customers are told the number."""


class AvailabilityLevel(StrEnum):
    """How much is left, in a word."""

    SOLD_OUT = "SOLD_OUT"
    """None."""
    FEW = "FEW"
    """So few that the number is told."""
    PLENTY = "PLENTY"
    """Enough, or there is no limit."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What can be bought at this moment."""

    left: int | None
    """None when there is no limit."""
    exact: bool

    @property
    def in_stock(self) -> bool:
        return self.left is None or self.left > 0

    @property
    def level(self) -> AvailabilityLevel:
        if self.left is None or self.left > FEW:
            return AvailabilityLevel.PLENTY
        return AvailabilityLevel.FEW if self.left else AvailabilityLevel.SOLD_OUT

    @property
    def quantity(self) -> int | None:
        return None if self.level is AvailabilityLevel.PLENTY and not self.exact else self.left


async def variant_availability(variants: Sequence[Variant], info: Info) -> Sequence[Availability]:
    """How much of it can be bought now, from all warehouses together."""
    exact = info.context.viewer.is_staff
    return [Availability(left, exact) for left in await units_left(variants, info)]


async def product_availability(products: Sequence[Product], info: Info) -> Sequence[Availability]:
    """How much of it can be bought now, in all variants together."""
    exact = info.context.viewer.is_staff
    found = await info.context.load.product_variants.load_many([product.id for product in products])
    left = iter(await units_left([variant for variants in found for variant in variants], info))
    return [Availability(together([next(left) for _ in variants]), exact) for variants in found]


async def units_left(variants: Sequence[Variant], info: Info) -> list[int | None]:
    """None for what has no limit."""
    levels = await info.context.load.variant_stock.load_many([variant.id for variant in variants])
    return [
        sum(level.available for level in of_variant) if variant.limited else None
        for variant, of_variant in zip(variants, levels, strict=True)
    ]


def together(lefts: Sequence[int | None]) -> int | None:
    return None if None in lefts else sum(left or 0 for left in lefts)


async def variant_stock(variants: Sequence[Variant], info: Info) -> Sequence[Sequence[StockLevel] | None]:
    """What each warehouse has of it, the main one first; null for customers."""
    if not info.context.viewer.is_staff:
        return [None] * len(variants)
    return await info.context.load.variant_stock.load_many([variant.id for variant in variants])


async def warehouses(info: Info) -> Sequence[Warehouse]:
    """Where goods are kept, the main warehouse first."""
    return await every_warehouse(info.context.shop.database.reads)


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


async def find_warehouse(info: Info, warehouse_id: int) -> Warehouse | None:
    """For staff only."""
    return await info.context.load.warehouse.load(warehouse_id) if info.context.viewer.is_staff else None
