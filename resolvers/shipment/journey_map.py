"""The map of a parcel's way: where its events were and when, where it is now, and the district it goes to.

Nobody else's stops are on it, and not the door that it goes to. By a tracking link only cities are told.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.delivery_run import is_of_courier
from domain.stock import point_of_place, point_of_warehouse
from geo import City, Point, city_around, distance_km, find_city
from geo.drawing import Look, MapDrawing, MapRow, Mark, Trace, Track, draw_map
from loaders.delivery_run import ActiveStop
from models import Delivery, Shipment, ShipmentStatus, TrackingEvent, Warehouse
from resolvers.context import Info
from resolvers.map_texts import MapReader, join_texts
from resolvers.shipment.tracking import TRACKING_MESSAGES, UNKNOWN_STEP, active_stops
from text.messages import Message, choose_language

ROWS_SHOWN = 40
"""Events in the list of a map, the newest ones; the way on the map has all."""
SAME_PLACE_KM = 3.0
"""Two events that are not further apart were at one place."""
DISTRICT_DIGITS = 1
"""Of degrees, where no table knows the centre of the district: about ten kilometres."""
AT_THE_DOOR = frozenset({ShipmentStatus.DELIVERED, ShipmentStatus.DELIVERY_FAILED})
TURNED_BACK = frozenset({ShipmentStatus.RETURNING, ShipmentStatus.RETURNED})
TROUBLE = frozenset({ShipmentStatus.DELIVERY_FAILED, ShipmentStatus.ON_HOLD, ShipmentStatus.EXPIRED})

LEGEND = {
    Look.DEPOT: Message("Warehouse"),
    Look.GOAL: Message("Destination"),
    Look.MOVING: Message("Courier"),
    Look.DONE: Message("Passed"),
    Look.NEXT: Message("Last reported"),
    Look.FAILED: Message("Trouble"),
}


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place and what it is called; it may have only one of both."""

    name: str = ""
    point: Point | None = None


NOWHERE = NamedPlace()


@dataclass(frozen=True, slots=True)
class MappedJourney:
    """What the map of a parcel shows, as far as its reader may know it."""

    shipment: Shipment
    title: Message
    start: NamedPlace
    goal: NamedPlace
    events: Sequence[TrackingEvent]
    place_of: Callable[[TrackingEvent], NamedPlace]
    """Where an event was; NOWHERE for one that tells no place of its own."""
    courier: NamedPlace | None = None


@dataclass(frozen=True, slots=True)
class JourneyVisit:
    """A place of the way with its number."""

    number: int
    place: NamedPlace
    look: Look


@dataclass(frozen=True, slots=True)
class EventPlace:
    """Where an event was: the number of the visit, 0 where the map does not have it, and its name."""

    number: int
    name: str


async def journey_maps(shipments: Sequence[Shipment], info: Info) -> list[str]:
    """A map of its way as SVG: the places and times of its events, where it is now, and the district it goes
    to, without the door and without the stops of anybody else.
    """
    now = info.context.now
    kept = info.context.shop.settings.routing.positions_kept
    drawn = []
    for parcel, stop in zip(
        await load_parcels(shipments, info), await active_stops(shipments, info), strict=True
    ):
        number, status = parcel.shipment.number, parcel.shipment.status
        drawn.append(
            await draw_for(
                MappedJourney(
                    shipment=parcel.shipment,
                    title=Message("Parcel {number}: {status}", number=number, status=status),
                    start=place_of_warehouse(parcel.warehouse),
                    goal=district_of(parcel.delivery),
                    events=parcel.events,
                    place_of=reported_place,
                    courier=find_courier(stop, now, kept, MapReader.of(info.context.viewer_of(info))),
                ),
                info,
            )
        )
    return drawn


async def tracked_journey_maps(shipments: Sequence[Shipment], info: Info) -> list[str]:
    """A map of its way as SVG: the cities and times of its events, and the city it goes to."""
    return [
        await draw_for(
            MappedJourney(
                shipment=parcel.shipment,
                title=Message("Parcel: {status}", status=parcel.shipment.status),
                start=city_of_warehouse(parcel.warehouse),
                goal=city_of_delivery(parcel.delivery),
                events=parcel.events,
                place_of=reported_city,
            ),
            info,
        )
        for parcel in await load_parcels(shipments, info)
    ]


@dataclass(frozen=True, slots=True)
class MappedParcel:
    """A parcel with its events and the two ends of its way."""

    shipment: Shipment
    events: Sequence[TrackingEvent]
    warehouse: Warehouse | None
    delivery: Delivery | None


async def load_parcels(shipments: Sequence[Shipment], info: Info) -> list[MappedParcel]:
    """Parcels and what their maps show, without events found untrue; one statement for each kind."""
    load = info.context.load
    events = await load.shipment_events.load_many([each.id for each in shipments])
    warehouses = await load.warehouse.load_many([each.warehouse_id for each in shipments])
    deliveries = await load.delivery.load_many([each.delivery_id for each in shipments])
    return [
        MappedParcel(shipment, [event for event in reported if event.revoked_at is None], warehouse, delivery)
        for shipment, reported, warehouse, delivery in zip(
            shipments, events, warehouses, deliveries, strict=True
        )
    ]


async def draw_for(journey: MappedJourney, info: Info) -> str:
    drawn = draw_journey(journey, MapReader.of(info.context.viewer_of(info)))
    await asyncio.sleep(0)  # a map takes milliseconds: others may be answered between two
    return drawn


# --- places


def place_of_warehouse(warehouse: Warehouse | None) -> NamedPlace:
    return NamedPlace(warehouse.name, point_of_warehouse(warehouse)) if warehouse else NOWHERE


def city_of_warehouse(warehouse: Warehouse | None) -> NamedPlace:
    if warehouse is None:
        return NOWHERE
    point = point_of_place(warehouse.country_code, warehouse.province, warehouse.city, "")
    return NamedPlace(warehouse.city, point)


def district_of(delivery: Delivery | None) -> NamedPlace:
    """The district that a delivery goes to, and its centre; never the door."""
    if delivery is None:
        return NOWHERE
    city, district = delivery.city, delivery.district
    name = " ".join(dict.fromkeys(part for part in (city, district) if part))
    point = point_of_place(delivery.country_code, delivery.province, city, district)
    if point is None and delivery.latitude is not None and delivery.longitude is not None:
        point = Point(round(delivery.latitude, DISTRICT_DIGITS), round(delivery.longitude, DISTRICT_DIGITS))
    return NamedPlace(name, point)


def city_of_delivery(delivery: Delivery | None) -> NamedPlace:
    """The city that a delivery goes to; its point only where the table of areas has it."""
    if delivery is None:
        return NOWHERE
    point = point_of_place(delivery.country_code, delivery.province, delivery.city, "")
    return NamedPlace(delivery.city if point else "", point)


def reported_place(event: TrackingEvent) -> NamedPlace:
    """Where a carrier says an event was. Where a courier of the shop was is forgotten: no event tells it."""
    city = find_city(event.location)
    if event.position and not is_of_courier(event):
        point = Point(event.position.latitude, event.position.longitude)
        near = city_around(point)
        return NamedPlace(event.location or (near.name if near else ""), point)
    return NamedPlace(event.location, city.point if city else None)


def reported_city(event: TrackingEvent) -> NamedPlace:
    """The city where an event was; NOWHERE where none is known."""
    city: City | None
    if event.position and not is_of_courier(event):
        city = city_around(Point(event.position.latitude, event.position.longitude))
    else:
        city = find_city(event.location)
    return NamedPlace(city.name, city.point) if city else NOWHERE


def find_courier(
    stop: ActiveStop | None, now: datetime, kept: timedelta, reader: MapReader
) -> NamedPlace | None:
    """Where the courier is who is bringing it now; None without one, and after a day."""
    position = stop.run.position if stop else None
    if position is None or now - position.at >= kept:
        return None
    return NamedPlace(reader.clock(position.at, now), Point(position.latitude, position.longitude))


# --- the map


def draw_journey(journey: MappedJourney, reader: MapReader) -> str:
    visits, event_places = list_visits(journey)
    marks = [
        Mark(visit.place.point, visit.look, visit.number, visit.place.name)
        for visit in visits
        if visit.place.point
    ]
    for place, look in (
        (journey.start, Look.DEPOT),
        (journey.goal, Look.GOAL),
        (journey.courier, Look.MOVING),
    ):
        if place and place.point:
            marks.append(Mark(place.point, look, name=place.name))
    seen = {mark.look for mark in marks}
    hidden = max(0, len(journey.events) - ROWS_SHOWN)
    notes = (
        [Message("{count} earlier event.", plural="{count} earlier events.", count=hidden)] if hidden else []
    )
    if not marks:
        notes.append(Message("No place is known."))
    return draw_map(
        MapDrawing(
            title=reader.text(journey.title),
            language=choose_language(reader.language),
            write_km=reader.length,
            facts=write_facts(journey, reader),
            marks=marks,
            tracks=trace_journey(journey, [visit.place.point for visit in visits if visit.place.point]),
            legend=[(look, reader.text(text)) for look, text in LEGEND.items() if look in seen],
            rows=list_rows(journey, event_places, visits, reader)[hidden:],
            notes=[reader.text(note) for note in notes],
        )
    )


def list_visits(journey: MappedJourney) -> tuple[list[JourneyVisit], list[EventPlace]]:
    """The places of the way in their order, and for each event where it was.

    Events that follow each other at one place are one visit. At the door is where it goes to.
    """
    places: list[NamedPlace] = []
    troubles: list[bool] = []
    event_places = []
    for event in journey.events:
        place = journey.goal if event.status in AT_THE_DOOR else journey.place_of(event)
        if place.point is None:
            event_places.append(EventPlace(0, place.name))
            continue
        if not places or not is_same(places[-1], place):
            places.append(place)
            troubles.append(False)
        troubles[-1] = event.status in TROUBLE
        event_places.append(EventPlace(len(places), place.name))
    looks = [Look.FAILED if trouble else Look.DONE for trouble in troubles]
    if looks and looks[-1] is Look.DONE and journey.shipment.delivered_at is None:
        looks[-1] = Look.NEXT
    visits = [
        JourneyVisit(at, place, look) for at, (place, look) in enumerate(zip(places, looks, strict=True), 1)
    ]
    return visits, event_places


def is_same(one: NamedPlace, other: NamedPlace) -> bool:
    if one.point is None or other.point is None:
        return False
    return distance_km(one.point, other.point) <= SAME_PLACE_KM


def trace_journey(journey: MappedJourney, visited: Sequence[Point]) -> list[Track]:
    """The way it has gone, and a straight line to where it goes: to the shop where it has turned back."""
    start, goal = ([place.point] if place.point else [] for place in (journey.start, journey.goal))
    here = [journey.courier.point] if journey.courier and journey.courier.point else []
    gone = [*start, *visited, *here]
    if journey.shipment.delivered_at is not None:
        return [Track([*gone, *goal], Trace.GONE)]
    back = journey.shipment.status in TURNED_BACK
    ahead = Track([*gone[-1:], *(start if back else goal)], Trace.AHEAD)
    return [Track(gone, Trace.GONE), ahead]


def write_facts(journey: MappedJourney, reader: MapReader) -> list[str]:
    shipment = journey.shipment
    ways = [Message("From {place}", place=journey.start.name)] if journey.start.name else []
    if journey.goal.name:
        ways.append(Message("To {place}", place=journey.goal.name))
    expected = shipment.eta.expected_at if shipment.eta else shipment.estimated_at
    times = []
    if shipment.delivered_at:
        times.append(Message("Arrived {moment}", moment=shipment.delivered_at))
    elif expected:
        times.append(Message("Expected {moment}", moment=expected))
    return [line for part in (ways, times) if (line := join_texts(*map(reader.text, part)))]


def list_rows(
    journey: MappedJourney,
    event_places: Sequence[EventPlace],
    visits: Sequence[JourneyVisit],
    reader: MapReader,
) -> list[MapRow]:
    """The events in their order: when and where, and what happened."""
    return [
        MapRow(
            place.number,
            visits[place.number - 1].look if place.number else Look.PLAIN,
            join_texts(reader.clock(event.occurred_at), place.name),
            reader.text(TRACKING_MESSAGES[event.status] if event.status else UNKNOWN_STEP),
        )
        for event, place in zip(journey.events, event_places, strict=True)
    ]
