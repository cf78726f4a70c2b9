"""From which warehouse each unit leaves: a pure choice of few parcels and short distances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Protocol

from domain.contact import HOME_REGION
from domain.stock import point_of_warehouse
from geo import Point, distance_km, find_point
from models import Warehouse

LineAtWarehouse = tuple[int, int]
"""Index of a line and id of a warehouse."""

COMBINATIONS_LIMIT = 5_000
"""Combinations of warehouses of one size that are tried; where there are more, a greedy choice is made."""

UNKNOWN_KM = 20_000.0
"""The distance to or from a place whose coordinates are not known: half around the earth."""


@dataclass(frozen=True, slots=True)
class AllocatedUnits:
    """Units of a line that leave one warehouse for one delivery; line and delivery by index."""

    delivery: int
    line: int
    warehouse_id: int
    quantity: int
    backordered: int = 0
    """How many of them wait for stock to come to that warehouse."""

    @property
    def in_stock(self) -> int:
        return self.quantity - self.backordered


class HasAddress(Protocol):
    """Anything with an address."""

    @property
    def country_code(self) -> str: ...
    @property
    def province(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def district(self) -> str: ...
    @property
    def latitude(self) -> float | None: ...
    @property
    def longitude(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class DeliveryPlace:
    """Where a delivery goes, as far as distances depend on it."""

    country_code: str
    province: str
    city: str
    district: str
    latitude: float | None = None
    longitude: float | None = None
    pickup_at: Warehouse | None = None
    """The only warehouse it may leave, where it is collected; None for any."""

    @classmethod
    def of(cls, address: HasAddress) -> "DeliveryPlace":
        return cls(
            address.country_code,
            address.province,
            address.city,
            address.district,
            address.latitude,
            address.longitude,
        )

    @property
    def point(self) -> Point | None:
        if self.latitude is not None and self.longitude is not None:
            return Point(self.latitude, self.longitude)
        if self.country_code != HOME_REGION:
            return None
        return find_point(self.province, self.city, self.district)


@dataclass(frozen=True, slots=True)
class AvailableStock:
    """Available units of each line in each warehouse; allocating reduces them."""

    units: dict[LineAtWarehouse, int]
    unlimited: frozenset[int]
    """Indexes of lines whose stock is not counted: any warehouse has any number of them."""
    backordered: frozenset[int] = frozenset()
    """Indexes of lines of which units beyond the stock wait for more to come."""

    def units_for(self, line: int, warehouse_id: int, quantity: int) -> int:
        """How many of `quantity` units the warehouse has."""
        if line in self.unlimited:
            return quantity
        return min(quantity, self.units.get((line, warehouse_id), 0))

    def take(self, line: int, warehouse_id: int, quantity: int) -> None:
        if line not in self.unlimited:
            self.units[line, warehouse_id] -= quantity

    def count_missing(
        self, quantities: Mapping[int, int], sources: Sequence["SourceWarehouse"]
    ) -> dict[int, int]:
        """How many units wait for stock, by line that may: those that these sources together do not have."""
        missing = {
            line: quantity - sum(self.units_for(line, source.id, quantity) for source in sources)
            for line, quantity in quantities.items()
            if line in self.backordered
        }
        return {line: units for line, units in missing.items() if units > 0}


@dataclass(frozen=True, slots=True)
class SourceWarehouse:
    """A warehouse and its distance to where a delivery goes."""

    warehouse: Warehouse
    km: float

    @property
    def id(self) -> int:
        return self.warehouse.id


def allocate_units(
    deliveries: Sequence[tuple[DeliveryPlace, Mapping[int, int]]],
    stock: AvailableStock,
    warehouses: Sequence[Warehouse],
) -> list[AllocatedUnits]:
    """Which warehouse sends what to each delivery, given as its place and its units by index of the line.

    The nearest warehouse that has everything for a delivery sends it; otherwise the fewest that have it
    together, the nearest of those. Units that wait for stock do so where most of the delivery is; those that
    are collected come first, since they are bound to their place. ValueError when there is too little.
    """
    allocated = []
    numbered = sorted(enumerate(deliveries), key=lambda each: each[1][0].pickup_at is None)
    for delivery, (place, quantities) in numbered:
        allocated += allocate_delivery(delivery, place, quantities, stock, warehouses)
    return sorted(allocated, key=lambda units: units.delivery)


def allocate_delivery(
    delivery: int,
    place: DeliveryPlace,
    quantities: Mapping[int, int],
    stock: AvailableStock,
    warehouses: Sequence[Warehouse],
) -> list[AllocatedUnits]:
    here = [place.pickup_at] if place.pickup_at else warehouses
    sources = sort_by_distance(here, place)
    waiting = stock.count_missing(quantities, sources)
    missing = {
        line: rest for line, quantity in quantities.items() if (rest := quantity - waiting.get(line, 0))
    }
    chosen = choose_sources(sources, missing, stock) if missing else ()
    taken: dict[LineAtWarehouse, int] = {}
    for source in chosen:
        for line, quantity in missing.items():
            if units := stock.units_for(line, source.id, quantity):
                stock.take(line, source.id, units)
                taken[line, source.id] = units
                missing[line] -= units
    backordered = {
        (line, choose_waiting_place(line, [*chosen, *sources], stock).id): units
        for line, units in waiting.items()
    }
    return [
        AllocatedUnits(delivery, line, warehouse_id, taken.get(key, 0) + waits, waits)
        for key in dict.fromkeys([*taken, *backordered])
        for (line, warehouse_id), waits in [(key, backordered.get(key, 0))]
    ]


def choose_waiting_place(
    line: int, sources: Sequence[SourceWarehouse], stock: AvailableStock
) -> SourceWarehouse:
    """The first source that keeps the line, else the first; ValueError where there is none at all."""
    if not sources:
        raise ValueError(f"no warehouse in which line {line} could wait")
    return next((source for source in sources if (line, source.id) in stock.units), sources[0])


def sort_by_distance(warehouses: Sequence[Warehouse], place: DeliveryPlace) -> list[SourceWarehouse]:
    """Warehouses by distance; among equally distant ones, as where it is not known, by position."""
    point = place.point
    sources = [SourceWarehouse(warehouse, distance_from(warehouse, point)) for warehouse in warehouses]
    return sorted(sources, key=lambda source: (source.km, source.warehouse.position, source.id))


def distance_from(warehouse: Warehouse, point: Point | None) -> float:
    """Kilometres along the great circle; UNKNOWN_KM where either place is not known."""
    start = point_of_warehouse(warehouse)
    return UNKNOWN_KM if start is None or point is None else distance_km(start, point)


def choose_sources(
    sources: Sequence[SourceWarehouse], quantities: Mapping[int, int], stock: AvailableStock
) -> Sequence[SourceWarehouse]:
    """The fewest sources that have everything together, with the least total distance, nearest first.

    This is a set cover: all combinations of a size are tried while they are few enough.
    """
    useful = [source for source in sources if has_any_of(source, quantities, stock)]
    for size in range(1, len(useful) + 1):
        if comb(len(useful), size) > COMBINATIONS_LIMIT:
            return choose_greedily(useful, quantities, stock)
        enough = [chosen for chosen in combinations(useful, size) if cover_all(chosen, quantities, stock)]
        if enough:
            return min(enough, key=lambda chosen: sum(source.km for source in chosen))
    raise ValueError(f"too little in stock of lines {sorted(quantities)}")


def choose_greedily(
    sources: Sequence[SourceWarehouse], quantities: Mapping[int, int], stock: AvailableStock
) -> Sequence[SourceWarehouse]:
    """Each time the source that has most of what is still missing; of equal ones the nearest."""
    missing, chosen = dict(quantities), []
    while missing:

        def units_at(source: SourceWarehouse, missing: Mapping[int, int] = missing) -> int:
            return sum(stock.units_for(line, source.id, quantity) for line, quantity in missing.items())

        best = max((source for source in sources if source not in chosen), key=units_at)
        chosen.append(best)
        rest = {
            line: quantity - stock.units_for(line, best.id, quantity) for line, quantity in missing.items()
        }
        missing = {line: quantity for line, quantity in rest.items() if quantity}
    return chosen


def has_any_of(source: SourceWarehouse, quantities: Mapping[int, int], stock: AvailableStock) -> bool:
    return any(stock.units_for(line, source.id, quantity) for line, quantity in quantities.items())


def cover_all(
    sources: Sequence[SourceWarehouse], quantities: Mapping[int, int], stock: AvailableStock
) -> bool:
    return all(
        sum(stock.units_for(line, source.id, quantity) for source in sources) >= quantity
        for line, quantity in quantities.items()
    )
