"""Parcels, vehicles and runs as the problem that a solver is given."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.delivery_run import PlannedStop, PlanOrigin, StopTerms, shifts_of_day
from domain.delivery_run.capacity import capacity_of, load_of
from domain.errors import LimitReached
from events.types import Resources
from gateways.routing.budget import TimeBudget, start_budget
from gateways.routing.matrix import DistanceTable
from gateways.routing.problem import (
    FOREVER,
    Place,
    Route,
    RoutingPlan,
    RoutingStop,
    RoutingVehicle,
)
from geo import Point
from models import DistanceSource, RouteSolver, Shipment, Vehicle

TABLE_CELLS_LIMIT = 6_000_000
"""Distances and durations of one problem: a process reads no more in its time."""
PLANNING_SHARE = 0.7
"""How much of the time of an operation a plan may take; the rest is for reading and writing."""
FARTHEST = timedelta(days=3)
"""How far ahead a plan looks."""
SHORTEST_GAP = timedelta(hours=2)
"""A vehicle leaves again before its next run where there is so much time."""

Interval = tuple[datetime, datetime]
"""From when to when."""


@dataclass(frozen=True, slots=True)
class Door:
    """A parcel that is to be brought to a place, and what is wished there."""

    shipment: Shipment
    point: Point
    terms: StopTerms
    depot: int
    """The warehouse it lies in."""


@dataclass(slots=True)
class PlaceTable:
    """The places of a problem, each once."""

    points: list[Point] = field(default_factory=list)
    known: dict[Point, Place] = field(default_factory=dict)

    def add(self, point: Point) -> Place:
        if point not in self.known:
            self.known[point] = Place(len(self.points))
            self.points.append(point)
        return self.known[point]


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Moments as seconds from the beginning of a plan, and back."""

    start: datetime

    def seconds_to(self, moment: datetime) -> int:
        return round((moment - self.start).total_seconds())

    def moment_at(self, seconds: int) -> datetime:
        return self.start + timedelta(seconds=seconds)


def point_of(latitude: float | None, longitude: float | None) -> Point | None:
    return None if latitude is None or longitude is None else Point(latitude, longitude)


def depot_skill(warehouse_id: int) -> str:
    """What keeps parcels of one warehouse off the vehicles of another."""
    return f"depot:{warehouse_id}"


def describe_stop(door: Door, places: PlaceTable, scale: TimeScale) -> RoutingStop:
    terms = door.terms
    earliest = 0 if terms.window_from is None else max(scale.seconds_to(terms.window_from), 0)
    latest = FOREVER if terms.window_until is None else scale.seconds_to(terms.window_until)
    return RoutingStop(
        place=places.add(door.point),
        service=round(terms.service.total_seconds()),
        earliest=earliest,
        latest=latest,
        load=load_of(door.shipment),
        skills=frozenset({*terms.skills, depot_skill(door.depot)}),
        priority=terms.priority,
    )


def find_hours(
    vehicle: Vehicle, start: datetime, busy: Sequence[Interval], zone: ZoneInfo
) -> Interval | None:
    """From when to when a vehicle may be on the road; None where its shifts are over or it is on other runs.

    A vehicle without shifts may always be. It leaves between two of its runs where there is SHORTEST_GAP.
    """
    shifts = shifts_of_day(vehicle.shifts, start, zone) if vehicle.shifts else [(start, start + FARTHEST)]
    gaps = [gap for begins, ends in shifts for gap in split_hours(max(begins, start), ends, busy)]
    ends_of_shifts = {ends for _, ends in shifts}
    for begins, ends in gaps:
        if ends in ends_of_shifts or ends - begins >= SHORTEST_GAP:
            return begins, ends
    return max(gaps, key=lambda gap: gap[1] - gap[0], default=None)


def split_hours(begins: datetime, ends: datetime, busy: Sequence[Interval]) -> list[Interval]:
    """What is left of hours between the runs in them."""
    free = []
    for leaves, returns in sorted(busy):
        if begins < min(leaves, ends):
            free.append((begins, min(leaves, ends)))
        begins = max(begins, returns)
    return [*free, (begins, ends)] if begins < ends else free


def describe_vehicle(
    vehicle: Vehicle, hours: Interval, place: Place, scale: TimeScale, *, profile: int
) -> RoutingVehicle:
    return RoutingVehicle(
        start=place,
        end=place,
        earliest=max(scale.seconds_to(hours[0]), 0),
        latest=scale.seconds_to(hours[1]),
        capacity=capacity_of(vehicle),
        skills=frozenset({*vehicle.skills, depot_skill(vehicle.warehouse_id)}),
        cost_per_km=vehicle.cost_per_km_amount,
        cost_per_hour=vehicle.cost_per_hour_amount,
        profile=profile,
    )


async def measure_places(
    resources: Resources, places: PlaceTable, speeds: Sequence[int], budget: TimeBudget
) -> tuple[DistanceTable, list[list[list[int]]]]:
    """The distances of all places, and the durations at each of the speeds; LimitReached for too many."""
    cells = len(places.points) ** 2
    if cells * (1 + len(speeds)) > TABLE_CELLS_LIMIT:
        raise LimitReached(
            "The vehicles of so large a plan have at most {limit} different speeds.",
            limit=max(TABLE_CELLS_LIMIT // cells - 1, 0),
            field=("vehicle_ids",),
        )
    table = await resources.matrix.measure(places.points, budget)
    return table, [await asyncio.to_thread(table.seconds_at, speed) for speed in speeds]


def start_planning(resources: Resources) -> TimeBudget:
    """The time of a whole plan, beginning now: it ends before the operation that asks for the plan."""
    settings = resources.settings
    longest = PLANNING_SHARE * settings.graphql.deadline.total_seconds()
    return start_budget(min(settings.routing.planning_deadline.total_seconds(), longest))


def origin_of(plan: RoutingPlan, table: DistanceTable) -> PlanOrigin:
    """Who has planned and by which distances, with the reasons why not otherwise."""
    note = " ".join(each for each in (plan.note, table.note) if each)
    return PlanOrigin(RouteSolver(plan.solver.value), DistanceSource(table.source.value), note)


def plan_stops(
    route: Route, doors: Mapping[int, Door], locked: frozenset[int] = frozenset()
) -> list[PlannedStop]:
    """The stops of a route, each with the time from the end of the one before, without waiting."""
    stops, left = [], route.departs
    for visit in route.visits:
        door = doors[visit.stop]
        travel = visit.arrives - left + visit.leaves - visit.begins
        stops.append(
            PlannedStop(
                door.shipment.id,
                timedelta(seconds=travel),
                door.point.latitude,
                door.point.longitude,
                distance_metres=visit.distance,
                terms=with_lock(door.terms, visit.stop in locked),
                version=door.shipment.version,
            )
        )
        left = visit.leaves
    return stops


def with_lock(terms: StopTerms, locked: bool) -> StopTerms:
    return StopTerms(
        terms.window_from, terms.window_until, terms.service, terms.priority, terms.skills, locked=locked
    )
