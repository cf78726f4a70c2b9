"""Those who know the best way round: one Protocol, and a small implementation of our own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from atlas import Point, distance_km

ROUNDS_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one stop: which of the given stops it is, and how long until the courier leaves it."""

    stop: int
    travel: timedelta


class Router(Protocol):
    """Finds an order of stops."""

    async def plan(self, start: Point | None, stops: Sequence[Point | None]) -> Sequence[Leg]:
        """Every stop once, in the order to visit them; those nobody knows the place of come last."""


@dataclass(frozen=True, slots=True)
class StraightRouter:
    """Nearest neighbour, then 2-opt, over straight lines at a steady speed (an open tour: no way back)."""

    kilometres_per_hour: float = 20.0
    detour: float = 1.4
    """How much longer streets are than straight lines."""
    at_the_door: timedelta = timedelta(minutes=4)
    unknown_leg: timedelta = timedelta(minutes=20)

    async def plan(self, start: Point | None, stops: Sequence[Point | None]) -> Sequence[Leg]:
        return await asyncio.to_thread(self.route, start, stops)

    def route(self, start: Point | None, stops: Sequence[Point | None]) -> list[Leg]:
        known = {index: point for index, point in enumerate(stops) if point is not None}
        unknown = [index for index, point in enumerate(stops) if point is None]
        here = start or next(iter(known.values()), None)
        tour = shortened(here, nearest_first(here, known), known) if here else []
        legs = []
        for index in tour:
            legs.append(Leg(index, self.travel(here, known[index])))
            here = known[index]
        return legs + [Leg(index, self.unknown_leg) for index in unknown]

    def travel(self, start: Point | None, end: Point) -> timedelta:
        kilometres = distance_km(start, end) * self.detour if start else 0.0
        seconds = round(kilometres / self.kilometres_per_hour * 3_600)
        return timedelta(seconds=seconds) + self.at_the_door


def nearest_first(start: Point, stops: dict[int, Point]) -> list[int]:
    """Always on to the stop that is nearest."""
    left, tour, here = dict(stops), [], start
    while left:
        index = min(left, key=lambda each: (distance_km(here, left[each]), each))
        here = left.pop(index)
        tour.append(index)
    return tour


def shortened(start: Point, tour: list[int], stops: dict[int, Point]) -> list[int]:
    """2-opt: turn a stretch of the tour round wherever that makes it shorter, until nothing does."""
    for _ in range(ROUNDS_LIMIT):
        better = False
        for first in range(len(tour) - 1):
            for last in range(first + 1, len(tour)):
                before = stops[tour[first - 1]] if first else start
                after = stops[tour[last + 1]] if last + 1 < len(tour) else None
                if gain(before, stops[tour[first]], stops[tour[last]], after) > 1e-9:
                    tour[first : last + 1] = reversed(tour[first : last + 1])
                    better = True
        if not better:
            break
    return tour


def gain(before: Point, first: Point, last: Point, after: Point | None) -> float:
    """Kilometres saved by going from `before` to `last` and backwards to `first`."""
    saved = distance_km(before, first) - distance_km(before, last)
    return saved + (distance_km(last, after) - distance_km(first, after) if after else 0.0)
