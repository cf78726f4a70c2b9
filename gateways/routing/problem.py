"""What a solver is given and what it answers; plain data, since it travels to another process."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

Place = NewType("Place", int)
"""The row and column of a place in the tables of a problem."""

DISTANCE_UNIT, TIME_UNIT = 1_000, 3_600
"""Metres and seconds that costs are given for: a kilometre and an hour."""

FOREVER = 10 * 365 * 24 * 3_600
"""Seconds, for what has no end."""


class LeftOutReason(StrEnum):
    """Why a stop is on no route."""

    NO_SKILL = "NO_SKILL"
    TOO_HEAVY = "TOO_HEAVY"
    TOO_LARGE = "TOO_LARGE"
    WINDOW_UNREACHABLE = "WINDOW_UNREACHABLE"
    NO_CAPACITY_LEFT = "NO_CAPACITY_LEFT"
    NO_TIME_LEFT = "NO_TIME_LEFT"


class SolverName(StrEnum):
    """Who has planned."""

    PYVRP = "PYVRP"
    BUILT_IN = "BUILT_IN"


@dataclass(frozen=True, slots=True)
class RoutingStop:
    """A place to be visited once. Times are seconds from the moment the plan begins at."""

    place: Place
    service: int = 0
    """Seconds at the door."""
    earliest: int = 0
    latest: int = FOREVER
    """When the service may begin."""
    load: tuple[int, ...] = ()
    """What it takes of each capacity of a vehicle."""
    skills: frozenset[str] = frozenset()
    priority: int = 0
    """Of several that do not all fit, those with the highest are visited."""


@dataclass(frozen=True, slots=True)
class RoutingVehicle:
    """Who visits stops: from where to where, when, and how much fits in."""

    start: Place
    end: Place | None = None
    """Where it ends; None where the last stop is the end."""
    earliest: int = 0
    latest: int = FOREVER
    """When it may leave, and when it must be back."""
    capacity: tuple[int | None, ...] = ()
    skills: frozenset[str] = frozenset()
    cost_per_km: int = 0
    cost_per_hour: int = 0
    profile: int = 0
    """Which table of durations is its own: that of its speed."""
    locked: tuple[int, ...] = ()
    """Stops that it visits first, in this order, whatever else is planned."""


@dataclass(frozen=True, slots=True)
class RoutingProblem:
    """Stops, vehicles, and how far all places are from each other."""

    stops: Sequence[RoutingStop]
    vehicles: Sequence[RoutingVehicle]
    distances: Sequence[Sequence[int]]
    """Metres from the place of the row to that of the column."""
    durations: Sequence[Sequence[Sequence[int]]]
    """By profile: seconds from the place of the row to that of the column."""
    must_visit_all: bool = False
    """Whether nothing may be left out: for instances of which it is known that all fits."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of a route: when the vehicle is there and when it goes on."""

    stop: int
    distance: int
    """Metres from the place before."""
    arrives: int
    begins: int
    """When the service begins: at the arrival, or when its window opens."""
    leaves: int


@dataclass(frozen=True, slots=True)
class Route:
    """What one vehicle does; without visits it stays where it is."""

    vehicle: int
    visits: tuple[Visit, ...] = ()
    departs: int = 0
    returns: int = 0
    distance: int = 0
    """Metres in all, the way back included."""


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """The routes, one for each vehicle, and what is on none of them."""

    solver: SolverName
    routes: Sequence[Route]
    left_out: Sequence[tuple[int, LeftOutReason]] = ()
    note: str = ""
    """Why another solver has planned than the one that was asked."""
    tries: int = 0
    """How often the solver has tried to better it, where it counts that."""
