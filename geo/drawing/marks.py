"""Marks on a map: which share one, which have room for their number, and how they are drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from xml.etree.ElementTree import Element

from geo.area_table import Point
from geo.drawing.elements import Look, add, width_of
from geo.drawing.projection import Projection

NUMBER_SIZE = 11.0
BASELINE = 0.36
"""How far below its middle a number stands, as a part of its size."""
NAME_SIZE = 11.0
BADGE = 18.0
"""The height of a number with its mark, and its width at least."""
BADGE_PADDING = 8.0
DOT_RADIUS = 3.5
GAP = 1.5
NUMBERED_AT_MOST = 60
"""Of more marks than these only every second, third and so on has its number; all have their place."""
NUMBERS_WRITTEN = 3
"""Of the numbers at one place; for more only the first is written, and how many follow."""
SAME_PLACE = 1.0
"""Units within which two marks are one."""
DIRECTIONS = (
    (1.0, 0.0),
    (0.0, -1.0),
    (-1.0, 0.0),
    (0.0, 1.0),
    (0.7, -0.7),
    (-0.7, -0.7),
    (-0.7, 0.7),
    (0.7, 0.7),
)
LEADERS = (20.0, 34.0)
"""How far beside its place a number may stand."""

URGENCY = (Look.NEXT, Look.FAILED, Look.LOCKED, Look.PLAIN, Look.DONE)
"""Which look the marks at one place have together, and who has its number first."""
Spot = tuple[float, float]
"""From the left and from the top, in units."""
SHAPES: Mapping[Look, Sequence[Spot]] = {
    Look.DEPOT: ((-8, -1), (0, -9), (8, -1), (8, 8), (-8, 8)),
    Look.MOVING: ((0, -10), (10, 0), (0, 10), (-10, 0)),
}
"""The corners of symbols around their place."""
SYMBOLS = frozenset({Look.DEPOT, Look.GOAL, Look.MOVING})


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a map with its number, or with a symbol and a name."""

    point: Point
    look: Look
    number: int = 0
    """0 for a symbol."""
    name: str = ""
    """What is written beside it, where there is room."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Rectangle") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Room:
    """What is taken on a map of some width and height."""

    def __init__(self, width: float, height: float) -> None:
        self.frame = Rectangle(0.0, 0.0, width, height)
        self.taken: list[Rectangle] = []

    def take(self, box: Rectangle) -> bool:
        """Whether a rectangle was free, and is taken now."""
        frame = self.frame
        inside = (
            frame.left <= box.left
            and box.right <= frame.right
            and frame.top <= box.top
            and box.bottom <= frame.bottom
        )
        if not inside or any(box.overlaps(each) for each in self.taken):
            return False
        self.taken.append(box)
        return True


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """The marks at one place of the drawing."""

    x: float
    y: float
    look: Look
    numbers: Sequence[int]
    name: str


def place_marks(marks: Iterable[Mark], projection: Projection) -> list[PlacedMark]:
    """Where marks are drawn; those at the same place are one, symbols never."""
    together: dict[tuple[int, int], list[Mark]] = {}
    placed = []
    for mark in marks:
        x, y = projection.place(mark.point)
        if mark.look in SYMBOLS:
            placed.append(PlacedMark(x, y, mark.look, (), mark.name))
        else:
            together.setdefault((round(x / SAME_PLACE), round(y / SAME_PLACE)), []).append(mark)
    for group in together.values():
        x, y = projection.place(group[0].point)
        look = min((each.look for each in group), key=URGENCY.index)
        placed.append(PlacedMark(x, y, look, sorted(each.number for each in group), group[0].name))
    return placed


def write_numbers(numbers: Sequence[int]) -> str:
    """Numbers in ascending order as they are read: "3", "3, 5–7", or "3 +8" for many."""
    runs = [
        [number for _, number in group]
        for _, group in groupby(enumerate(numbers), key=lambda each: each[1] - each[0])
    ]
    if len(runs) > NUMBERS_WRITTEN:
        return f"{numbers[0]} +{len(numbers) - 1}"
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def draw_marks(parent: Element, placed: Sequence[PlacedMark], room: Room) -> None:
    """Draw marks: symbols, then numbers as long as there is room, dots for the rest; at last the names."""
    numbered = [each for each in placed if each.look not in SYMBOLS]
    every = ceil(len(numbered) / NUMBERED_AT_MOST)
    symbols = [each for each in placed if each.look in SYMBOLS]
    for symbol in symbols:
        half = BADGE / 2
        room.taken.append(Rectangle(symbol.x - half, symbol.y - half, symbol.x + half, symbol.y + half))
    ordered = sorted(numbered, key=lambda each: (URGENCY.index(each.look), each.numbers[0]))
    badges = list[tuple[PlacedMark, Spot]]()
    dots = list[PlacedMark]()
    for mark in ordered:
        may_be_numbered = mark.look is Look.NEXT or (mark.numbers[0] - 1) % every == 0
        beside = every == 1 or mark.look is Look.NEXT
        spot = find_spot(mark, room, beside=beside) if may_be_numbered else None
        if spot:
            badges.append((mark, spot))
        else:
            dots.append(mark)
    for mark in dots:
        add(parent, "circle", cx=mark.x, cy=mark.y, r=DOT_RADIUS, class_=f"mark {mark.look}")
    for mark, spot in reversed(badges):
        draw_badge(parent, mark, spot)
    for symbol in symbols:
        draw_symbol(parent, symbol.look, symbol.x, symbol.y)
    for mark in (*symbols, *(each for each, _ in badges)):
        draw_name(parent, mark, room)


def badge_width(text: str) -> float:
    return max(BADGE, width_of(text, NUMBER_SIZE) + BADGE_PADDING)


def find_spot(mark: PlacedMark, room: Room, *, beside: bool) -> Spot | None:
    """Where the number of a mark has room: at its place, else beside it; None where it has none."""
    width = badge_width(write_numbers(mark.numbers))
    spots = [(mark.x, mark.y)]
    if beside:
        spots += [
            (mark.x + x * (leader + (width - BADGE) / 2), mark.y + y * leader)
            for leader in LEADERS
            for x, y in DIRECTIONS
        ]
    for x, y in spots:
        half, up = width / 2 + GAP, BADGE / 2 + GAP
        if room.take(Rectangle(x - half, y - up, x + half, y + up)):
            return x, y
    return None


def draw_badge(parent: Element, mark: PlacedMark, spot: Spot) -> None:
    """Draw a number at its spot, with a line to its place where that is another one."""
    x, y = spot
    if spot != (mark.x, mark.y):
        add(parent, "line", x1=mark.x, y1=mark.y, x2=x, y2=y, class_="leader")
        add(parent, "circle", cx=mark.x, cy=mark.y, r=DOT_RADIUS, class_=f"mark {mark.look}")
    draw_number(parent, write_numbers(mark.numbers), mark.look, x, y)


def draw_number(parent: Element, text: str, look: Look, x: float, y: float) -> None:
    """Draw a number around a point; what is locked has corners, and what failed is struck, in any colours."""
    width = badge_width(text)
    add(
        parent,
        "rect",
        x=x - width / 2,
        y=y - BADGE / 2,
        width=width,
        height=BADGE,
        rx=3 if look is Look.LOCKED else BADGE / 2,
        class_=f"mark {look}",
    )
    shown = add(parent, "text", text, x=x, y=y + NUMBER_SIZE * BASELINE, class_="number")
    if look is Look.FAILED:
        shown.set("text-decoration", "line-through")


def draw_symbol(parent: Element, look: Look, x: float, y: float) -> None:
    """Draw a house for a depot, a ring for a goal, a pointed square for what moves."""
    corners = SHAPES.get(look)
    if corners is None:
        add(parent, "circle", cx=x, cy=y, r=BADGE / 2, class_=f"mark {look}")
        add(parent, "circle", cx=x, cy=y, r=DOT_RADIUS, class_="land")
        return
    written = " ".join(f"{x + across:.1f},{y + down:.1f}" for across, down in corners)
    add(parent, "polygon", points=written, class_=f"mark {look}")


def draw_name(parent: Element, mark: PlacedMark, room: Room) -> None:
    """Write the name of a mark beside it, where there is room."""
    if not mark.name:
        return
    width, beside = width_of(mark.name, NAME_SIZE), badge_width(write_numbers(mark.numbers)) / 2 + 3
    spots = (
        (mark.x + beside, mark.y + 4),
        (mark.x - beside - width, mark.y + 4),
        (mark.x - width / 2, mark.y - BADGE / 2 - 4),
        (mark.x - width / 2, mark.y + BADGE / 2 + NAME_SIZE),
    )
    for left, base in spots:
        if room.take(Rectangle(left, base - NAME_SIZE, left + width, base + 2)):
            add(parent, "text", mark.name, x=left, y=base, class_="name")
            return
