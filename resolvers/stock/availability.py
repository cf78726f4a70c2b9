"""What can be bought, and where it would come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from atlas import Point, bare, distance_km, find_point
from loaders.stock import Shelf, every_warehouse
from models import Product, StockLevel, Variant, Warehouse
from resolvers.context import Info
from resolvers.inputs.stock import NearInput

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


@dataclass(frozen=True, slots=True)
class NearbyAvailability:
    """Whether something can be bought, and how far it would have to travel."""

    availability: Availability
    source: Warehouse | None
    """The nearest active warehouse that has it."""
    distance: float | None
    left: int | None
    """What that warehouse has of it; None when there is no limit."""

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
        return self.left if self.availability.exact else None


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
    shelves = await open_shelves(variants, info)
    return [
        units_on(of_variant) if variant.limited else None
        for variant, of_variant in zip(variants, shelves, strict=True)
    ]


async def open_shelves(variants: Sequence[Variant], info: Info) -> list[Sequence[Shelf]]:
    """Of each variant, what lies where orders may take it from."""
    found = await info.context.load.variant_shelves.load_many([variant.id for variant in variants])
    return [[shelf for shelf in shelves if shelf.warehouse.active] for shelves in found]


def units_on(shelves: Sequence[Shelf]) -> int:
    return sum(shelf.level.available for shelf in shelves)


def together(lefts: Sequence[int | None]) -> int | None:
    return None if None in lefts else sum(left or 0 for left in lefts)


async def variant_stock(variants: Sequence[Variant], info: Info) -> Sequence[Sequence[StockLevel] | None]:
    """What each warehouse has of it, the main one first; null for customers."""
    if not info.context.viewer.is_staff:
        return [None] * len(variants)
    found = await info.context.load.variant_shelves.load_many([variant.id for variant in variants])
    return [[shelf.level for shelf in shelves] for shelves in found]


async def availability_near(
    variants: Sequence[Variant], info: Info, address: NearInput
) -> Sequence[NearbyAvailability]:
    """Whether it can be bought at this moment, and the nearest warehouse that has it.

    address: where it would go; the more it says, the better is the distance
    """
    address.refuse_long()
    exact, near = info.context.viewer.is_staff, Nearness.of(address)
    shelves = await open_shelves(variants, info)
    everywhere: Sequence[Warehouse] = ()
    if not all(variant.limited for variant in variants):
        found = await every_warehouse(info.context.shop.database.reads)
        everywhere = [warehouse for warehouse in found if warehouse.active]
    return [
        nearby(near, variant, of_variant, everywhere, exact=exact)
        for variant, of_variant in zip(variants, shelves, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near warehouses are to somebody."""

    address: NearInput
    point: Point | None

    @classmethod
    def of(cls, address: NearInput) -> "Nearness":
        return cls(address, point_of(address.country_code, address.province, address.city, address.district))

    def distance(self, warehouse: Warehouse) -> float | None:
        there = point_of_warehouse(warehouse)
        return distance_km(self.point, there) if self.point and there else None

    def order(self, warehouse: Warehouse) -> tuple[bool, bool, float, int, int]:
        """Home before abroad; by distance where both places are known, else one's own province first."""
        away = self.distance(warehouse)
        abroad = warehouse.country_code != self.address.country_code.strip().upper()
        elsewhere = bare(warehouse.province) != bare(self.address.province)
        return abroad, away is None and elsewhere, away or 0, warehouse.position, warehouse.id


def nearby(
    near: Nearness,
    variant: Variant,
    shelves: Sequence[Shelf],
    everywhere: Sequence[Warehouse],
    *,
    exact: bool,
) -> NearbyAvailability:
    """What has no limit comes from the nearest warehouse of all."""
    left = {shelf.warehouse.id: shelf.level.available for shelf in shelves}
    places = everywhere
    if variant.limited:
        places = [shelf.warehouse for shelf in shelves if shelf.level.available > 0]
    source = min(places, key=near.order, default=None)
    return NearbyAvailability(
        Availability(units_on(shelves) if variant.limited else None, exact),
        source,
        near.distance(source) if source else None,
        left.get(source.id) if source and variant.limited else None,
    )


def point_of(country_code: str, province: str, city: str, district: str) -> Point | None:
    """The table knows one country."""
    return find_point(province, city, district) if country_code.strip().upper() == "CN" else None


def point_of_warehouse(warehouse: Warehouse) -> Point | None:
    if warehouse.latitude is not None and warehouse.longitude is not None:
        return Point(warehouse.latitude, warehouse.longitude)
    return point_of(warehouse.country_code, warehouse.province, warehouse.city, warehouse.district)
