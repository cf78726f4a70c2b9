"""Where a courier is on a delivery run: what is believed, what is kept, and when it is deleted."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.arrivals import record_new_times, reschedule_from
from domain.delivery_run.driving import COURIER_CODE
from domain.delivery_run.states import lock_delivery_run
from domain.delivery_run.stops import find_open_stops, lock_shipments
from domain.errors import DomainError, ErrorCode, Invalid, WrongState
from domain.events import DeliveryRunMoved, ShipmentMoved
from domain.outbox import record
from domain.shipment.eta import is_expected
from domain.stock import point_of_warehouse
from geo import Point, distance_km
from models import (
    CourierPosition,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Position,
    TrackingEvent,
    Warehouse,
)
from models.sql.types import AnySelect

POSITION_EVENT_INTERVAL = timedelta(seconds=10)
"""Couriers report every second or two; a position becomes an event, and moves times, at most this often."""
NEXT_STOPS_SHOWN = 3
"""How many of the next customers see the courier move."""
CLOCKS_DIFFER_BY = timedelta(minutes=2)
"""A device whose clock is further ahead is not believed."""
INACCURACY_KM = 0.3
"""How far a position may be beside the truth: between walls it jumps by so much at once."""
NEAR_KM = 50
"""A first position so near to the depot or to a stop is believed at once."""
KEPT_EVERY = timedelta(seconds=30)
KEPT_AFTER_KM = 0.05
KEPT_AT_LEAST_EVERY = timedelta(minutes=5)
"""A position is kept when it is so much later and so far away from the one before, or much later."""
SECONDS_PER_HOUR = 3_600


class ImplausiblePosition(DomainError):
    code = ErrorCode.IMPLAUSIBLE


async def report_courier_position(
    session: AsyncSession,
    delivery_run_id: int,
    position: Position,
    *,
    speed_limit_kmh: int = 200,
    cause: Cause,
) -> DeliveryRun:
    """Keep where the courier is; an event of it, and new times of the stops, every POSITION_EVENT_INTERVAL.

    A position that is not newer than the last one changes nothing; ImplausiblePosition for one of the future,
    or so far away that nobody drives there in the time between. A first one that is far from the depot and
    all stops is shown to nobody until a second one agrees with it.
    """
    if not (-90 <= position.latitude <= 90 and -180 <= position.longitude <= 180):
        raise Invalid("Latitudes go from -90 to 90, longitudes from -180 to 180.", field=("latitude",))
    field = "delivery_run_id"
    run = await lock_delivery_run(session, delivery_run_id, courier_id=cause.person, field=field)
    if run.status is not DeliveryRunStatus.ACTIVE:
        raise WrongState("The courier is not on the road.", field=(field,))
    if position.at > cause.now + CLOCKS_DIFFER_BY:
        raise ImplausiblePosition("This position is of the future.", field=("at",))
    if not is_newer(run, position):
        return run
    if not await is_believed(session, run, position, speed_limit_kmh):
        run.doubted_latitude, run.doubted_longitude = position.latitude, position.longitude
        run.doubted_at = position.at
        return run
    run.doubted_latitude = run.doubted_longitude = run.doubted_at = None
    await keep_position(session, run, position)
    run.latitude, run.longitude, run.position_at = position.latitude, position.longitude, position.at
    if run.announced_at is None or cause.now - run.announced_at >= POSITION_EVENT_INTERVAL:
        run.announced_at = cause.now
        record(session, DeliveryRunMoved(run), cause)
        await tell_customers(session, run, position, cause=cause)
    return run


async def tell_customers(
    session: AsyncSession, run: DeliveryRun, position: Position, *, cause: Cause
) -> None:
    """Record for the next customers that the courier has moved, and for all who wait where their time is
    another one by that: in as many statements whether it is or not.
    """
    stops = await find_open_stops(session, run)
    moved = {stop.shipment_id for stop in stops[:NEXT_STOPS_SHOWN]}
    changed = {stop.shipment_id for stop in reschedule_from(stops, position, cause.now)}
    shipments = await lock_shipments(session, sorted(moved | changed))
    for id in sorted(shipments.keys() & moved):
        if is_expected(shipments[id]):
            record(session, ShipmentMoved(shipments[id]), cause)
    await record_new_times(
        session, stops, {id: shipments[id] for id in shipments.keys() & changed}, cause=cause
    )


def is_newer(run: DeliveryRun, position: Position) -> bool:
    """Whether a position was taken on this run, and after the last one."""
    begins = max((run.started_at or run.planned_at) - CLOCKS_DIFFER_BY, run.planned_at)
    last = run.position_at or run.doubted_at
    return position.at >= begins and (last is None or position.at > last)


async def is_believed(
    session: AsyncSession, run: DeliveryRun, position: Position, speed_limit_kmh: int
) -> bool:
    """Whether a position is shown: one that can be driven to from the last one, or near the run's places.

    ImplausiblePosition where nobody drives there in the time between, unless the last one was far from all
    places of the run, and this one is not: then the last one was wrong.
    """
    before = run.position
    if before is not None:
        if is_reachable(before, position, speed_limit_kmh):
            return True
        places = await find_places(session, run)
        if is_near(places, position) and not is_near(places, before):
            return True
        raise ImplausiblePosition(
            "Nobody drives that far in this time: at most {limit} km/h.",
            limit=speed_limit_kmh,
            field=("latitude",),
        )
    if run.doubted_position and is_reachable(run.doubted_position, position, speed_limit_kmh):
        return True
    places = await find_places(session, run)
    return not places or is_near(places, position)


async def find_places(session: AsyncSession, run: DeliveryRun) -> list[Point]:
    """Where a run goes: its depot and all its stops, as far as it is known where they are."""
    warehouse = await session.get_one(Warehouse, run.warehouse_id)
    rows = await session.execute(
        select(DeliveryRunStop.latitude, DeliveryRunStop.longitude).where(
            DeliveryRunStop.delivery_run_id == run.id, DeliveryRunStop.latitude.is_not(None)
        )
    )
    places = [
        Point(latitude, longitude)
        for latitude, longitude in rows
        if latitude is not None and longitude is not None
    ]
    depot = point_of_warehouse(warehouse)
    return [depot, *places] if depot else places


def is_near(places: Iterable[Point], position: Position) -> bool:
    here = Point(position.latitude, position.longitude)
    return any(distance_km(here, place) <= NEAR_KM for place in places)


def is_reachable(before: Position, position: Position, limit_kmh: int) -> bool:
    """Whether somebody drives from one position to the other in the time between."""
    hours = (position.at - before.at).total_seconds() / SECONDS_PER_HOUR
    return kilometres_between(before, position) <= limit_kmh * hours + INACCURACY_KM


def kilometres_between(before: Position, after: Position) -> float:
    return distance_km(Point(before.latitude, before.longitude), Point(after.latitude, after.longitude))


async def keep_position(session: AsyncSession, run: DeliveryRun, position: Position) -> None:
    """Add a position to the trail of a run, where it is far enough from the last one there."""
    last = await session.scalar(
        select(CourierPosition)
        .where(CourierPosition.delivery_run_id == run.id)
        .order_by(CourierPosition.at.desc())
        .limit(1)
    )
    if last is not None:
        time = position.at - last.at
        way = kilometres_between(Position(last.latitude, last.longitude, last.at), position)
        if time < KEPT_AT_LEAST_EVERY and (time < KEPT_EVERY or way < KEPT_AFTER_KM):
            return
    session.add(
        CourierPosition(
            delivery_run_id=run.id,
            latitude=position.latitude,
            longitude=position.longitude,
            at=position.at,
        )
    )


def select_runs_with_old_positions(before: datetime) -> AnySelect:
    """The ids of runs that know where their courier was before a moment."""
    old = select(CourierPosition.delivery_run_id).where(CourierPosition.at <= before)
    return (
        select(DeliveryRun.id)
        .where(
            or_(DeliveryRun.position_at <= before, DeliveryRun.doubted_at <= before, DeliveryRun.id.in_(old))
        )
        .order_by(DeliveryRun.id)
    )


async def forget_positions(session: AsyncSession, delivery_run_id: int, *, before: datetime) -> None:
    """Delete the positions of a run that were taken before a moment, also from what was tracked there.

    A tracking event has the position of its run at that time: with the last one all of them are gone.
    """
    run = await lock_delivery_run(session, delivery_run_id)
    await session.execute(
        delete(CourierPosition).where(CourierPosition.delivery_run_id == run.id, CourierPosition.at <= before)
    )
    is_last = run.position_at is None or run.position_at <= before
    tracked = select_tracked_positions(run)
    await session.execute(
        update(TrackingEvent)
        .where(*(tracked if is_last else (*tracked, TrackingEvent.occurred_at <= before)))
        .values(latitude=None, longitude=None)
        .execution_options(synchronize_session=False)
    )
    if is_last:
        run.latitude = run.longitude = run.position_at = None
    if run.doubted_at is not None and run.doubted_at <= before:
        run.doubted_latitude = run.doubted_longitude = run.doubted_at = None


def select_tracked_positions(run: DeliveryRun) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the tracking events that say where the courier of a run was."""
    parcels = select(DeliveryRunStop.shipment_id).where(DeliveryRunStop.delivery_run_id == run.id)
    return (
        TrackingEvent.shipment_id.in_(parcels),
        TrackingEvent.code.startswith(f"{COURIER_CODE}{run.id}-"),
        TrackingEvent.latitude.is_not(None),
    )
