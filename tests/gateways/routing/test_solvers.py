"""Both solvers keep what a plan has to keep, and say why they leave something out."""

from collections.abc import Callable

import pytest

from gateways.routing.budget import start_budget
from gateways.routing.insertion import solve_by_insertion
from gateways.routing.problem import LeftOutReason, RoutingPlan, RoutingProblem, SolverName
from gateways.routing.schedule import cost_of
from gateways.routing.with_pyvrp import solve_with_pyvrp
from gateways.routing.worker import read_problem, write_problem
from tests.gateways.routing.problems import (
    HOUR,
    assert_kept,
    orders_of,
    random_town,
    stop,
    town,
    vehicle,
)

Solve = Callable[[RoutingProblem], RoutingPlan]
SOLVERS = {
    SolverName.BUILT_IN: lambda problem: solve_by_insertion(problem, start_budget(2.0)),
    SolverName.PYVRP: lambda problem: solve_with_pyvrp(problem, start_budget(2.0), patience=1_000),
}
WEST, EAST, NORTH = (-5_000, 0), (5_000, 0), (0, 4_000)


@pytest.fixture(params=list(SOLVERS), ids=lambda name: name.value)
def solve(request: pytest.FixtureRequest) -> Solve:
    return SOLVERS[request.param]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("stops", "vehicles"), [(30, 4), (60, 3)])
def test_a_plan_keeps_windows_capacities_skills_and_shifts(
    solve: Solve, stops: int, vehicles: int, seed: int
) -> None:
    problem = random_town(stops, vehicles, seed=seed)

    assert_kept(problem, solve(problem))


def test_two_vehicles_share_what_lies_on_both_sides(solve: Solve) -> None:
    problem = town(
        [WEST, (-5_100, 0), EAST, (5_100, 0)],
        [stop(place) for place in (1, 3, 2, 4)],
        [vehicle(latest=1_300)] * 2,  # neither could visit all: that takes 2,280 s
    )

    plan = solve(problem)

    assert sorted(sorted(order) for order in orders_of(plan.routes)) == [[0, 2], [1, 3]]
    assert [route.distance for route in plan.routes] == [10_200, 10_200]
    assert plan.left_out == []


def test_a_window_decides_the_order_and_nobody_leaves_too_early(solve: Solve) -> None:
    problem = town([(1_000, 0), (2_000, 0)], [stop(1, earliest=HOUR, latest=2 * HOUR), stop(2)], [vehicle()])

    [route] = solve(problem).routes

    assert [visit.begins - visit.arrives for visit in route.visits] == [0, 0]
    assert route.returns - route.departs == 400 + 2 * 60


def test_locked_stops_come_first_and_stay(solve: Solve) -> None:
    spots = [WEST, EAST, NORTH, (0, 4_100)]
    problem = town(
        spots, [stop(place) for place in range(1, 5)], [vehicle(locked=(1, 0)), vehicle(locked=(2,))]
    )

    plan = solve(problem)

    assert_kept(problem, plan)
    assert orders_of(plan.routes) == [[1, 0], [2, 3]]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (stop(1, skills=("COLD",)), LeftOutReason.NO_SKILL),
        (stop(1, load=101), LeftOutReason.TOO_HEAVY),
        (stop(1, latest=499), LeftOutReason.WINDOW_UNREACHABLE),  # the way alone takes 500 s
        (stop(1, earliest=10 * HOUR), LeftOutReason.WINDOW_UNREACHABLE),  # too late to be back in time
        (stop(1, load=96), LeftOutReason.NO_CAPACITY_LEFT),
    ],
)
def test_what_fits_nowhere_is_left_out_with_the_reason(
    solve: Solve, given: object, reason: LeftOutReason
) -> None:
    assert isinstance(given, type(stop(1)))
    problem = town([EAST, WEST], [given, stop(2, load=5, priority=3)], [vehicle()])

    plan = solve(problem)

    assert (orders_of(plan.routes), plan.left_out) == ([[1]], [(0, reason)])


def test_a_full_shift_leaves_out_what_has_the_lowest_priority(solve: Solve) -> None:
    problem = town(
        [WEST, EAST, NORTH], [stop(1, priority=1), stop(2), stop(3, priority=2)], [vehicle(latest=2_100)]
    )

    plan = solve(problem)

    assert (sorted(orders_of(plan.routes)[0]), plan.left_out) == ([0, 2], [(1, LeftOutReason.NO_TIME_LEFT)])


def test_a_vehicle_without_any_room_brings_nothing(solve: Solve) -> None:
    problem = town([EAST], [stop(1)], [vehicle(capacity=0)])

    assert solve(problem).left_out == [(0, LeftOutReason.TOO_HEAVY)]


def test_pyvrp_is_better_than_the_built_in_solver() -> None:
    problem = random_town(40, 6, seed=7)
    best, simple = (
        solve_with_pyvrp(problem, start_budget(2.0), patience=1_000),
        solve_by_insertion(problem, start_budget(2.0)),
    )

    assert len(best.left_out) <= len(simple.left_out)
    assert cost_of_all(problem, best) < cost_of_all(problem, simple)


def cost_of_all(problem: RoutingProblem, plan: RoutingPlan) -> float:
    return sum(cost_of(problem, route) for route in plan.routes)


def test_a_problem_travels_to_another_process_as_it_is() -> None:
    problem = random_town(5, 2)

    assert read_problem(write_problem(problem)) == problem


def test_a_window_that_is_over_leaves_its_stop_out(solve: Solve) -> None:
    problem = town([EAST, WEST], [stop(1, earliest=0, latest=-60), stop(2)], [vehicle()])

    plan = solve(problem)

    assert (orders_of(plan.routes), plan.left_out) == ([[1]], [(0, LeftOutReason.WINDOW_UNREACHABLE)])
