"""A plan that has no time left is never worse than going to the nearest stop next."""

from dataclasses import replace
from itertools import count

import pytest

from bench.routes import build_town, length_of, nearest_order
from gateways.routing.budget import TimeBudget, start_budget
from gateways.routing.insertion import solve_by_insertion
from gateways.routing.nearest import nearest_routes, rank_of
from gateways.routing.problem import LeftOutReason, Place, RoutingPlan, RoutingVehicle
from gateways.routing.schedule import schedule_route
from gateways.routing.with_pyvrp import solve_with_pyvrp
from tests.gateways.routing.problems import assert_kept, orders_of, random_town, stop, town, vehicle

SIZES = (30, 100, 300)


def spent_budget() -> TimeBudget:
    return TimeBudget(0.0, lambda: 1.0)


def budget_of_looks(looks: int) -> TimeBudget:
    """A budget that is over when somebody has looked at the clock so often."""
    return TimeBudget(float(looks), lambda ticks=count(): float(next(ticks)))  # type: ignore[misc]


def metres_of(plan: RoutingPlan) -> int:
    return sum(route.distance for route in plan.routes)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("looks", [0, 10, 500])
async def test_the_built_in_solver_is_never_worse_than_the_nearest_first(size: int, looks: int) -> None:
    problem = await build_town(size)

    plan = solve_by_insertion(problem, budget_of_looks(looks))

    assert plan.left_out == []
    assert metres_of(plan) <= length_of(problem, nearest_order(problem))


@pytest.mark.parametrize("size", SIZES)
async def test_pyvrp_without_any_time_is_not_worse_either(size: int) -> None:
    problem = await build_town(size)

    plan = solve_with_pyvrp(problem, spent_budget())

    assert plan.left_out == []
    assert metres_of(plan) <= length_of(problem, nearest_order(problem))


@pytest.mark.parametrize("size", SIZES)
async def test_the_run_of_one_courier_is_not_worse_than_the_nearest_first_either(size: int) -> None:
    problem = await build_town(size)
    single_run = replace(problem, vehicles=[RoutingVehicle(Place(0))], must_visit_all=True)

    plan = solve_with_pyvrp(single_run, spent_budget())

    assert plan.left_out == []
    nearest = schedule_route(single_run, 0, nearest_routes(single_run)[0])
    assert metres_of(plan) <= nearest.distance


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_the_nearest_first_would_bring_is_brought(seed: int) -> None:
    problem = random_town(60, 4, seed=seed)

    plan = solve_by_insertion(problem, budget_of_looks(200))

    assert_kept(problem, plan)
    assert rank_of(problem, orders_of(plan.routes)) <= rank_of(problem, nearest_routes(problem))


def test_the_most_urgent_are_brought_where_there_is_no_time_to_think() -> None:
    problem = town([(1_000, 0), (9_000, 0)], [stop(1), stop(2, priority=2)], [vehicle(capacity=1)])

    plan = solve_by_insertion(problem, spent_budget())

    assert (orders_of(plan.routes), plan.left_out) == ([[1]], [(0, LeftOutReason.NO_CAPACITY_LEFT)])


def test_a_longer_look_at_a_plan_makes_it_no_worse() -> None:
    problem = random_town(60, 4)

    ranks = [
        rank_of(problem, orders_of(solve_by_insertion(problem, budget_of_looks(looks)).routes))
        for looks in (0, 200, 2_000)
    ]

    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] > ranks[-1]


def test_a_share_of_a_budget_ends_before_it() -> None:
    budget = start_budget(10.0, lambda: 100.0)

    assert (budget.until, budget.left, budget.take_share(0.3)) == (
        110.0,
        10.0,
        TimeBudget(103.0, budget.clock),
    )
    assert (spent_budget().left, spent_budget().is_over) == (0.0, True)
