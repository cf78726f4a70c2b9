"""Why a stop is on no route, found by asking what kept every vehicle from it."""

from collections.abc import Sequence

from gateways.routing.problem import LeftOutReason, Route, RoutingProblem, RoutingVehicle
from gateways.routing.schedule import carries_all, keeps_windows, schedule_route

WEIGHT = 0
"""The place of the weight among the loads; what comes behind it is the size."""


def explain_left_out(problem: RoutingProblem, routes: Sequence[Route]) -> list[tuple[int, LeftOutReason]]:
    """The stops that no route visits, each with the first reason that holds for every vehicle."""
    visited = {visit.stop for route in routes for visit in route.visits}
    left_out = (index for index in range(len(problem.stops)) if index not in visited)
    return [(index, find_reason(problem, routes, index)) for index in left_out]


def find_reason(problem: RoutingProblem, routes: Sequence[Route], index: int) -> LeftOutReason:
    stop = problem.stops[index]
    skilled = [place for place, each in enumerate(problem.vehicles) if stop.skills <= each.skills]
    if not skilled:
        return LeftOutReason.NO_SKILL
    if too_much := [
        kind for kind in range(len(stop.load)) if not fits_anywhere(problem, skilled, index, kind)
    ]:
        return LeftOutReason.TOO_HEAVY if too_much[0] == WEIGHT else LeftOutReason.TOO_LARGE
    large_enough = [place for place in skilled if carries_all(problem, problem.vehicles[place], [index])]
    if not large_enough:
        return LeftOutReason.TOO_LARGE
    if not any(can_reach(problem, place, index) for place in large_enough):
        return LeftOutReason.WINDOW_UNREACHABLE
    with_room = [
        place
        for place in large_enough
        if carries_all(
            problem, problem.vehicles[place], [*(visit.stop for visit in routes[place].visits), index]
        )
    ]
    return LeftOutReason.NO_TIME_LEFT if with_room else LeftOutReason.NO_CAPACITY_LEFT


def fits_anywhere(problem: RoutingProblem, vehicles: Sequence[int], index: int, kind: int) -> bool:
    load = problem.stops[index].load[kind]
    return any(has_room_for(problem.vehicles[place], kind, load) for place in vehicles)


def has_room_for(vehicle: RoutingVehicle, kind: int, load: int) -> bool:
    limit = vehicle.capacity[kind] if kind < len(vehicle.capacity) else None
    return limit is None or load <= limit


def can_reach(problem: RoutingProblem, place: int, index: int) -> bool:
    """Whether a vehicle could visit the stop behind those that are locked, and nothing else."""
    route = schedule_route(problem, place, [*problem.vehicles[place].locked, index])
    return keeps_windows(problem, route)
