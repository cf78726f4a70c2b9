"""The built-in solver: the nearest stops first, or each where it costs least; then stops are moved while that
saves something and there is time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateways.routing.budget import TimeBudget
from gateways.routing.left_out import explain_left_out
from gateways.routing.nearest import nearest_routes, rank_of
from gateways.routing.problem import (
    DISTANCE_UNIT,
    TIME_UNIT,
    Place,
    RoutingPlan,
    RoutingProblem,
    RoutingVehicle,
    SolverName,
)
from gateways.routing.schedule import (
    carries_all,
    cost_of,
    costs_of,
    keeps_windows,
    load_of,
    schedule_route,
)
from gateways.routing.tour import order_tour

SAVING_MINIMUM = 1e-9
"""A smaller saving is an error of rounding."""


@dataclass(slots=True)
class RouteBuilder:
    """The stops of one vehicle so far, with how early and how late each may begin."""

    problem: RoutingProblem
    index: int
    stops: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    """When the vehicle goes on from each stop, at the earliest."""
    latest: list[int] = field(default_factory=list)
    """When the service at each stop begins at the latest, so that all behind it are in time."""
    left: list[int | None] = field(default_factory=list)
    """What is left of each capacity."""

    def __post_init__(self) -> None:
        self.replace_stops(list(self.vehicle.locked))

    @property
    def vehicle(self) -> RoutingVehicle:
        return self.problem.vehicles[self.index]

    def replace_stops(self, stops: list[int]) -> None:
        """Take these stops in this order, and reckon their times anew."""
        problem, vehicle = self.problem, self.vehicle
        self.stops = stops
        durations, here, now = problem.durations[vehicle.profile], vehicle.start, vehicle.earliest
        self.leaves = []
        for index in stops:
            stop = problem.stops[index]
            now = max(now + durations[here][stop.place], stop.earliest) + stop.service
            self.leaves.append(now)
            here = stop.place
        latest, ahead = vehicle.latest, vehicle.end
        self.latest = []
        for index in reversed(stops):
            stop = problem.stops[index]
            travel = 0 if ahead is None else durations[stop.place][ahead]
            latest = min(stop.latest, latest - travel - stop.service)
            self.latest.append(latest)
            ahead = stop.place
        self.latest.reverse()
        self.left = [
            limit if limit is None else limit - sum(load_of(problem, each, kind) for each in stops)
            for kind, limit in enumerate(vehicle.capacity)
        ]

    def has_room(self, index: int) -> bool:
        """Whether the vehicle has the skills for a stop, and its load fits beside the others."""
        if not self.problem.stops[index].skills <= self.vehicle.skills:
            return False
        return all(
            limit is None or load_of(self.problem, index, kind) <= limit
            for kind, limit in enumerate(self.left)
        )

    def best_insertion(self, index: int) -> tuple[float, int] | None:
        """The least that a stop adds to the costs, and its place; None where it does not fit."""
        if not self.has_room(index):
            return None
        problem, vehicle, stop = self.problem, self.vehicle, self.problem.stops[index]
        durations, distances = problem.durations[vehicle.profile], problem.distances
        per_km, per_hour = costs_of(vehicle)
        best: tuple[float, int] | None = None
        for at in range(len(vehicle.locked), len(self.stops) + 1):
            before = problem.stops[self.stops[at - 1]].place if at else vehicle.start
            after = self.place_at(at)
            ready = self.leaves[at - 1] if at else vehicle.earliest
            begins = max(ready + durations[before][stop.place], stop.earliest)
            if begins > stop.latest:
                if ready > stop.latest:
                    break  # everything behind is later still
                continue
            on_time = vehicle.latest if at == len(self.stops) else self.latest[at]
            onward = 0 if after is None else durations[stop.place][after]
            if begins + stop.service + onward > on_time:
                continue
            metres, seconds = distances[before][stop.place], durations[before][stop.place] + stop.service
            if after is not None:
                metres += distances[stop.place][after] - distances[before][after]
                seconds += durations[stop.place][after] - durations[before][after]
            cost = metres / DISTANCE_UNIT * per_km + seconds / TIME_UNIT * per_hour
            if best is None or cost < best[0]:
                best = cost, at
        return best

    def place_at(self, at: int) -> Place | None:
        """The place of the stop at a position, or where the vehicle ends."""
        return self.problem.stops[self.stops[at]].place if at < len(self.stops) else self.vehicle.end


def solve_by_insertion(problem: RoutingProblem, budget: TimeBudget) -> RoutingPlan:
    """A plan that is no worse than going to the nearest stop next, improved while there is time."""
    builders = build_routes(problem, first_routes(problem, budget))
    improve_routes(builders, budget)
    return finish_plan(problem, [builder.stops for builder in builders], SolverName.BUILT_IN)


def first_routes(problem: RoutingProblem, budget: TimeBudget) -> list[list[int]]:
    """The better ones of the nearest stops first and of cheapest insertion, where there is time for it."""
    nearest = insert_left_out(problem, nearest_routes(problem), budget)
    if budget.is_over:
        return nearest
    inserted = insert_left_out(problem, [list(vehicle.locked) for vehicle in problem.vehicles], budget)
    return min(nearest, inserted, key=lambda routes: rank_of(problem, routes))


def build_routes(problem: RoutingProblem, stops: Sequence[Sequence[int]]) -> list[RouteBuilder]:
    builders = [RouteBuilder(problem, index) for index in range(len(problem.vehicles))]
    for builder, each in zip(builders, stops, strict=True):
        builder.replace_stops(list(each))
    return builders


def finish_plan(problem: RoutingProblem, stops: Sequence[Sequence[int]], solver: SolverName) -> RoutingPlan:
    """The plan of these stops for each vehicle, with the reasons of what is left out."""
    routes = [schedule_route(problem, index, each) for index, each in enumerate(stops)]
    return RoutingPlan(solver, routes, explain_left_out(problem, routes))


def in_order_of_need(problem: RoutingProblem, stops: Iterable[int]) -> list[int]:
    """The most urgent first, then those whose windows are narrow, then those far away."""
    starts = {vehicle.start for vehicle in problem.vehicles}

    def need(index: int) -> tuple[int, int, int, int]:
        stop = problem.stops[index]
        away = min((problem.distances[start][stop.place] for start in starts), default=0)
        return -stop.priority, stop.latest - stop.earliest, -away, index

    return sorted(stops, key=need)


def insert_all(builders: Sequence[RouteBuilder], stops: Iterable[int], budget: TimeBudget) -> None:
    """Put each stop where it costs least; what fits nowhere, or into no time, is left out."""
    for index in stops:
        if budget.is_over:
            return
        insert_best(builders, index)


def insert_best(builders: Sequence[RouteBuilder], index: int) -> bool:
    options = [
        (*found, place) for place, each in enumerate(builders) if (found := each.best_insertion(index))
    ]
    if not options:
        return False
    _, at, place = min(options, key=lambda option: (option[0], option[2]))
    builder = builders[place]
    builder.replace_stops([*builder.stops[:at], index, *builder.stops[at:]])
    return True


def improve_routes(builders: Sequence[RouteBuilder], budget: TimeBudget) -> None:
    """Order each route anew and move single stops, until nothing saves anything or the time is up."""
    improved = True
    while improved:
        improved = False
        for builder in builders:
            if budget.is_over:
                return
            improved |= reorder_route(builder, budget)
        for builder in builders:
            for index in builder.stops[len(builder.vehicle.locked) :]:
                if budget.is_over:
                    return
                improved |= move_stop(builders, builder, index)


def reorder_route(builder: RouteBuilder, budget: TimeBudget) -> bool:
    """Visit the stops that are not locked by the shortest tour, where that costs less and is in time."""
    problem, vehicle = builder.problem, builder.vehicle
    locked = len(vehicle.locked)
    fixed, free = builder.stops[:locked], builder.stops[locked:]
    if len(free) <= 1:
        return False
    start = problem.stops[fixed[-1]].place if fixed else vehicle.start
    places = [start, *(problem.stops[index].place for index in free)]
    ends = [0 if vehicle.end is None else problem.distances[place][vehicle.end] for place in places]
    distances = [
        [*(problem.distances[row][column] for column in places), end]
        for row, end in zip(places, ends, strict=True)
    ]
    tour = [free[stop - 1] for stop in order_tour(distances, budget)]
    before = schedule_route(problem, builder.index, builder.stops)
    after = schedule_route(problem, builder.index, [*fixed, *tour])
    if not keeps_windows(problem, after):
        return False
    if cost_of(problem, before) - cost_of(problem, after) <= SAVING_MINIMUM:
        return False
    builder.replace_stops([*fixed, *tour])
    return True


def move_stop(builders: Sequence[RouteBuilder], builder: RouteBuilder, index: int) -> bool:
    """Take a stop out and put it where it costs least; back where that saves nothing."""
    kept = list(builder.stops)
    costs = sum_of_costs(builder)
    builder.replace_stops([each for each in kept if each != index])
    options = [
        (*found, place) for place, each in enumerate(builders) if (found := each.best_insertion(index))
    ]
    if options:
        _, at, place = min(options, key=lambda option: (option[0], option[2]))
        target = builders[place]
        former = list(target.stops)
        others = [] if target is builder else [target]
        costs += sum_of_costs(*others)
        target.replace_stops([*target.stops[:at], index, *target.stops[at:]])
        if costs - sum_of_costs(builder, *others) > SAVING_MINIMUM:
            return True
        target.replace_stops(former)
    builder.replace_stops(kept)
    return False


def sum_of_costs(*builders: RouteBuilder) -> float:
    return sum(
        cost_of(each.problem, schedule_route(each.problem, each.index, each.stops)) for each in builders
    )


def insert_left_out(
    problem: RoutingProblem, stops: Sequence[Sequence[int]], budget: TimeBudget
) -> list[list[int]]:
    """The routes with those stops added that they have left out and that still fit."""
    builders = build_routes(problem, stops)
    visited = {index for each in stops for index in each}
    insert_all(builders, in_order_of_need(problem, set(range(len(problem.stops))) - visited), budget)
    return [builder.stops for builder in builders]


def is_feasible(problem: RoutingProblem, stops: Sequence[Sequence[int]]) -> bool:
    """Whether every vehicle carries what it is given, and is in time."""
    return all(
        carries_all(problem, problem.vehicles[index], each)
        and keeps_windows(problem, schedule_route(problem, index, each))
        for index, each in enumerate(stops)
    )
