"""From which warehouse each unit leaves: a pure choice, nearest first, few parcels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models import Warehouse

Shelf = tuple[int, int]
"""Index of a line and id of a warehouse."""


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a line, by its index, that leave one warehouse for one delivery, by its index."""

    delivery: int
    line: int
    warehouse_id: int
    quantity: int


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


def allocate(
    wanted: Sequence[tuple[str, Mapping[int, int]]], shelves: Shelves, warehouses: Sequence[Warehouse]
) -> list[Part]:
    """Parts for every delivery, given as its province and its quantities by line.

    The nearest warehouse that has all of a delivery sends it; where none has, the one that has most goes
    first. There must be enough of every line in all warehouses together.
    """
    parts = []
    for delivery, (province, quantities) in enumerate(wanted):
        open_ = dict(quantities)
        near_first = sorted(warehouses, key=lambda warehouse: distance(warehouse, province))
        while open_:
            best = most_complete(near_first, open_, shelves)
            for line, quantity in list(open_.items()):
                units = shelves.servable(line, best.id, quantity)
                if units:
                    shelves.take(line, best.id, units)
                    parts.append(Part(delivery, line, best.id, units))
                    open_[line] -= units
            open_ = {line: quantity for line, quantity in open_.items() if quantity}
    return parts


def most_complete(near_first: Sequence[Warehouse], open_: Mapping[int, int], shelves: Shelves) -> Warehouse:
    """The warehouse that can send most units of what is open; the nearer one where they are equal."""

    def units(warehouse: Warehouse) -> int:
        return sum(shelves.servable(line, warehouse.id, quantity) for line, quantity in open_.items())

    best = max(near_first, key=units)
    if not units(best):
        raise ValueError(f"too little in stock of lines {sorted(open_)}")
    return best


def distance(warehouse: Warehouse, province: str) -> tuple[bool, int, int]:
    return plain(warehouse.province) != plain(province), warehouse.position, warehouse.id


def plain(province: str) -> str:
    """浙江省 is written 浙江, too."""
    return province.strip().rstrip("省市").lower()
