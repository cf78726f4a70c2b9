"""From which warehouse each unit leaves: a pure choice, nearest first, few parcels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Protocol

from atlas import Point, distance_km, find_point
from domain.contact import HOME_REGION
from models import Warehouse

Shelf = tuple[int, int]
"""Index of a line and id of a warehouse."""

SETS_LIMIT = 5_000
"""Sets of warehouses of one size that are tried; where there are more, a good one has to do."""

UNKNOWN_KM = 20_000.0
"""To or from a place that is not on our map: as far as it gets."""


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a line, by its index, that leave one warehouse for one delivery, by its index."""

    delivery: int
    line: int
    warehouse_id: int
    quantity: int


class Addressed(Protocol):
    """Anything with an address."""

    @property
    def country_code(self) -> str: ...
    @property
    def province(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def district(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a delivery goes, as far as distances depend on it."""

    country_code: str
    province: str
    city: str
    district: str

    @classmethod
    def of(cls, address: Addressed) -> "Goal":
        return cls(address.country_code, address.province, address.city, address.district)

    @property
    def point(self) -> Point | None:
        if self.country_code != HOME_REGION:
            return None
        return find_point(self.province, self.city, self.district)


@dataclass(frozen=True, slots=True)
class Shelves:
    """What is left where; a line that has no limit is everywhere."""

    left: dict[Shelf, int]
    unlimited: frozenset[int]

    def servable(self, line: int, warehouse_id: int, quantity: int) -> int:
        if line in self.unlimited:
            return quantity
        return min(quantity, self.left.get((line, warehouse_id), 0))

    def take(self, line: int, warehouse_id: int, quantity: int) -> None:
        if line not in self.unlimited:
            self.left[line, warehouse_id] -= quantity


@dataclass(frozen=True, slots=True)
class Source:
    """A warehouse, and how far it is from where a delivery goes."""

    warehouse: Warehouse
    km: float

    @property
    def id(self) -> int:
        return self.warehouse.id


def allocate(
    wanted: Sequence[tuple[Goal, Mapping[int, int]]], shelves: Shelves, warehouses: Sequence[Warehouse]
) -> list[Part]:
    """Parts for every delivery, given as its goal and its quantities by line.

    The nearest warehouse that has all of a delivery sends it; where none has, the fewest that have it
    together do, the nearer where there is a choice. There must be enough of every line in all together.
    """
    parts = []
    for delivery, (goal, quantities) in enumerate(wanted):
        open_ = dict(quantities)
        for source in senders(near_first(warehouses, goal), open_, shelves) if open_ else ():
            for line, quantity in open_.items():
                if units := shelves.servable(line, source.id, quantity):
                    shelves.take(line, source.id, units)
                    parts.append(Part(delivery, line, source.id, units))
                    open_[line] -= units
    return parts


def near_first(warehouses: Sequence[Warehouse], goal: Goal) -> list[Source]:
    """Sources by distance; off the map the main warehouse comes first."""
    there = goal.point
    sources = [Source(warehouse, km_between(warehouse, there)) for warehouse in warehouses]
    return sorted(sources, key=lambda source: (source.km, source.warehouse.position, source.id))


def km_between(warehouse: Warehouse, there: Point | None) -> float:
    here = point_of(warehouse)
    return UNKNOWN_KM if here is None or there is None else distance_km(here, there)


def point_of(warehouse: Warehouse) -> Point | None:
    """Where a warehouse stands: where it says, else where its district is."""
    if warehouse.latitude is not None and warehouse.longitude is not None:
        return Point(warehouse.latitude, warehouse.longitude)
    return find_point(warehouse.province, warehouse.city, warehouse.district)


def senders(sources: Sequence[Source], wanted: Mapping[int, int], shelves: Shelves) -> Sequence[Source]:
    """The fewest sources that have everything together, the nearest of those; themselves near first.

    Which sets suffice is a set cover: all sets of a size are tried while they are few enough.
    """
    useful = [source for source in sources if serves(source, wanted, shelves)]
    for size in range(1, len(useful) + 1):
        if comb(len(useful), size) > SETS_LIMIT:
            return one_by_one(useful, wanted, shelves)
        enough = [chosen for chosen in combinations(useful, size) if suffice(chosen, wanted, shelves)]
        if enough:
            return min(enough, key=lambda chosen: sum(source.km for source in chosen))
    raise ValueError(f"too little in stock of lines {sorted(wanted)}")


def one_by_one(sources: Sequence[Source], wanted: Mapping[int, int], shelves: Shelves) -> Sequence[Source]:
    """Always the source that has most of what is still open, the nearer where they are equal."""
    open_, chosen = dict(wanted), []
    while open_:

        def units(source: Source, open_: Mapping[int, int] = open_) -> int:
            return sum(shelves.servable(line, source.id, quantity) for line, quantity in open_.items())

        best = max((source for source in sources if source not in chosen), key=units)
        chosen.append(best)
        still = {
            line: quantity - shelves.servable(line, best.id, quantity) for line, quantity in open_.items()
        }
        open_ = {line: quantity for line, quantity in still.items() if quantity}
    return chosen


def serves(source: Source, wanted: Mapping[int, int], shelves: Shelves) -> bool:
    return any(shelves.servable(line, source.id, quantity) for line, quantity in wanted.items())


def suffice(chosen: Sequence[Source], wanted: Mapping[int, int], shelves: Shelves) -> bool:
    return all(
        sum(shelves.servable(line, source.id, quantity) for source in chosen) >= quantity
        for line, quantity in wanted.items()
    )
