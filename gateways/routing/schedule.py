"""The times of a route, whether it keeps all windows and capacities, and what it costs."""

from collections.abc import Iterable, Sequence

from gateways.routing.problem import (
    DISTANCE_UNIT,
    TIME_UNIT,
    Place,
    Route,
    RoutingProblem,
    RoutingVehicle,
    Visit,
)


def schedule_route(problem: RoutingProblem, vehicle_index: int, stops: Sequence[int]) -> Route:
    """A vehicle visits stops in this order, leaving as late as it can without being back later."""
    vehicle = problem.vehicles[vehicle_index]
    if not stops:
        return Route(vehicle_index)
    visits = visit_from(problem, vehicle, stops, vehicle.earliest)
    waiting = sum(visit.begins - visit.arrives for visit in visits)
    later = min(waiting, slack_of(problem, visits))
    departs = vehicle.earliest + max(later, 0)
    visits = visit_from(problem, vehicle, stops, departs)
    distance = sum(visit.distance for visit in visits)
    returns = visits[-1].leaves
    if vehicle.end is not None:
        last = problem.stops[stops[-1]].place
        distance += problem.distances[last][vehicle.end]
        returns += problem.durations[vehicle.profile][last][vehicle.end]
    return Route(vehicle_index, tuple(visits), departs, returns, distance)


def visit_from(
    problem: RoutingProblem, vehicle: RoutingVehicle, stops: Iterable[int], departs: int
) -> list[Visit]:
    durations, here, now = problem.durations[vehicle.profile], vehicle.start, departs
    visits = []
    for index in stops:
        stop = problem.stops[index]
        arrives = now + durations[here][stop.place]
        begins = max(arrives, stop.earliest)
        now = begins + stop.service
        visits.append(Visit(index, problem.distances[here][stop.place], arrives, begins, now))
        here = stop.place
    return visits


def slack_of(problem: RoutingProblem, visits: Sequence[Visit]) -> int:
    """How much later the vehicle may leave so that no visit begins after its window."""
    waited, slack = 0, None
    for visit in visits:
        waited += visit.begins - visit.arrives
        spare = waited + problem.stops[visit.stop].latest - visit.begins
        slack = spare if slack is None else min(slack, spare)
    return slack or 0


def keeps_windows(problem: RoutingProblem, route: Route) -> bool:
    """Whether every visit begins in its window, and the vehicle is back in time."""
    in_time = all(visit.begins <= problem.stops[visit.stop].latest for visit in route.visits)
    return in_time and (not route.visits or route.returns <= problem.vehicles[route.vehicle].latest)


def carries_all(problem: RoutingProblem, vehicle: RoutingVehicle, stops: Iterable[int]) -> bool:
    """Whether the loads of stops fit into a vehicle together, and it has the skills for each."""
    left = list(vehicle.capacity)
    for index in stops:
        if not problem.stops[index].skills <= vehicle.skills:
            return False
        for kind, load in enumerate(problem.stops[index].load):
            limit = left[kind] if kind < len(left) else None
            if limit is not None:
                left[kind] = limit - load
                if limit < load:
                    return False
    return True


def cost_of(problem: RoutingProblem, route: Route) -> float:
    """What a route costs by its kilometres and hours; kilometres alone where neither costs anything."""
    vehicle = problem.vehicles[route.vehicle]
    per_km, per_hour = costs_of(vehicle)
    hours = (route.returns - route.departs) / TIME_UNIT
    return route.distance / DISTANCE_UNIT * per_km + hours * per_hour


def costs_of(vehicle: RoutingVehicle) -> tuple[int, int]:
    """Per kilometre and per hour; the shortest way is the best where neither costs anything."""
    if not vehicle.cost_per_km and not vehicle.cost_per_hour:
        return 1, 0
    return vehicle.cost_per_km, vehicle.cost_per_hour


def place_after(problem: RoutingProblem, vehicle: RoutingVehicle, stops: Sequence[int]) -> Place:
    """Where a vehicle is after these stops."""
    return problem.stops[stops[-1]].place if stops else vehicle.start


def load_of(problem: RoutingProblem, index: int, kind: int) -> int:
    """What a stop takes of one of the capacities."""
    load = problem.stops[index].load
    return load[kind] if kind < len(load) else 0
