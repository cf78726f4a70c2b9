"""Plans are made in processes of their own, which may crash, hang, or be too many."""

import asyncio
import sys
from pathlib import Path

import pytest

from gateways.routing.budget import TimeBudget, start_budget
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

    plan = await ProcessPlanner().plan(problem, start_budget(60.0))

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
    planner = ProcessPlanner(command=command_of(script))

    plan = await planner.plan(problem, start_budget(10.0))

    assert (plan.solver, plan.note) == (SolverName.BUILT_IN, note)
    assert_kept(problem, plan)


async def test_without_any_solver_planning_fails() -> None:
    planner = ProcessPlanner(command=(sys.executable, "-c", "import sys; sys.exit(1)"))

    with pytest.raises(PlanningFailed):
        await planner.plan(random_town(3, 1), start_budget(60.0))


async def test_no_more_plans_wait_than_may() -> None:
    hangs = (sys.executable, "-c", "import time; time.sleep(60)")
    planner = ProcessPlanner(waiting_limit=1, command=hangs)
    problem = random_town(3, 1)
    plans = [asyncio.create_task(planner.plan(problem, start_budget(60.0))) for _ in range(2)]
    await asyncio.sleep(0.5)

    with pytest.raises(PlannersBusy):
        await planner.plan(problem, start_budget(60.0))

    for plan in plans:
        plan.cancel()
    await asyncio.gather(*plans, return_exceptions=True)
    assert (planner.waiting, planner.turns.locked()) == (0, False)


async def test_the_loop_goes_on_while_a_plan_is_made() -> None:
    planning = asyncio.create_task(
        ProcessPlanner(seconds_limit=2.0).plan(random_town(60, 4), start_budget(60.0))
    )
    turns = 0
    while not planning.done():
        await asyncio.sleep(0.01)
        turns += 1

    assert (await planning).solver is SolverName.PYVRP
    assert turns > 20


async def test_each_process_has_its_share_of_the_time_of_the_plan(tmp_path: Path) -> None:
    arguments = tmp_path / "arguments"
    script = f"import sys; print(*sys.argv[1:3], file=open({str(arguments)!r}, 'a')); sys.exit(1)"
    planner = ProcessPlanner(command=(sys.executable, "-c", script))
    stopped = TimeBudget(10.0, lambda: 0.0)

    with pytest.raises(PlanningFailed):
        await planner.plan(random_town(400, 3), stopped)

    pyvrp, built_in = (line.split() for line in arguments.read_text().splitlines())
    assert [pyvrp[0], built_in[0]] == ["PYVRP", "BUILT_IN"]
    assert [float(pyvrp[1]), float(built_in[1])] == pytest.approx([4.2, 6.0])


async def test_a_plan_that_waits_for_its_turn_too_long_is_refused() -> None:
    planner = ProcessPlanner(at_once=1)
    await planner.turns.acquire()

    with pytest.raises(PlannersBusy):
        await planner.plan(random_town(3, 1), start_budget(0.05))

    assert planner.waiting == 0
