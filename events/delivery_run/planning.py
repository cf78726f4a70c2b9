"""Planning drafts for vehicles: what is read, what the solver is asked, and what is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.delivery_run import (
    PlanOrigin,
    RunDraft,
    StopTerms,
    UnplannedParcel,
    find_obstacle,
    find_skip_reason,
)
from domain.errors import DomainError, ErrorCode
from domain.stock import point_of_warehouse
from events.delivery_run.problem import (
    Door,
    PlaceTable,
    TimeScale,
    describe_stop,
    describe_vehicle,
    find_hours,
    measure_places,
    origin_of,
    plan_stops,
    point_of,
    start_planning,
)
from events.shipment.parcels import receiver_of
from events.types import Resources
from gateways.routing.budget import TimeBudget
from gateways.routing.matrix import DistanceTable
from gateways.routing.planner import PlannersBusy, PlanningFailed
from gateways.routing.problem import RoutingPlan, RoutingProblem
from geo import Point
from loaders.delivery_run.planning import (
    PlanningVehicle,
    load_planning_vehicles,
    load_waiting_on_runs,
)
from loaders.shipment import ShipmentRoute, load_routes
from models import DistanceSource, RouteSolver, UnplannedReason, Warehouse

RETRY_SECONDS = 5.0

OnDuty = tuple[PlanningVehicle, tuple[datetime, datetime]]
"""A vehicle, and from when to when it may be on the road."""


class PlanningBusy(DomainError):
    code = ErrorCode.BUSY

    def __init__(self) -> None:
        super().__init__("Other runs are being planned at the moment; try again.")
        self.retry_after_seconds = RETRY_SECONDS


class PlanNotMade(DomainError):
    code = ErrorCode.BUSY

    def __init__(self) -> None:
        super().__init__("No plan was made in time; plan fewer parcels at once, or try again.")
        self.retry_after_seconds = RETRY_SECONDS


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is to be planned: parcels with what is wished for each, vehicles, and from when on."""

    terms: Mapping[int, StopTerms]
    """By the id of the parcel."""
    vehicle_ids: Sequence[int]
    warehouse_ids: Sequence[int]
    """Depots of which all vehicles are planned for."""
    locked: Mapping[int, Sequence[int]]
    """Vehicle -> the parcels that it brings first, in this order."""
    start: datetime


@dataclass(frozen=True, slots=True)
class PreparedDrafts:
    """The drafts of a plan that are not written yet, what is on none of them, and how it was planned."""

    drafts: Sequence[RunDraft]
    unplanned: Sequence[UnplannedParcel]
    origin: PlanOrigin


NOTHING_PLANNED = PlanOrigin(RouteSolver.BUILT_IN, DistanceSource.STRAIGHT_LINES)


async def prepare_drafts(resources: Resources, request: PlanRequest) -> PreparedDrafts:
    """Read what is to be planned, and plan it in a process of its own; no transaction is open meanwhile."""
    reads = resources.database.reads
    vehicles = await load_planning_vehicles(
        reads, vehicle_ids=request.vehicle_ids, warehouse_ids=request.warehouse_ids
    )
    routes = await load_routes(reads, list(request.terms))
    waiting = await load_waiting_on_runs(reads, list(request.terms))
    doors, unplanned = sort_parcels(request, routes, waiting, {each.warehouse.id for each in vehicles})
    on_duty = vehicles_on_duty(resources, vehicles, request.start)
    depots = {each.warehouse.id for each, _ in on_duty}
    for door in doors:
        if door.depot not in depots:
            unplanned.append(UnplannedParcel(door.shipment.id, UnplannedReason.NO_TIME_LEFT))
    doors = [door for door in doors if door.depot in depots]
    if not doors:
        return PreparedDrafts([], unplanned, NOTHING_PLANNED)
    scale = TimeScale(request.start)
    budget = start_planning(resources)
    problem, table = await build_problem(resources, request, doors, on_duty, budget)
    plan = await ask_planner(resources, problem, budget)
    unplanned += [
        UnplannedParcel(doors[index].shipment.id, UnplannedReason(reason.value))
        for index, reason in plan.left_out
    ]
    drafts = drafts_of(plan, [each for each, _ in on_duty], doors, problem, scale)
    return PreparedDrafts(drafts, unplanned, origin_of(plan, table))


async def build_problem(
    resources: Resources,
    request: PlanRequest,
    doors: Sequence[Door],
    on_duty: Sequence[OnDuty],
    budget: TimeBudget,
) -> tuple[RoutingProblem, DistanceTable]:
    """The problem of these doors and vehicles, with the distances of all their places."""
    places, scale = PlaceTable(), TimeScale(request.start)
    stops = [describe_stop(door, places, scale) for door in doors]
    speeds = sorted({each.vehicle.speed_kmh for each, _ in on_duty})
    numbers = {door.shipment.id: number for number, door in enumerate(doors)}
    vehicles = []
    for each, hours in on_duty:
        locked = request.locked.get(each.vehicle.id, ())
        vehicle = describe_vehicle(
            each.vehicle,
            hours,
            places.add(depot_point(each.warehouse) or doors[0].point),
            scale,
            profile=speeds.index(each.vehicle.speed_kmh),
        )
        vehicles.append(replace(vehicle, locked=tuple(numbers[id] for id in locked if id in numbers)))
    table, durations = await measure_places(resources, places, speeds, budget)
    return RoutingProblem(stops, vehicles, table.metres, durations), table


def sort_parcels(
    request: PlanRequest,
    routes: Mapping[int, ShipmentRoute],
    waiting: frozenset[int],
    depots: set[int],
) -> tuple[list[Door], list[UnplannedParcel]]:
    """The parcels that can be planned, and those that cannot, with the reason."""
    doors, unplanned = [], []
    for shipment_id, terms in request.terms.items():
        route = routes[shipment_id]
        reason = find_reason(route, waiting, depots)
        point = door_of(route)
        if reason is None and point is None:
            reason = UnplannedReason.NO_COORDINATES
        if reason is None and point is not None:
            doors.append(Door(route.shipment, point, terms, route.warehouse.id))
        elif reason is not None:
            unplanned.append(UnplannedParcel(shipment_id, reason))
    return doors, unplanned


def find_reason(route: ShipmentRoute, waiting: frozenset[int], depots: set[int]) -> UnplannedReason | None:
    skipped = find_skip_reason(route.shipment, route.order, route.delivery) is not None
    reason = find_obstacle(route.shipment, planned=route.shipment.id in waiting, skipped=skipped)
    if reason is None and route.warehouse.id not in depots:
        return UnplannedReason.NO_VEHICLE
    return reason


def door_of(route: ShipmentRoute) -> Point | None:
    """Where a parcel goes."""
    receiver = receiver_of(route.delivery)
    return point_of(receiver.latitude, receiver.longitude)


def depot_point(warehouse: Warehouse) -> Point | None:
    """Where a warehouse is, else the centre of its district."""
    return point_of_warehouse(warehouse)


def vehicles_on_duty(
    resources: Resources, vehicles: Sequence[PlanningVehicle], start: datetime
) -> list[OnDuty]:
    """The vehicles that may still drive on the day of the plan, with their hours."""
    zone = resources.settings.locale.zone
    return [(each, hours) for each in vehicles if (hours := find_hours(each.vehicle, start, each.busy, zone))]


async def ask_planner(resources: Resources, problem: RoutingProblem, budget: TimeBudget) -> RoutingPlan:
    """The plan for a problem; PlanningBusy or PlanNotMade where there is none in time."""
    try:
        return await resources.planner.plan(problem, budget)
    except PlannersBusy as failure:
        raise PlanningBusy from failure
    except PlanningFailed as failure:
        raise PlanNotMade from failure


def drafts_of(
    plan: RoutingPlan,
    vehicles: Sequence[PlanningVehicle],
    doors: Sequence[Door],
    problem: RoutingProblem,
    scale: TimeScale,
) -> list[RunDraft]:
    """A draft for each vehicle that visits anything."""
    by_index = dict(enumerate(doors))
    return [
        RunDraft(
            vehicles[route.vehicle].vehicle.id,
            plan_stops(route, by_index, frozenset(problem.vehicles[route.vehicle].locked)),
            scale.moment_at(route.departs),
            scale.moment_at(route.returns),
            route.distance,
        )
        for route in plan.routes
        if route.visits
    ]
