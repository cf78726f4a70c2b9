"""Solving with PyVRP (https://pyvrp.org), which the extra `routes` installs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
import numpy.typing as npt
from pyvrp import Client, Depot, Location, ProblemData, Route, Solution, SolveParams, VehicleType, solve
from pyvrp.search import NeighbourhoodParams
from pyvrp.stop import MultipleCriteria, NoImprovement, StoppingCriterion

from gateways.routing.budget import TimeBudget
from gateways.routing.insertion import finish_plan, first_routes, insert_left_out, is_feasible
from gateways.routing.nearest import PRIORITIES, PRIORITY_WEIGHT, nearest_routes, rank_of
from gateways.routing.problem import (
    DISTANCE_UNIT,
    FOREVER,
    TIME_UNIT,
    Place,
    RoutingPlan,
    RoutingProblem,
    RoutingStop,
    RoutingVehicle,
    SolverName,
)
from gateways.routing.schedule import costs_of, visit_from

NO_LIMIT = 1 << 40
"""A capacity that nothing fills."""
FIRST_SHARE = 0.3
"""How much of its time may go into the routes that PyVRP begins with."""
SOLVING_SHARE = 0.9
"""How much of what is left then PyVRP has; the rest is for what it has left out."""

PARAMETERS = SolveParams(neighbourhood=NeighbourhoodParams(num_neighbours=20))
"""As PyVRP has them, but for fewer neighbours that a stop may be moved to: twice the tries in the same time.
Of six of Solomon's instances, 6 s each, the mean gap was 0.37 % instead of 0.66 % (2026-11-29)."""

Matrix = npt.NDArray[np.int64]


class NoSolution(Exception):
    """PyVRP has found no plan that keeps windows and capacities."""


@dataclass(frozen=True, slots=True)
class TimeIsUp:
    """Stops PyVRP when a budget is over, by the clock of the budget."""

    budget: TimeBudget

    def __call__(self, best_cost: int) -> bool:
        return self.budget.is_over


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles that are alike, so that it does not matter which of them drives a route."""

    vehicle: RoutingVehicle
    """One of them, at the place and time at which it has made its locked stops."""
    members: Sequence[int]


def solve_with_pyvrp(
    problem: RoutingProblem, budget: TimeBudget, *, patience: int | None = None, seed: int = 1
) -> RoutingPlan:
    """A plan when the time is up, or after `patience` tries in a row that made it no better.

    NoSolution where none keeps all windows and capacities.
    """
    locked = {stop for vehicle in problem.vehicles for stop in vehicle.locked}
    free = [index for index, stop in enumerate(problem.stops) if index not in locked and is_possible(stop)]
    routes, tries = [list(vehicle.locked) for vehicle in problem.vehicles], 0
    if free and problem.vehicles:
        fleets = group_vehicles(problem)
        data = build_data(problem, free, fleets)
        first = None if problem.must_visit_all else first_solution(problem, data, free, fleets, budget)
        limits: list[StoppingCriterion] = [TimeIsUp(budget.take_share(SOLVING_SHARE))]
        if patience:
            limits.append(NoImprovement(patience))
        result = solve(
            data,
            MultipleCriteria(limits),
            seed=seed,
            collect_stats=False,
            params=PARAMETERS,
            initial_solution=first,
        )
        best, tries = result.best, result.num_iterations
        if not best.is_feasible():
            raise NoSolution
        add_routes(routes, best, free, fleets)
        if not is_feasible(problem, routes):
            raise NoSolution
        if first is None:
            routes = min(routes, nearest_routes(problem), key=lambda each: rank_of(problem, each))
    plan = finish_plan(problem, insert_left_out(problem, routes, budget), SolverName.PYVRP)
    return replace(plan, tries=tries)


def is_possible(stop: RoutingStop) -> bool:
    """Whether its window is not over before the plan begins: PyVRP refuses problems with such stops."""
    return stop.latest >= max(stop.earliest, 0)


def first_solution(
    problem: RoutingProblem,
    data: ProblemData,
    free: Sequence[int],
    fleets: Sequence[Fleet],
    budget: TimeBudget,
) -> Solution:
    """What the built-in solver begins with: what PyVRP makes of it keeps all windows and capacities, too."""
    planned = first_routes(problem, budget.take_share(FIRST_SHARE))
    clients = {index: client for client, index in enumerate(free)}
    routes = []
    for kind, fleet in enumerate(fleets):
        for member in fleet.members:
            visits = [clients[index] for index in planned[member] if index in clients]
            if visits:
                routes.append(Route(data, visits, kind))
    return Solution(data, routes)


def group_vehicles(problem: RoutingProblem) -> list[Fleet]:
    """The vehicles by what they can do; one with locked stops is alone."""
    members: defaultdict[RoutingVehicle, list[int]] = defaultdict(list)
    for index, vehicle in enumerate(problem.vehicles):
        members[vehicle].append(index)
    return [Fleet(after_locked_stops(problem, vehicle), each) for vehicle, each in members.items()]


def after_locked_stops(problem: RoutingProblem, vehicle: RoutingVehicle) -> RoutingVehicle:
    """The vehicle as it is behind its locked stops: there, later, and with less room."""
    if not vehicle.locked:
        return vehicle
    visits = visit_from(problem, vehicle, vehicle.locked, vehicle.earliest)
    loads = [problem.stops[index].load for index in vehicle.locked]
    capacity = tuple(
        limit if limit is None else max(limit - sum(load[kind] for load in loads if kind < len(load)), 0)
        for kind, limit in enumerate(vehicle.capacity)
    )
    return replace(
        vehicle,
        start=problem.stops[vehicle.locked[-1]].place,
        earliest=min(visits[-1].leaves, vehicle.latest),
        capacity=capacity,
    )


def add_routes(
    routes: Sequence[list[int]], best: Solution, free: Sequence[int], fleets: Sequence[Fleet]
) -> None:
    """Give the routes of a solution to the vehicles of each fleet."""
    members = [iter(fleet.members) for fleet in fleets]
    for route in best.routes():
        vehicle = next(members[route.vehicle_type()])
        routes[vehicle].extend(free[each.idx] for each in route.schedule() if each.is_client())


def build_data(problem: RoutingProblem, free: Sequence[int], fleets: Sequence[Fleet]) -> ProblemData:
    """The problem as PyVRP has it: first all depots, then each stop at a location of its own."""
    ends: list[Place | None] = [*sorted({each.vehicle.start for each in fleets})]
    ends += [
        end
        for end in dict.fromkeys(each.vehicle.end for each in fleets)
        if end is None or end not in set(ends)
    ]
    depots: Mapping[Place | None, int] = {place: index for index, place in enumerate(ends)}
    tables = Tables(problem, free, ends)
    kinds = max((len(problem.stops[index].load) for index in free), default=0)
    profiles: dict[tuple[int, frozenset[str]], int] = {}
    unit = cost_unit([each.vehicle for each in fleets])
    horizon = max(each.vehicle.latest for each in fleets)
    types = []
    for fleet in fleets:
        vehicle = fleet.vehicle
        profile = profiles.setdefault((vehicle.profile, vehicle.skills & tables.skills), len(profiles))
        per_metre, per_second = unit_costs(vehicle)
        types.append(
            VehicleType(
                num_available=len(fleet.members),
                capacity=[capacity_of(vehicle, kind) for kind in range(kinds)],
                start_depot=depots[vehicle.start],
                end_depot=depots[vehicle.end],
                tw_early=vehicle.earliest,
                tw_late=vehicle.latest,
                unit_distance_cost=per_metre // unit,
                unit_duration_cost=per_second // unit,
                profile=profile,
            )
        )
    distances, durations = tables.build(list(profiles), horizon)
    worth = 2 * worst_cost(distances, durations, types, horizon)
    return ProblemData(
        locations=[Location(0, 0) for _ in range(len(ends) + len(free))],
        clients=[build_client(problem, index, len(ends) + at, worth, kinds) for at, index in enumerate(free)],
        depots=[Depot(index) for index in range(len(ends))],
        vehicle_types=types,
        distance_matrices=distances,  # type: ignore[arg-type]  # its stub has no shape
        duration_matrices=durations,  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True)
class Tables:
    """Builds the tables of distances and durations between depots and free stops."""

    problem: RoutingProblem
    free: Sequence[int]
    ends: Sequence[Place | None]

    @property
    def skills(self) -> frozenset[str]:
        """All that any stop asks for."""
        return frozenset().union(*(self.problem.stops[index].skills for index in self.free))

    def build(
        self, profiles: Sequence[tuple[int, frozenset[str]]], horizon: int
    ) -> tuple[list[Matrix], list[Matrix]]:
        places = [0 if end is None else end for end in self.ends]
        places += [self.problem.stops[index].place for index in self.free]
        grid = np.ix_(places, places)
        distances = np.array(self.problem.distances, dtype=np.int64)[grid]
        durations = [np.array(each, dtype=np.int64)[grid] for each in self.problem.durations]
        for table in [distances, *durations]:
            np.fill_diagonal(table, 0)
            for index, end in enumerate(self.ends):
                if end is None:  # wherever a route ends is its end
                    table[:, index] = table[index, :] = 0
        found = [self.forbid(distances, durations[number], skills, horizon) for number, skills in profiles]
        return [each[0] for each in found], [each[1] for each in found]

    def forbid(
        self, distances: Matrix, durations: Matrix, skills: frozenset[str], horizon: int
    ) -> tuple[Matrix, Matrix]:
        """The tables for vehicles with these skills: other stops are too far away to be reached in time."""
        rows = [
            len(self.ends) + at
            for at, index in enumerate(self.free)
            if not self.problem.stops[index].skills <= skills
        ]
        if not rows:
            return distances, durations
        distances, durations = distances.copy(), durations.copy()
        for table, far in (
            (distances, int(distances.max()) * 10 + 1),
            (durations, min(horizon, FOREVER) * 2),
        ):
            table[rows, :] = table[:, rows] = far
            np.fill_diagonal(table, 0)
        return distances, durations


def build_client(problem: RoutingProblem, index: int, location: int, worth: int, kinds: int) -> Client:
    stop = problem.stops[index]
    return Client(
        location,
        delivery=[*stop.load, *[0] * (kinds - len(stop.load))],
        service_duration=stop.service,
        tw_early=stop.earliest,
        tw_late=stop.latest,
        prize=0 if problem.must_visit_all else worth * PRIORITY_WEIGHT ** min(stop.priority, PRIORITIES),
        required=problem.must_visit_all,
    )


def capacity_of(vehicle: RoutingVehicle, kind: int) -> int:
    limit = vehicle.capacity[kind] if kind < len(vehicle.capacity) else None
    return NO_LIMIT if limit is None else limit


def unit_costs(vehicle: RoutingVehicle) -> tuple[int, int]:
    """The costs of a metre and of a second in one unit."""
    per_km, per_hour = costs_of(vehicle)
    return per_km * TIME_UNIT, per_hour * DISTANCE_UNIT


def cost_unit(vehicles: Sequence[RoutingVehicle]) -> int:
    """By what all costs can be divided without a rest."""
    return gcd(*(cost for vehicle in vehicles for cost in unit_costs(vehicle)))


def worst_cost(
    distances: Sequence[Matrix], durations: Sequence[Matrix], types: Sequence[VehicleType], horizon: int
) -> int:
    """More than it ever costs to visit one stop more."""
    farthest = max(int(each.max()) for each in distances)
    longest = max(int(each.max()) for each in durations)
    time = longest if horizon >= FOREVER else min(longest, horizon)
    return (
        max(2 * (farthest * each.unit_distance_cost + time * each.unit_duration_cost) for each in types) + 1
    )
