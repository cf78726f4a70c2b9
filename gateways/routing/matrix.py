"""How far places are from each other: a Protocol, straight lines with a factor, and a fallback to them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

import structlog

from gateways.routing.budget import TimeBudget
from geo import Point

log = structlog.get_logger()

EARTH_METRES = 6_371_000.0
SECONDS_PER_HOUR = 3_600
ROWS_AT_ONCE = 16
"""Rows of a table that are reckoned before others have their turn."""
FIRST_SHARE = 0.4
"""How much of the time of a plan the first matrix has, where another one may have to follow."""


class MatrixSource(StrEnum):
    """Where distances come from."""

    STRAIGHT_LINES = "STRAIGHT_LINES"
    ROADS = "ROADS"


@dataclass(frozen=True, slots=True)
class DistanceTable:
    """Metres, and seconds where roads are known, from the place of the row to that of the column."""

    metres: Sequence[Sequence[int]]
    seconds: Sequence[Sequence[int]] | None
    """None where the speed of a vehicle decides alone."""
    source: MatrixSource
    note: str = ""
    """Why the distances are of another kind than they could be."""

    def seconds_at(self, kilometres_per_hour: float) -> list[list[int]]:
        """The durations of a vehicle: as on the road, but no faster than it drives."""
        factor = SECONDS_PER_HOUR / (kilometres_per_hour * 1_000)
        own = [[round(metres * factor) for metres in row] for row in self.metres]
        if self.seconds is None:
            return own
        return [
            [max(*pair) for pair in zip(mine, roads, strict=True)]
            for mine, roads in zip(own, self.seconds, strict=True)
        ]


class MatrixUnavailable(Exception):
    """The distances cannot be had at the moment; the message says why, without places."""


class Matrix(Protocol):
    """Knows how far places are from each other."""

    async def measure(self, places: Sequence[Point], budget: TimeBudget) -> DistanceTable:
        """The distances between all places; MatrixUnavailable where they cannot be had in time."""


@dataclass(frozen=True, slots=True)
class StraightLines:
    """Distances along great circles, longer by the factor that streets are."""

    road_factor: float = 1.4

    async def measure(self, places: Sequence[Point], budget: TimeBudget) -> DistanceTable:
        angles = [(radians(each.latitude), radians(each.longitude)) for each in places]
        cosines = [cos(latitude) for latitude, _ in angles]
        metres = [[0] * len(places) for _ in places]
        for row, (phi, lam) in enumerate(angles):
            if row % ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
            for column in range(row):
                psi, mu = angles[column]
                chord = sin((psi - phi) / 2) ** 2 + cosines[row] * cosines[column] * sin((mu - lam) / 2) ** 2
                way = round(2 * EARTH_METRES * asin(sqrt(min(chord, 1.0))) * self.road_factor)
                metres[row][column] = metres[column][row] = way
        return DistanceTable(metres, None, MatrixSource.STRAIGHT_LINES)


@dataclass(frozen=True, slots=True)
class MatrixWithFallback:
    """The first matrix; the second where the first is not to be had, which the table then says."""

    first: Matrix
    second: Matrix

    async def measure(self, places: Sequence[Point], budget: TimeBudget) -> DistanceTable:
        try:
            return await self.first.measure(places, budget.take_share(FIRST_SHARE))
        except MatrixUnavailable as failure:
            log.warning("routing.matrix_unavailable", reason=str(failure))
            table = await self.second.measure(places, budget)
            return DistanceTable(table.metres, table.seconds, table.source, str(failure))
