"""How good planned routes are, and how long planning takes.

Solomon's instances, read from the folders given by `--folders` (NAME.txt as Solomon wrote them or NAME.vrp
as VRPLIB does, with NAME.sol beside it; some come with the project): the gap to the best-known distance, by
class, after `--seconds` for each. Distances are truncated to one decimal, as in the published figures. Beside
each gap stands how often the solver has tried and how busy the machine was; `--processor-time` counts the
seconds of the processor instead of those of the clock, so that other work costs nothing. Then towns of 30,
100, 300 and 1,000 stops, distances along straight lines: the time to plan, through a process of its own, and
what is saved against visiting the nearest stop next, and against the order in which the parcels came.
"""

import asyncio
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from math import dist
from pathlib import Path
from random import Random
from statistics import mean
from time import monotonic, perf_counter, process_time

import numpy as np
import vrplib

from bench.arguments import create_parser
from gateways.routing.budget import Clock, start_budget
from gateways.routing.matrix import StraightLines
from gateways.routing.planner import ProcessPlanner
from gateways.routing.problem import FOREVER, Place, RoutingProblem, RoutingStop, RoutingVehicle, SolverName
from gateways.routing.schedule import schedule_route
from gateways.routing.with_pyvrp import solve_with_pyvrp
from geo import Point

OWN_FOLDER = Path(__file__).parent / "data" / "solomon"
SIZES = (30, 100, 300, 1_000)
DECIMAL = 10
"""Distances and times of instances are whole tenths."""
STOPS_A_VEHICLE = 50
FORMATS = {".txt", ".vrp"}
"""Endings of files of instances."""
CLASS = re.compile(r"(RC|R|C)([12])")
SERVICE_SECONDS = 240
SPEED_KMH = 25.0
PLANNING_SECONDS = 14.0
"""The time of a whole plan, as a shop has it by default (ROUTE_PLANNING_DEADLINE)."""
MATRIX_SECONDS = PLANNING_SECONDS
TOWN_CENTRE, TOWN_DEGREES = Point(31.2, 121.45), 0.06


def read_instance(path: Path) -> RoutingProblem:
    """One of Solomon's instances: all customers have to be visited, and only the distance counts."""
    given = vrplib.read_instance(path, instance_format="solomon" if path.suffix == ".txt" else "vrplib")
    places = [tuple(map(float, each)) for each in given["node_coord"]]
    tenths = [[int(DECIMAL * dist(a, b)) for b in places] for a in places]
    windows = [(int(begins) * DECIMAL, int(ends) * DECIMAL) for begins, ends in given["time_window"]]
    service = np.broadcast_to(given["service_time"], len(places))  # one number in files of VRPLIB
    stops = [
        RoutingStop(
            Place(index),
            int(service[index]) * DECIMAL,
            *windows[index],
            load=(int(given["demand"][index]),),
        )
        for index in range(1, len(places))
    ]
    depot = Place(0)
    vehicle = RoutingVehicle(depot, depot, *windows[0], capacity=(int(given["capacity"]),), cost_per_km=1)
    vehicles = [vehicle] * int(given["vehicles"])
    return RoutingProblem(stops, vehicles, tenths, [tenths], must_visit_all=True)


def measure_gap(path: Path, seconds: float, clock: Clock) -> tuple[float, int]:
    """How much longer the plan of an instance is than the best one known, in percent; and the tries."""
    plan = solve_with_pyvrp(read_instance(path), start_budget(seconds, clock))
    found = sum(route.distance for route in plan.routes) / DECIMAL
    best = float(vrplib.read_solution(path.with_suffix(".sol"))["cost"])
    return 100 * (found / best - 1), plan.tries


def measure_instances(
    folders: Sequence[Path], seconds: float, names: Sequence[str], clock: Clock = monotonic
) -> dict[str, float]:
    """The mean gap of each class of instances, printed as they are solved."""
    gaps: defaultdict[str, list[float]] = defaultdict(list)
    for path in sorted(each for folder in folders for each in folder.iterdir() if each.suffix in FORMATS):
        kind = CLASS.match(path.stem.upper())
        if kind is None or not path.with_suffix(".sol").exists() or (names and path.stem not in names):
            continue
        gap, tries = measure_gap(path, seconds, clock)
        gaps[kind[0]].append(gap)
        load = os.getloadavg()[0]
        print(f"{path.stem:>8}  gap {gap:5.2f} %  {tries:>7,} tries, load {load:.1f}", flush=True)
    for name, found in sorted(gaps.items()):
        print(
            f"class {name:>3}: {len(found)} instances, mean gap {mean(found):.2f} %, worst {max(found):.2f} %"
        )
    return {name: mean(found) for name, found in gaps.items()}


async def build_town(count: int) -> RoutingProblem:
    """Stops around a depot, as many vehicles as are needed, and straight lines between them."""
    random = Random(count)
    points = [TOWN_CENTRE] + [
        Point(
            TOWN_CENTRE.latitude + random.gauss(0, TOWN_DEGREES),
            TOWN_CENTRE.longitude + random.gauss(0, TOWN_DEGREES),
        )
        for _ in range(count)
    ]
    table = await StraightLines().measure(points, start_budget(MATRIX_SECONDS))
    stops = [
        RoutingStop(Place(place), SERVICE_SECONDS, 0, FOREVER, load=(1,)) for place in range(1, count + 1)
    ]
    depot = Place(0)
    vehicle = RoutingVehicle(depot, depot, capacity=(STOPS_A_VEHICLE,), cost_per_km=1)
    vehicles = [vehicle] * -(-count // STOPS_A_VEHICLE)
    return RoutingProblem(stops, vehicles, table.metres, [table.seconds_at(SPEED_KMH)])


def length_of(problem: RoutingProblem, order: Sequence[int]) -> int:
    """Metres, when each vehicle takes as many stops as fit, in this order."""
    parts = [order[start : start + STOPS_A_VEHICLE] for start in range(0, len(order), STOPS_A_VEHICLE)]
    return sum(schedule_route(problem, index, part).distance for index, part in enumerate(parts))


def nearest_order(problem: RoutingProblem) -> list[int]:
    """The stops as a courier visits them who always goes on to the nearest one left."""
    left, order, here = set(range(len(problem.stops))), list[int](), Place(0)
    while left:
        if len(order) % STOPS_A_VEHICLE == 0:
            here = Place(0)
        at = here
        nearest = min(left, key=lambda index: (problem.distances[at][problem.stops[index].place], index))
        left.remove(nearest)
        order.append(nearest)
        here = problem.stops[nearest].place
    return order


async def measure_town(count: int, seconds: float, solver: SolverName | None) -> None:
    budget = start_budget(PLANNING_SECONDS)
    began = perf_counter()
    problem = await build_town(count)
    measured = perf_counter()
    plan = await ProcessPlanner(seconds_limit=seconds, solver=solver).plan(problem, budget)
    planned = perf_counter()
    metres = sum(route.distance for route in plan.routes)
    nearest, arrival = (
        length_of(problem, order) for order in (nearest_order(problem), range(len(problem.stops)))
    )
    print(
        f"{count:>5} stops: matrix {measured - began:.2f} s, plan {planned - measured:.2f} s by"
        f" {plan.solver.value}, {metres / 1_000:,.0f} km; {100 * (1 - metres / nearest):.0f} % less than"
        f" nearest first, {100 * (1 - metres / arrival):.0f} % less than in order of arrival;"
        f" left out {len(plan.left_out)}",
        flush=True,
    )


def main() -> int:
    parser = create_parser(__doc__)
    parser.add_argument("values", nargs="*", help="names of benches")
    parser.add_argument("--folders", nargs="*", type=Path, default=[OWN_FOLDER], help="where instances are")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each instance and each town")
    parser.add_argument("--instances", nargs="*", default=[], help="only these, such as R101")
    parser.add_argument("--processor-time", action="store_true", help="seconds of the processor")
    parser.add_argument(
        "--towns", nargs="*", type=int, default=list(SIZES), help="how many stops; none without"
    )
    parser.add_argument("--solver", type=SolverName, help="of the towns; PYVRP, else BUILT_IN, without")
    given, _ = parser.parse_known_args()
    clock = process_time if given.processor_time else monotonic
    gaps = measure_instances(given.folders, given.seconds, given.instances, clock)
    for count in given.towns:
        asyncio.run(measure_town(count, given.seconds, given.solver))
    return 0 if gaps else 1


if __name__ == "__main__":
    raise SystemExit(main())
