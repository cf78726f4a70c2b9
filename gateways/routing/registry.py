"""Which distances and which planner the shop has, by its settings."""

import httpx

from gateways.routing.matrix import Matrix, MatrixWithFallback, StraightLines
from gateways.routing.osrm import OsrmMatrix
from gateways.routing.planner import ProcessPlanner, RoutePlanner
from settings import Settings


def connect_matrix(settings: Settings, client: httpx.AsyncClient) -> Matrix:
    """The road service where there is one, and straight lines without one or while it does not answer."""
    routing = settings.routing
    straight = StraightLines(routing.road_factor)
    if not routing.osrm_address:
        return straight
    roads = OsrmMatrix(client, routing.osrm_address, routing.osrm_places, straight=straight)
    return MatrixWithFallback(roads, straight)


def create_planner(settings: Settings) -> RoutePlanner:
    routing = settings.routing
    return ProcessPlanner(
        at_once=routing.planners,
        waiting_limit=routing.planners_waiting,
        seconds_limit=routing.planning_time.total_seconds(),
    )
