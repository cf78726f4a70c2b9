"""Planning in processes of their own: requests go on meanwhile, and a crash takes nothing along."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import orjson
import structlog

from gateways.routing.budget import TimeBudget
from gateways.routing.problem import (
    LeftOutReason,
    Route,
    RoutingPlan,
    RoutingProblem,
    SolverName,
    Visit,
)
from gateways.routing.worker import NO_SOLUTION, write_problem

log = structlog.get_logger()

ROOT = Path(__file__).parents[2]
PASSED_ON = ("PATH", "LANG", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""What of the environment the process gets: no setting and no secret is among it."""
ASKED_SHARE = 0.6
"""How much of the time of a process its solver is told to have; the rest is for starting and writing."""
FIRST_SHARE = 0.7
"""How much of the time of a plan the first solver has, where the built-in one may have to follow."""
SECONDS_PER_STOP = 0.02
"""How much longer than a moment many stops are thought about."""
SHORTEST_SECONDS = 1.0
PATIENCE = 10_000
"""Tries in a row that made a plan no better, after which PyVRP stops before its time."""


class PlannersBusy(Exception):
    """All processes that may plan at once are planning, and more wait than may."""


class PlanningFailed(Exception):
    """No solver has answered in time."""


class RoutePlanner(Protocol):
    """Plans the routes of vehicles."""

    async def plan(self, problem: RoutingProblem, budget: TimeBudget) -> RoutingPlan:
        """A route for each vehicle; PlannersBusy or PlanningFailed where there is none in time."""


def has_pyvrp() -> bool:
    return find_spec("pyvrp") is not None


@dataclass(slots=True)
class ProcessPlanner:
    """Plans with PyVRP, or by the built-in solver where that is not installed or fails."""

    at_once: int = 1
    """Processes that plan at the same time."""
    waiting_limit: int = 20
    """Plans that may wait for their turn."""
    seconds_limit: float = 10.0
    """How long a plan of many stops is improved."""
    solver: SolverName | None = None
    """Which solver is asked first; None for PyVRP where it is installed."""
    command: tuple[str, ...] = (sys.executable, "-m", "gateways.routing.worker")
    turns: asyncio.Semaphore = field(init=False)
    waiting: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.turns = asyncio.Semaphore(self.at_once)

    async def plan(self, problem: RoutingProblem, budget: TimeBudget) -> RoutingPlan:
        if self.turns.locked() and self.waiting >= self.waiting_limit:
            raise PlannersBusy
        self.waiting += 1
        try:
            async with asyncio.timeout(budget.left):
                await self.turns.acquire()
        except TimeoutError:
            raise PlannersBusy from None
        finally:
            self.waiting -= 1
        try:
            return await self.plan_now(problem, budget)
        finally:
            self.turns.release()

    async def plan_now(self, problem: RoutingProblem, budget: TimeBudget) -> RoutingPlan:
        given = await asyncio.to_thread(write_problem, problem)
        longest = self.seconds_for(problem)
        first = self.solver or (SolverName.PYVRP if has_pyvrp() else SolverName.BUILT_IN)
        if first is SolverName.BUILT_IN:
            note = "" if self.solver else "PyVRP is not installed."
            return await self.run_solver(SolverName.BUILT_IN, given, longest, budget, note)
        try:
            return await self.run_solver(first, given, longest, budget.take_share(FIRST_SHARE))
        except PlanningFailed as failure:
            log.warning("routing.solver_failed", solver=first.value, reason=str(failure))
            return await self.run_solver(SolverName.BUILT_IN, given, longest, budget, str(failure))

    def seconds_for(self, problem: RoutingProblem) -> float:
        """How long the plan may be improved at most: more for more stops."""
        return min(SHORTEST_SECONDS + SECONDS_PER_STOP * len(problem.stops), self.seconds_limit)

    async def run_solver(
        self, solver: SolverName, given: bytes, longest: float, budget: TimeBudget, note: str = ""
    ) -> RoutingPlan:
        """What the process of a solver answers; it is killed when its time is up, or nobody waits for it."""
        seconds = min(longest, ASKED_SHARE * budget.left)
        process = await asyncio.create_subprocess_exec(
            *self.command,
            solver.value,
            str(seconds),
            str(PATIENCE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
            env=child_environment(),
        )
        try:
            async with asyncio.timeout(budget.left):
                answer, _ = await process.communicate(given)
        except TimeoutError:
            raise PlanningFailed(f"{solver.value} took too long.") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == NO_SOLUTION:
            raise PlanningFailed(f"{solver.value} has found no plan.")
        if process.returncode:
            raise PlanningFailed(f"{solver.value} has crashed.")
        return read_plan(answer, note)


def child_environment() -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def read_plan(data: bytes, note: str) -> RoutingPlan:
    """The plan that a process has written; PlanningFailed for anything else."""
    try:
        given = orjson.loads(data)
        routes = [
            Route(**{**each, "visits": tuple(Visit(**visit) for visit in each["visits"])})
            for each in given["routes"]
        ]
        left_out = [(index, LeftOutReason(reason)) for index, reason in given["left_out"]]
        return RoutingPlan(SolverName(given["solver"]), routes, left_out, note, given["tries"])
    except (ValueError, TypeError, KeyError) as error:
        raise PlanningFailed("The answer of the solver cannot be read.") from error
