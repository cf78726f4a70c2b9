"""Problems of routing along streets of a plain town, where everything can be reckoned by hand."""

from collections.abc import Sequence
from math import dist
from random import Random

from gateways.routing.problem import (
    FOREVER,
    Place,
    Route,
    RoutingPlan,
    RoutingProblem,
    RoutingStop,
    RoutingVehicle,
)

DEPOT = Place(0)
HOUR = 3_600
METRES_PER_SECOND = 10

Spot = tuple[int, int]
"""Metres to the east and to the north of the depot."""


def town(
    spots: Sequence[Spot], stops: Sequence[RoutingStop], vehicles: Sequence[RoutingVehicle]
) -> RoutingProblem:
    """A problem whose first place is the depot at (0, 0); vehicles drive straight, 10 m a second."""
    places = [(0, 0), *spots]
    metres = [[round(dist(a, b)) for b in places] for a in places]
    seconds = [[way // METRES_PER_SECOND for way in row] for row in metres]
    return RoutingProblem(stops, vehicles, metres, [seconds])


def stop(
    place: int,
    *,
    load: int = 1,
    earliest: int = 0,
    latest: int = FOREVER,
    skills: Sequence[str] = (),
    priority: int = 0,
) -> RoutingStop:
    return RoutingStop(Place(place), 60, earliest, latest, (load,), frozenset(skills), priority)


def vehicle(
    *,
    capacity: int | None = 100,
    latest: int = 10 * HOUR,
    skills: Sequence[str] = (),
    locked: tuple[int, ...] = (),
) -> RoutingVehicle:
    return RoutingVehicle(
        DEPOT,
        DEPOT,
        0,
        latest,
        (capacity,),
        frozenset(skills),
        cost_per_km=100,
        cost_per_hour=3_000,
        locked=locked,
    )


def random_town(count: int, vehicles: int, *, seed: int = 1) -> RoutingProblem:
    """Stops all over a town of 20 km, some with narrow windows, skills and priorities."""
    random = Random(seed)
    spots = [(random.randint(-10_000, 10_000), random.randint(-10_000, 10_000)) for _ in range(count)]
    stops = []
    for place in range(1, count + 1):
        earliest = random.choice([0, 0, random.randint(0, 6 * HOUR)])
        stops.append(
            stop(
                place,
                load=random.randint(1, 20),
                earliest=earliest,
                latest=earliest + 2 * HOUR if earliest else FOREVER,
                skills=random.choice([(), (), ("COLD",)]),
                priority=random.randint(0, 3),
            )
        )
    fleet = [vehicle(capacity=120, skills=("COLD",) if index % 2 else ()) for index in range(vehicles)]
    return town(spots, stops, fleet)


def orders_of(routes: Sequence[Route]) -> list[list[int]]:
    """The stops of each route, in their order."""
    return [[visit.stop for visit in route.visits] for route in routes]


def assert_kept(problem: RoutingProblem, plan: RoutingPlan) -> None:
    """Every stop is visited once or left out; windows, shifts, capacities, skills and locks are kept."""
    visited = [stop for order in orders_of(plan.routes) for stop in order]
    left_out = [index for index, _ in plan.left_out]
    assert sorted([*visited, *left_out]) == list(range(len(problem.stops)))
    for route in plan.routes:
        driver = problem.vehicles[route.vehicle]
        order = [visit.stop for visit in route.visits]
        assert order[: len(driver.locked)] == list(driver.locked)
        here, now, metres, carried = driver.start, route.departs, 0, 0
        assert route.departs >= driver.earliest or not order
        for visit in route.visits:
            door = problem.stops[visit.stop]
            assert door.skills <= driver.skills
            assert visit.arrives == now + problem.durations[driver.profile][here][door.place]
            assert visit.begins == max(visit.arrives, door.earliest) <= door.latest
            now = visit.begins + door.service
            assert visit.leaves == now
            metres += problem.distances[here][door.place]
            carried += door.load[0]
            here = door.place
        if order and driver.end is not None:
            now += problem.durations[driver.profile][here][driver.end]
            metres += problem.distances[here][driver.end]
        assert (route.returns, route.distance) == ((now, metres) if order else (0, 0))
        assert route.returns <= driver.latest
        limit = driver.capacity[0]
        assert limit is None or carried <= limit
