"""The order of stops for one courier whose parcels are given: nothing is left out, nothing is limited."""

from collections.abc import Sequence
from datetime import timedelta

from domain.delivery_run import PlannedStop, StopTerms
from events.delivery_run.planning import ask_planner, door_of
from events.delivery_run.problem import PlaceTable, measure_places, start_planning
from events.types import Resources
from gateways.routing.problem import RoutingProblem, RoutingStop, RoutingVehicle, Visit
from geo import Point
from loaders.shipment import ShipmentRoute

UNKNOWN_LEG = timedelta(minutes=20)
"""How long it takes to a door of which nobody knows where it is."""


async def order_stops(
    resources: Resources, start: Point | None, routes: Sequence[ShipmentRoute]
) -> list[PlannedStop]:
    """Every parcel once, in the best order from the start; those whose place is unknown come last."""
    service = resources.settings.routing.service_time
    doors = [(route, point) for route in routes if (point := door_of(route))]
    unknown = [route for route in routes if door_of(route) is None]
    visits: Sequence[Visit] = ()
    if doors:
        places = PlaceTable()
        stops = [RoutingStop(places.add(point), round(service.total_seconds())) for _, point in doors]
        vehicle = RoutingVehicle(places.add(start or doors[0][1]))
        budget, speed = start_planning(resources), resources.settings.routing.speed_kmh
        table, durations = await measure_places(resources, places, [speed], budget)
        problem = RoutingProblem(stops, [vehicle], table.metres, durations, must_visit_all=True)
        visits = (await ask_planner(resources, problem, budget)).routes[0].visits
    terms = StopTerms(service=service)
    planned, left = [], 0
    for visit in visits:
        route, point = doors[visit.stop]
        planned.append(
            PlannedStop(
                route.shipment.id,
                timedelta(seconds=visit.leaves - left),
                point.latitude,
                point.longitude,
                distance_metres=visit.distance,
                terms=terms,
            )
        )
        left = visit.leaves
    return planned + [PlannedStop(route.shipment.id, UNKNOWN_LEG, terms=terms) for route in unknown]
