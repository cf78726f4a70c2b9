"""Three-dimensional bin packing: which units go into which boxes, and where. Pure geometry, in mm and g.

Extreme points (Crainic, Perboli and Tadei 2008): the largest units first, each in the lowest, hindmost
corner in which it fits in one of its six positions, stands on enough of what is below, and keeps the weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import permutations

from domain.errors import LimitReached

UNITS_LIMIT = 200
"""Units that are packed at once."""
SUPPORTED_PERCENT = 60
"""How much of the base of a unit must lie on others, or on the floor."""

Size = tuple[int, int, int]
Point = tuple[int, int, int]


class Misfit(StrEnum):
    """Why a unit goes into no box."""

    NOT_MEASURED = "NOT_MEASURED"
    """Its dimensions are not known."""
    TOO_LARGE = "TOO_LARGE"
    """It is larger than every box."""
    TOO_HEAVY = "TOO_HEAVY"
    """It is heavier than every box that is large enough may be."""


@dataclass(frozen=True, slots=True)
class UnitToPack:
    """One thing to pack; `key` names what it is one of."""

    key: int
    size: Size | None
    weight_grams: int


@dataclass(frozen=True, slots=True)
class Box:
    """A kind of box: its inner size, its own weight and what it may weigh in all."""

    key: int
    size: Size
    max_weight_grams: int
    own_weight_grams: int = 0

    @property
    def volume(self) -> int:
        return volume_of(self.size)

    @property
    def payload_grams(self) -> int:
        return self.max_weight_grams - self.own_weight_grams


@dataclass(frozen=True, slots=True)
class PlacedUnit:
    """A unit with its corner nearest to the origin of the box, and its size as it lies."""

    unit: UnitToPack
    at: Point
    size: Size

    @property
    def end(self) -> Point:
        return self.at[0] + self.size[0], self.at[1] + self.size[1], self.at[2] + self.size[2]


@dataclass(slots=True)
class PackedBox:
    """A box with what lies in it."""

    box: Box
    placed: list[PlacedUnit] = field(default_factory=list)

    @property
    def weight_grams(self) -> int:
        return self.box.own_weight_grams + sum(each.unit.weight_grams for each in self.placed)


@dataclass(frozen=True, slots=True)
class PackingPlan:
    """All boxes with what is in them, and what goes into none."""

    boxes: Sequence[PackedBox]
    left: Sequence[tuple[UnitToPack, Misfit]]


def plan_boxes(units: Sequence[UnitToPack], boxes: Sequence[Box]) -> PackingPlan:
    """Pack all units into as few and as small boxes as the method finds; LimitReached for too many units.

    The same units and boxes always give the same plan.
    """
    if len(units) > UNITS_LIMIT:
        raise LimitReached("At most {limit} units are packed at once.", limit=UNITS_LIMIT)
    boxes = sorted(boxes, key=lambda box: (box.volume, box.max_weight_grams, box.key))
    left = [(unit, misfit) for unit in units if (misfit := find_misfit(unit, boxes))]
    rest = sorted((unit for unit in units if find_misfit(unit, boxes) is None), key=sort_key)
    packed = []
    while rest:
        best = fill_best(rest, boxes)
        packed.append(best)
        rest = without(rest, best)
    return PackingPlan(packed, left)


def fill_best(units: Sequence[UnitToPack], boxes: Sequence[Box]) -> PackedBox:
    """The smallest box that takes all units; where none does, the one that takes the most volume."""
    best: PackedBox | None = None
    most = -1
    total, weight = (
        sum(volume_of(unit.size or (0, 0, 0)) for unit in units),
        sum(u.weight_grams for u in units),
    )
    for box in boxes:
        may_take_all = total <= box.volume and weight <= box.payload_grams
        if not may_take_all and box is not boxes[-1] and box.volume < boxes[-1].volume:
            continue
        filled = fill_box(box, units)
        if len(filled.placed) == len(units):
            return filled
        taken = sum(volume_of(each.size) for each in filled.placed)
        if taken > most:
            best, most = filled, taken
    if best is None or not best.placed:
        # each unit fits into some box alone; not necessarily into the largest
        first = next(box for box in boxes if fits_into(units[0], box))
        return fill_box(first, units)
    return shrink(best, boxes)


def shrink(packed: PackedBox, boxes: Sequence[Box]) -> PackedBox:
    """The same units in the smallest box that takes all of them."""
    units = sorted((each.unit for each in packed.placed), key=sort_key)
    for box in boxes:
        if box.volume >= packed.box.volume:
            break
        if packed.weight_grams - packed.box.own_weight_grams > box.payload_grams:
            continue
        if len((smaller := fill_box(box, units)).placed) == len(units):
            return smaller
    return packed


def fill_box(box: Box, units: Sequence[UnitToPack]) -> PackedBox:
    """A box with as many of these units, in their order, as go into it."""
    packed, space = PackedBox(box), FilledSpace(box.size)
    payload, refused = box.payload_grams, set[Size]()
    for unit in units:
        if unit.size is None or unit.size in refused or unit.weight_grams > payload:
            continue
        placed = space.find_place(unit)
        if placed is None:
            refused.add(unit.size)  # what is placed later only leaves less room
            continue
        packed.placed.append(placed)
        payload -= unit.weight_grams
        space.take(placed)
    return packed


class FilledSpace:
    """What is taken of the inside of a box, and the points at which the next unit may begin."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.taken: list[tuple[Point, Point]] = []
        """The corners of each unit: the one nearest to the origin, and the one farthest from it."""
        self.points: list[Point] = [(0, 0, 0)]

    def find_place(self, unit: UnitToPack) -> PlacedUnit | None:
        """The lowest, then hindmost, then leftmost place in which a unit fits and stands."""
        positions = rotations(unit.size or (0, 0, 0))
        width, depth, height = self.size
        for point in self.points:
            x, y, z = point
            for size in positions:
                end = (x + size[0], y + size[1], z + size[2])
                if end[0] > width or end[1] > depth or end[2] > height:
                    continue
                if self.is_free(point, end) and self.is_supported(point, end):
                    return PlacedUnit(unit, point, size)
        return None

    def is_free(self, at: Point, end: Point) -> bool:
        (ax, ay, az), (bx, by, bz) = at, end
        return not any(
            ax < high[0] and low[0] < bx and ay < high[1] and low[1] < by and az < high[2] and low[2] < bz
            for low, high in self.taken
        )

    def is_supported(self, at: Point, end: Point) -> bool:
        """Whether enough of a base lies on the floor or on what is there."""
        if at[2] == 0:
            return True
        shared = sum(
            max(min(end[0], high[0]) - max(at[0], low[0]), 0)
            * max(min(end[1], high[1]) - max(at[1], low[1]), 0)
            for low, high in self.taken
            if high[2] == at[2]
        )
        return shared * 100 >= (end[0] - at[0]) * (end[1] - at[1]) * SUPPORTED_PERCENT

    def take(self, placed: PlacedUnit) -> None:
        """Count a unit as placed: the corners it opens, each slid along two axes until it meets something."""
        low, high = placed.at, placed.end
        self.taken.append((low, high))
        points = {point for point in self.points if not lies_within(point, low, high)}
        (x, y, z), (right, back, top) = low, high
        for corner, axes in (((right, y, z), (1, 2)), ((x, back, z), (0, 2)), ((x, y, top), (0, 1))):
            points.update(self.slide(corner, axis) for axis in axes)
        width, depth, height = self.size
        inside = (each for each in points if each[0] < width and each[1] < depth and each[2] < height)
        self.points = sorted(inside, key=lambda each: (each[2], each[1], each[0]))

    def slide(self, corner: Point, axis: int) -> Point:
        """A corner moved towards the origin along an axis, up to the nearest unit in its way."""
        one, other = (each for each in range(3) if each != axis)
        stops = (
            high[axis]
            for low, high in self.taken
            if high[axis] <= corner[axis]
            and low[one] <= corner[one] < high[one]
            and low[other] <= corner[other] < high[other]
        )
        moved = list(corner)
        moved[axis] = max(stops, default=0)
        return moved[0], moved[1], moved[2]


def lies_within(point: Point, low: Point, high: Point) -> bool:
    return all(start <= each < end for start, each, end in zip(low, point, high, strict=True))


@lru_cache(maxsize=1_000)
def rotations(size: Size) -> Sequence[Size]:
    """The six positions of a unit, the flattest first."""
    turned = {(size[one], size[two], size[three]) for one, two, three in permutations(range(3))}
    return sorted(turned, key=lambda each: (each[2], -each[0], -each[1]))


def find_misfit(unit: UnitToPack, boxes: Sequence[Box]) -> Misfit | None:
    """Why a unit goes into none of these boxes; None where it goes into one alone."""
    if unit.size is None:
        return Misfit.NOT_MEASURED
    large_enough = [box for box in boxes if goes_into(unit.size, box.size)]
    if not large_enough:
        return Misfit.TOO_LARGE
    if all(unit.weight_grams > box.payload_grams for box in large_enough):
        return Misfit.TOO_HEAVY
    return None


def fits_into(unit: UnitToPack, box: Box) -> bool:
    return find_misfit(unit, [box]) is None


def goes_into(size: Size, room: Size) -> bool:
    return all(side <= limit for side, limit in zip(sorted(size), sorted(room), strict=True))


def without(units: Sequence[UnitToPack], packed: PackedBox) -> list[UnitToPack]:
    """The units that are not in a box; which of several alike are taken does not matter."""
    taken = [each.unit for each in packed.placed]
    rest = list(units)
    for unit in taken:
        rest.remove(unit)
    return rest


def volume_of(size: Size) -> int:
    return size[0] * size[1] * size[2]


def sort_key(unit: UnitToPack) -> tuple[int, int, int, int]:
    """The largest first, of these the longest."""
    size = unit.size or (0, 0, 0)
    return -volume_of(size), -max(size), -unit.weight_grams, unit.key
