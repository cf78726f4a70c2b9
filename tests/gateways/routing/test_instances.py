"""A small run of `python -m bench routes`: Solomon's instances, without the clock."""

import pytest
import vrplib

from bench.routes import DECIMAL, OWN_FOLDER, build_town, length_of, nearest_order, read_instance
from gateways.routing.budget import start_budget
from gateways.routing.with_pyvrp import solve_with_pyvrp
from tests.gateways.routing.problems import assert_kept

ENOUGH_SECONDS = 120.0


@pytest.mark.parametrize("name", ["C101", "R101", "R112"])
def test_the_best_known_routes_are_nearly_found(name: str) -> None:
    path = OWN_FOLDER / f"{name}.txt"
    problem = read_instance(path)

    plan = solve_with_pyvrp(problem, start_budget(ENOUGH_SECONDS), patience=1_000)

    best = float(vrplib.read_solution(path.with_suffix(".sol"))["cost"])
    assert_kept(problem, plan)
    assert plan.left_out == []
    assert best <= sum(route.distance for route in plan.routes) / DECIMAL <= best * 1.08


async def test_a_plan_of_a_town_is_shorter_than_the_nearest_first() -> None:
    problem = await build_town(60)

    plan = solve_with_pyvrp(problem, start_budget(ENOUGH_SECONDS), patience=300)

    metres = sum(route.distance for route in plan.routes)
    assert metres < length_of(problem, nearest_order(problem)) < length_of(problem, range(60))
