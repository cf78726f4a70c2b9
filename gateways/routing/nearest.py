"""The routes that always go on to the nearest stop: found in a moment, and never beaten by a worse plan."""

from collections.abc import Sequence

from gateways.routing.problem import Place, RoutingProblem, RoutingVehicle
from gateways.routing.schedule import cost_of, load_of, place_after, schedule_route, visit_from

PRIORITY_WEIGHT = 4
"""A stop of one priority is worth so many of the next lower one."""
PRIORITIES = 3

Rank = tuple[int, float]
"""What is left out, weighed by priority, and what the routes cost; the least is the best."""


def nearest_routes(problem: RoutingProblem) -> list[list[int]]:
    """One vehicle after the other goes on to the nearest stop that it can still bring and return in time.

    Where something is left out, the most urgent stops are the nearest ones.
    """
    routes = follow_nearest(problem, by_priority=False)
    if sum(map(len, routes)) == len(problem.stops) or not any(each.priority for each in problem.stops):
        return routes
    return min(routes, follow_nearest(problem, by_priority=True), key=lambda each: rank_of(problem, each))


def follow_nearest(problem: RoutingProblem, *, by_priority: bool) -> list[list[int]]:
    routes = [list(vehicle.locked) for vehicle in problem.vehicles]
    open_stops = set(range(len(problem.stops))) - {stop for route in routes for stop in route}
    for vehicle, route in zip(problem.vehicles, routes, strict=True):
        extend_route(problem, vehicle, route, open_stops, by_priority=by_priority)
    return routes


def extend_route(
    problem: RoutingProblem,
    vehicle: RoutingVehicle,
    route: list[int],
    open_stops: set[int],
    *,
    by_priority: bool,
) -> None:
    """Add stops to the route of a vehicle as long as one fits, taking them from those that are open."""
    visits = visit_from(problem, vehicle, route, vehicle.earliest)
    now = visits[-1].leaves if visits else vehicle.earliest
    here = place_after(problem, vehicle, route)
    left = [
        limit if limit is None else limit - sum(load_of(problem, each, kind) for each in route)
        for kind, limit in enumerate(vehicle.capacity)
    ]
    able = {index for index in open_stops if problem.stops[index].skills <= vehicle.skills}
    durations = problem.durations[vehicle.profile]

    def leaves_at(index: int) -> int:
        stop = problem.stops[index]
        return max(now + durations[here][stop.place], stop.earliest) + stop.service

    def fits(index: int) -> bool:
        stop, leaves = problem.stops[index], leaves_at(index)
        back = 0 if vehicle.end is None else durations[stop.place][vehicle.end]
        in_time = leaves - stop.service <= stop.latest and leaves + back <= vehicle.latest
        return in_time and all(
            limit is None or load_of(problem, index, kind) <= limit for kind, limit in enumerate(left)
        )

    def way_to(index: int) -> tuple[int, int, int]:
        stop = problem.stops[index]
        return (-stop.priority if by_priority else 0), problem.distances[here][stop.place], index

    while able:
        index = min(able, key=way_to)
        able.discard(index)  # what does not fit now fits later even less
        if not fits(index):
            continue
        now, here = leaves_at(index), Place(problem.stops[index].place)
        left = [
            limit if limit is None else limit - load_of(problem, index, kind)
            for kind, limit in enumerate(left)
        ]
        route.append(index)
        open_stops.discard(index)


def rank_of(problem: RoutingProblem, routes: Sequence[Sequence[int]]) -> Rank:
    """How good routes are: first that nothing urgent is left out, then what they cost."""
    visited = {stop for route in routes for stop in route}
    left_out = sum(
        PRIORITY_WEIGHT ** min(stop.priority, PRIORITIES)
        for index, stop in enumerate(problem.stops)
        if index not in visited
    )
    costs = (
        cost_of(problem, schedule_route(problem, index, route)) for index, route in enumerate(routes) if route
    )
    return left_out, sum(costs)
