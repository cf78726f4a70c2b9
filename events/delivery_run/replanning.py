"""Planning anew what is left of a run, beside all requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.cause import Cause
from domain.delivery_run import NewLeg, count_locked, write_new_order
from events.delivery_run.planning import ask_planner, depot_point
from events.delivery_run.problem import (
    PlaceTable,
    TimeScale,
    find_hours,
    measure_places,
    origin_of,
    point_of,
    start_planning,
)
from events.types import Resources
from gateways.routing.matrix import DistanceTable
from gateways.routing.problem import FOREVER, RoutingPlan, RoutingProblem, RoutingStop, RoutingVehicle
from geo import Point
from loaders.delivery_run.planning import RunToReplan, load_run_to_replan
from models import DeliveryRunStatus, DeliveryRunStop

UNKNOWN_LEG = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Remainder:
    """What of a run is planned anew: its free stops, and where and when the way begins."""

    free: Sequence[DeliveryRunStop]
    unknown: Sequence[DeliveryRunStop]
    start: Point
    begins: datetime


async def replan_run(resources: Resources, delivery_run_id: int) -> None:
    """Order the stops of a run anew that are not locked; again later where something happens meanwhile."""
    found = await load_run_to_replan(resources.database.reads, delivery_run_id)
    if found is None or found.run.replan_due_at is None:
        return
    now = resources.clock()
    legs, plan, table = await plan_rest(resources, found, now)
    origin = origin_of(plan, table)
    async with resources.database.writes.begin() as session:
        await write_new_order(
            session, delivery_run_id, legs, origin, version=found.run.version, cause=Cause(now)
        )
    resources.wake_relay()


async def plan_rest(
    resources: Resources, found: RunToReplan, now: datetime
) -> tuple[list[NewLeg], RoutingPlan, DistanceTable]:
    """The legs to the free stops in their new order; what cannot be reached in its window comes last."""
    rest = find_remainder(found, now)
    scale = TimeScale(rest.begins)
    places = PlaceTable()
    stops = [describe_open_stop(stop, places, scale) for stop in rest.free]
    start = places.add(rest.start)
    depot = depot_point(found.warehouse)
    speed = found.vehicle.speed_kmh if found.vehicle else resources.settings.routing.speed_kmh
    vehicle = RoutingVehicle(
        start=start,
        end=places.add(depot) if depot and found.vehicle else None,
        latest=latest_return(resources, found, scale),
        cost_per_km=found.vehicle.cost_per_km_amount if found.vehicle else 0,
        cost_per_hour=found.vehicle.cost_per_hour_amount if found.vehicle else 0,
    )
    budget = start_planning(resources)
    table, [durations] = await measure_places(resources, places, [speed], budget)
    plan = await ask_planner(resources, RoutingProblem(stops, [vehicle], table.metres, [durations]), budget)
    reached = [visit.stop for visit in plan.routes[0].visits]
    late = [index for index, _ in plan.left_out]
    legs, here = [], start
    for index in [*reached, *late]:
        stop, place = rest.free[index], stops[index].place
        travel = timedelta(seconds=durations[here][place] + stop.service_seconds)
        legs.append(NewLeg(stop.id, travel, table.metres[here][place], late=index in late))
        here = place
    legs += [NewLeg(stop.id, UNKNOWN_LEG, None) for stop in rest.unknown]
    return legs, plan, table


def find_remainder(found: RunToReplan, now: datetime) -> Remainder:
    """The way begins where the last locked stop ends, else where the courier is, else at the warehouse."""
    run, locked = found.run, found.stops[: count_locked(found.run, found.stops)]
    free = found.stops[len(locked) :]
    known = [stop for stop in free if point_of(stop.latitude, stop.longitude)]
    unknown = [stop for stop in free if stop not in known]
    begins = now if run.status is DeliveryRunStatus.ACTIVE else max(run.departs_at or now, now)
    start = depot_point(found.warehouse)
    if locked:
        begins = max(begins, locked[-1].estimated_at)
        start = point_of(locked[-1].latitude, locked[-1].longitude) or start
    doors = (point_of(stop.latitude, stop.longitude) for stop in known)
    return Remainder(known, unknown, start or next((door for door in doors if door), Point(0, 0)), begins)


def describe_open_stop(stop: DeliveryRunStop, places: PlaceTable, scale: TimeScale) -> RoutingStop:
    """A stop that is left; what it weighs does not matter any more, since the run has it."""
    point = point_of(stop.latitude, stop.longitude) or Point(0, 0)
    return RoutingStop(
        place=places.add(point),
        service=stop.service_seconds,
        earliest=0 if stop.window_from is None else max(scale.seconds_to(stop.window_from), 0),
        latest=FOREVER if stop.window_until is None else scale.seconds_to(stop.window_until),
        priority=stop.priority,
    )


def latest_return(resources: Resources, found: RunToReplan, scale: TimeScale) -> int:
    """When the vehicle must be back; a shift that is over keeps nobody from bringing the rest."""
    zone = resources.settings.locale.zone
    hours = find_hours(found.vehicle, scale.start, (), zone) if found.vehicle else None
    return scale.seconds_to(hours[1]) if hours and found.vehicle and found.vehicle.shifts else FOREVER
