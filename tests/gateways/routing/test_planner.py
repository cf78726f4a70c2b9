"""Plans are made in processes of their own, which may crash, hang, or be too many."""

import asyncio
import sys

import pytest

from gateways.routing.planner import PlannersBusy, PlanningFailed, ProcessPlanner
from gateways.routing.problem import SolverName
from tests.gateways.routing.problems import assert_kept, random_town


def command_of(script: str) -> tuple[str, ...]:
    """A process that runs a script where PyVRP is asked, and otherwise the worker."""
    prelude = f"import sys, runpy\nif sys.argv[1] == 'PYVRP':\n    {script}\n"
    return (
        sys.executable,
        "-c",
        prelude + "runpy.run_module('gateways.routing.worker', run_name='__main__')",
    )


async def test_pyvrp_plans_in_a_process_of_its_own() -> None:
    problem = random_town(20, 3)

    plan = await ProcessPlanner().plan(problem)

    assert (plan.solver, plan.note) == (SolverName.PYVRP, "")
    assert_kept(problem, plan)


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("import os; os.abort()", "PYVRP has crashed."),
        ("sys.exit(3)", "PYVRP has found no plan."),
        ("print('nonsense'); sys.exit(0)", "The answer of the solver cannot be read."),
        ("import time; time.sleep(60)", "PYVRP took too long."),
    ],
)
async def test_the_built_in_solver_plans_where_pyvrp_fails_and_the_plan_says_so(
    script: str, note: str
) -> None:
    problem = random_town(10, 2)
    planner = ProcessPlanner(command=command_of(script), grace_seconds=3.0)

    plan = await planner.plan(problem)

    assert (plan.solver, plan.note) == (SolverName.BUILT_IN, note)
    assert_kept(problem, plan)


async def test_without_any_solver_planning_fails() -> None:
    planner = ProcessPlanner(command=(sys.executable, "-c", "import sys; sys.exit(1)"))

    with pytest.raises(PlanningFailed):
        await planner.plan(random_town(3, 1))


async def test_no_more_plans_wait_than_may() -> None:
    hangs = (sys.executable, "-c", "import time; time.sleep(60)")
    planner = ProcessPlanner(waiting_limit=1, command=hangs)
    problem = random_town(3, 1)
    plans = [asyncio.create_task(planner.plan(problem)) for _ in range(2)]
    await asyncio.sleep(0.5)

    with pytest.raises(PlannersBusy):
        await planner.plan(problem)

    for plan in plans:
        plan.cancel()
    await asyncio.gather(*plans, return_exceptions=True)
    assert (planner.waiting, planner.turns.locked()) == (0, False)


async def test_the_loop_goes_on_while_a_plan_is_made() -> None:
    planning = asyncio.create_task(ProcessPlanner(seconds_limit=2.0).plan(random_town(60, 4)))
    turns = 0
    while not planning.done():
        await asyncio.sleep(0.01)
        turns += 1

    assert (await planning).solver is SolverName.PYVRP
    assert turns > 20
