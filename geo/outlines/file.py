"""The outlines that come with the project, read once from `outlines.txt`.

Each line of the file is one outline: C for a coast or P for a border between two provinces, its first point,
and the steps from each point to the next: longitude and latitude in hundredths of a degree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import accumulate
from pathlib import Path

OUTLINES_FILE = Path(__file__).with_name("outlines.txt")
UNITS_PER_DEGREE = 100
PIECE_POINTS = 48
"""A long line is kept in pieces, so that what is out of sight is passed over quickly."""


class OutlineKind(StrEnum):
    """What an outline parts."""

    COAST = "C"
    """Land and sea."""
    PROVINCE = "P"
    """Two provinces of China; borders of states are not among the outlines."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A piece of an outline, in degrees, and the box around it."""

    kind: OutlineKind
    longitudes: tuple[float, ...]
    latitudes: tuple[float, ...]
    west: float
    east: float
    south: float
    north: float


@cache
def load_outlines() -> tuple[Outline, ...]:
    with OUTLINES_FILE.open(encoding="ascii") as file:
        return tuple(piece for line in file for piece in read_line(line))


def read_line(line: str) -> Iterator[Outline]:
    kind, *pairs = line.split()
    steps = [tuple(map(int, pair.split(","))) for pair in pairs]
    longitudes, latitudes = (
        [units / UNITS_PER_DEGREE for units in accumulate(each)] for each in zip(*steps, strict=True)
    )
    for begin in range(0, max(1, len(steps) - 1), PIECE_POINTS):
        x = tuple(longitudes[begin : begin + PIECE_POINTS + 1])
        y = tuple(latitudes[begin : begin + PIECE_POINTS + 1])
        yield Outline(OutlineKind(kind), x, y, min(x), max(x), min(y), max(y))
