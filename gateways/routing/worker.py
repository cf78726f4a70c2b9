"""The process that plans: a problem comes in as JSON, the plan goes out as JSON, and the process ends.

`python -m gateways.routing.worker SOLVER SECONDS PATIENCE`; nothing of the shop is loaded in it. The seconds
are all it has: to read the problem, to load the solver, to find routes to begin with and to improve them.
"""

import os
import sys

import orjson

from gateways.routing.budget import TimeBudget, start_budget
from gateways.routing.insertion import solve_by_insertion
from gateways.routing.problem import (
    Place,
    RoutingPlan,
    RoutingProblem,
    RoutingStop,
    RoutingVehicle,
    SolverName,
)

NICENESS = 10
"""Requests have precedence over plans where processors are scarce."""
NO_SOLUTION = 3
"""How the process ends where the solver has found nothing that keeps all windows and capacities."""


def main() -> int:
    os.nice(NICENESS)
    solver, budget, patience = SolverName(sys.argv[1]), start_budget(float(sys.argv[2])), int(sys.argv[3])
    problem = read_problem(sys.stdin.buffer.read())
    plan = solve_problem(problem, solver, budget, patience)
    if plan is None:
        return NO_SOLUTION
    sys.stdout.buffer.write(orjson.dumps(plan))
    sys.stdout.buffer.flush()
    return 0


def solve_problem(
    problem: RoutingProblem, solver: SolverName, budget: TimeBudget, patience: int
) -> RoutingPlan | None:
    if solver is SolverName.BUILT_IN:
        return solve_by_insertion(problem, budget)
    from gateways.routing.with_pyvrp import NoSolution, solve_with_pyvrp  # an extra, and slow to load

    try:
        return solve_with_pyvrp(problem, budget, patience=patience)
    except NoSolution:
        return None


def write_problem(problem: RoutingProblem) -> bytes:
    """The problem as the process reads it."""
    return orjson.dumps(problem, default=sorted)


def read_problem(data: bytes) -> RoutingProblem:
    given = orjson.loads(data)
    stops = [
        RoutingStop(**{**each, "load": tuple(each["load"]), "skills": frozenset(each["skills"])})
        for each in given["stops"]
    ]
    vehicles = [
        RoutingVehicle(
            **{
                **each,
                "start": Place(each["start"]),
                "capacity": tuple(each["capacity"]),
                "skills": frozenset(each["skills"]),
                "locked": tuple(each["locked"]),
            }
        )
        for each in given["vehicles"]
    ]
    return RoutingProblem(
        stops, vehicles, given["distances"], given["durations"], must_visit_all=given["must_visit_all"]
    )


if __name__ == "__main__":
    raise SystemExit(main())
