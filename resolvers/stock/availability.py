"""How much of a product can be bought, and from which warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.stock import point_of_place, point_of_warehouse
from geo import Point, distance_km, short_name
from loaders.stock import StockAtWarehouse, all_warehouses
from models import Product, StockLevel, Variant, Warehouse, total_available
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.inputs.stock import ApproximateAddressInput

FEW = 5
"""Up to this many available units customers read the number."""


class AvailabilityLevel(StrEnum):
    """How much is available, in a word."""

    SOLD_OUT = "SOLD_OUT"
    """None."""
    FEW = "FEW"
    """So few that customers read the number."""
    PLENTY = "PLENTY"
    """More than a few, or there is no limit."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What can be bought at this moment."""

    units: int | None
    """None where there is no limit."""
    exact: bool
    """Whether the viewer may read the number, however high it is."""
    ready: bool
    """Whether at least one unit can be sent at once; otherwise what is bought waits for stock to come."""
    backordered: int
    """Units that were bought and wait for stock to come."""

    @property
    def in_stock(self) -> bool:
        return self.units is None or self.units > 0

    @property
    def level(self) -> AvailabilityLevel:
        if self.units is None or self.units > FEW:
            return AvailabilityLevel.PLENTY
        return AvailabilityLevel.FEW if self.units else AvailabilityLevel.SOLD_OUT

    @property
    def quantity(self) -> int | None:
        return None if self.level is AvailabilityLevel.PLENTY and not self.exact else self.units


@dataclass(frozen=True, slots=True)
class NearbyAvailability:
    """Whether something can be bought, and from how far away it would come."""

    availability: Availability
    source: Warehouse | None
    """The nearest active warehouse that has it."""
    distance: float | None
    source_units: int | None
    """What is available of it there; None where there is no limit."""

    @property
    def city(self) -> str | None:
        return self.source.city if self.source else None

    @property
    def province(self) -> str | None:
        return self.source.province if self.source else None

    @property
    def distance_km(self) -> int | None:
        return None if self.distance is None else round(self.distance)

    @property
    def warehouse(self) -> Warehouse | None:
        return self.source if self.availability.exact else None

    @property
    def units(self) -> int | None:
        return self.source_units if self.availability.exact else None


async def variant_availability(variants: Sequence[Variant], info: Info) -> Sequence[Availability]:
    """How much of it can be bought now, from all warehouses together."""
    exact = info.context.viewer.may(Permission.STOCK_VIEW)
    found = await stock_in_active_warehouses(variants, info)
    return [
        availability_in(stock, variant, exact=exact) for variant, stock in zip(variants, found, strict=True)
    ]


async def product_availability(products: Sequence[Product], info: Info) -> Sequence[Availability]:
    """How much of it can be bought now, in all variants together."""
    exact = info.context.viewer.may(Permission.STOCK_VIEW)
    found = await info.context.load.product_variants.load_many([product.id for product in products])
    all_variants = [variant for variants in found for variant in variants]
    each = iter(await variant_availability(all_variants, info))
    return [combine_availability([next(each) for _ in variants], exact=exact) for variants in found]


def combine_availability(parts: Sequence[Availability], *, exact: bool) -> Availability:
    """The availability of several variants together."""
    return Availability(
        units=sum_available([part.units for part in parts]),
        exact=exact,
        ready=any(part.ready for part in parts),
        backordered=sum(part.backordered for part in parts),
    )


async def stock_in_active_warehouses(
    variants: Sequence[Variant], info: Info
) -> list[Sequence[StockAtWarehouse]]:
    """The stock of each variant that orders may take from."""
    found = await info.context.load.variant_stock.load_many([variant.id for variant in variants])
    return [[each for each in stock if each.warehouse.active] for stock in found]


def availability_in(stock: Sequence[StockAtWarehouse], variant: Variant, *, exact: bool) -> Availability:
    in_stock = sum(each.level.available for each in stock)
    return Availability(
        units=total_available(variant, [in_stock]),
        exact=exact,
        ready=in_stock > 0 or not variant.tracked,
        backordered=sum(each.level.backordered for each in stock),
    )


def sum_available(units: Sequence[int | None]) -> int | None:
    return None if None in units else sum(each or 0 for each in units)


async def variant_stock(variants: Sequence[Variant], info: Info) -> Sequence[Sequence[StockLevel] | None]:
    """The stock levels of all warehouses, the main one's first; null for customers."""
    if not info.context.viewer.may(Permission.STOCK_VIEW):
        return [None] * len(variants)
    found = await info.context.load.variant_stock.load_many([variant.id for variant in variants])
    return [[each.level for each in stock] for stock in found]


async def availability_near(
    variants: Sequence[Variant], info: Info, address: ApproximateAddressInput
) -> Sequence[NearbyAvailability]:
    """Whether it can be bought at this moment, and the nearest warehouse that has it.

    address: where it would go; the more it says, the more exact is the distance
    """
    address.refuse_long()
    exact, proximity = info.context.viewer.may(Permission.STOCK_VIEW), Proximity.of(address)
    found = await stock_in_active_warehouses(variants, info)
    active_warehouses: Sequence[Warehouse] = ()
    if not all(variant.can_sell_out for variant in variants):
        warehouses = await all_warehouses(info.context.shop.database.reads)
        active_warehouses = [warehouse for warehouse in warehouses if warehouse.active]
    return [
        availability_from_nearest(proximity, variant, stock, active_warehouses, exact=exact)
        for variant, stock in zip(variants, found, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Proximity:
    """How near warehouses are to an address."""

    address: ApproximateAddressInput
    point: Point | None

    @classmethod
    def of(cls, address: ApproximateAddressInput) -> "Proximity":
        point = point_of_place(address.country_code, address.province, address.city, address.district)
        return cls(address, point)

    def distance_to(self, warehouse: Warehouse) -> float | None:
        """Kilometres along the great circle; None where either place is not known."""
        point = point_of_warehouse(warehouse)
        return distance_km(self.point, point) if self.point and point else None

    def sort_key(self, warehouse: Warehouse) -> tuple[bool, bool, float, int, int]:
        """The same country first; then by distance, or the same province first where that is not known."""
        distance = self.distance_to(warehouse)
        abroad = warehouse.country_code != self.address.country_code.strip().upper()
        other_province = short_name(warehouse.province) != short_name(self.address.province)
        unknown = distance is None and other_province
        return abroad, unknown, distance or 0, warehouse.position, warehouse.id


def availability_from_nearest(
    proximity: Proximity,
    variant: Variant,
    stock: Sequence[StockAtWarehouse],
    active_warehouses: Sequence[Warehouse],
    *,
    exact: bool,
) -> NearbyAvailability:
    """What is not there comes from the nearest warehouse that keeps it, and what is not counted from any."""
    units_by_warehouse = {each.warehouse.id: each.level.available for each in stock}
    sources = active_warehouses
    if variant.tracked:
        sources = [each.warehouse for each in stock if each.level.available > 0]
    if not sources and variant.is_backordered_when_out:
        sources = [each.warehouse for each in stock] or active_warehouses
    source = min(sources, key=proximity.sort_key, default=None)
    return NearbyAvailability(
        availability_in(stock, variant, exact=exact),
        source,
        proximity.distance_to(source) if source else None,
        units_by_warehouse.get(source.id) if source and variant.tracked else None,
    )
