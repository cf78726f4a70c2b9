"""When the parcels on a run arrive: by its plan, the stops ahead, and where its courier is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import ShipmentRescheduled
from domain.outbox import record_all
from domain.shipment.eta import is_expected
from geo import Point, distance_km
from models import DeliveryRunStop, Position, Shipment

ARRIVAL_CHANGES_BY = timedelta(minutes=3)
"""Customers are told a new time only where it differs by so much from the one that they know."""
FEWEST_MARGIN, MARGIN_SHARE = timedelta(minutes=15), 0.3
"""How much earlier or later a stop may be: a share of the time until then, but never less than this."""
ROAD_FACTOR, USUAL_KMH = 1.4, 20.0
"""Where the plan does not say how long the way is and how fast it goes."""


def schedule_stops(stops: Iterable[DeliveryRunStop], *, start: datetime) -> None:
    """Set the estimated time of each stop, one after the other from `start`; a courier who is early waits."""
    rows = list(stops)
    for stop, moment in zip(rows, times_of(rows, start), strict=True):
        stop.estimated_at = moment


def times_of(
    stops: Sequence[DeliveryRunStop], start: datetime, first_seconds: float | None = None
) -> list[datetime]:
    """When each stop ends; the way to the first one takes so long, or as long as planned."""
    times = []
    for position, stop in enumerate(stops):
        on_the_way = stop.travel_seconds if position or first_seconds is None else first_seconds
        start += timedelta(seconds=on_the_way)
        if stop.window_from is not None:
            start = max(start, stop.window_from + timedelta(seconds=stop.service_seconds))
        times.append(start)
    return times


def reschedule_from(
    stops: Sequence[DeliveryRunStop], position: Position, now: datetime
) -> Sequence[DeliveryRunStop]:
    """Set the times of open stops by where the courier is; those whose time has changed for their customers.

    Where all times are as good as before, nothing is set.
    """
    if not stops or (first_seconds := seconds_to(stops[0], position)) is None:
        return []
    times = times_of(stops, now, first_seconds)
    changed = [
        stop
        for stop, moment in zip(stops, times, strict=True)
        if abs(moment - stop.estimated_at) >= ARRIVAL_CHANGES_BY
    ]
    if changed:
        for stop, moment in zip(stops, times, strict=True):
            stop.estimated_at = moment
    return changed


def seconds_to(stop: DeliveryRunStop, position: Position) -> float | None:
    """How long the courier takes to the end of a stop, as fast as planned; None where it is not known
    where the stop is.
    """
    if stop.latitude is None or stop.longitude is None:
        return None
    here, there = Point(position.latitude, position.longitude), Point(stop.latitude, stop.longitude)
    driving = stop.travel_seconds - stop.service_seconds
    planned = stop.distance_metres / 1_000 / driving * 3_600 if stop.distance_metres and driving > 0 else 0.0
    kmh = planned or USUAL_KMH
    return distance_km(here, there) * ROAD_FACTOR / kmh * 3_600 + stop.service_seconds


async def record_new_times(
    session: AsyncSession,
    stops: Sequence[DeliveryRunStop],
    shipments: Mapping[int, Shipment],
    *,
    cause: Cause,
) -> None:
    """Record for the customers who wait when each of these stops is expected, and how many are before it;
    for those of them whose locked parcels are given. Who has the parcel already, or does not get it, is told
    nothing.
    """
    events = []
    for ahead, stop in enumerate(stops):
        shipment = shipments.get(stop.shipment_id)
        if shipment is not None and is_expected(shipment):
            expect_arrival(shipment, stop.estimated_at, now=cause.now)
            events.append(ShipmentRescheduled(shipment, estimated_at=stop.estimated_at, stops_ahead=ahead))
    await record_all(session, events, cause)


def expect_arrival(shipment: Shipment, expected_at: datetime, *, now: datetime) -> None:
    """A locked parcel that is on the way arrives when its run gets there."""
    if not is_expected(shipment):
        return
    margin = max(FEWEST_MARGIN, MARGIN_SHARE * (expected_at - now))
    shipment.eta_earliest_at = min(max(expected_at - margin, now), expected_at)
    shipment.eta_at, shipment.eta_latest_at = expected_at, expected_at + margin
