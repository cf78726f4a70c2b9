"""The position of a courier on a delivery run."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.states import lock_delivery_run
from domain.delivery_run.stops import find_open_stops, lock_shipments
from domain.errors import Invalid, WrongState
from domain.events import DeliveryRunMoved, ShipmentMoved
from domain.outbox import record
from models import DeliveryRun, DeliveryRunStatus

POSITION_EVENT_INTERVAL = timedelta(seconds=10)
"""Couriers report every second or two; a position becomes an event at most this often."""
NEXT_STOPS_SHOWN = 3
"""How many of the next customers see the courier move."""


async def report_courier_position(
    session: AsyncSession, delivery_run_id: int, *, latitude: float, longitude: float, cause: Cause
) -> DeliveryRun:
    """Keep the courier's latest position, in degrees; an event of it every POSITION_EVENT_INTERVAL."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Invalid("Latitudes go from -90 to 90, longitudes from -180 to 180.", field=("latitude",))
    field = "delivery_run_id"
    run = await lock_delivery_run(session, delivery_run_id, courier_id=cause.person, field=field)
    if run.status is not DeliveryRunStatus.ACTIVE:
        raise WrongState("The courier is not on the road.", field=(field,))
    run.latitude, run.longitude, run.position_at = latitude, longitude, cause.now
    if run.announced_at is None or cause.now - run.announced_at >= POSITION_EVENT_INTERVAL:
        run.announced_at = cause.now
        record(session, DeliveryRunMoved(run), cause)
        next_stops = (await find_open_stops(session, run))[:NEXT_STOPS_SHOWN]
        shipments = await lock_shipments(session, [stop.shipment_id for stop in next_stops])
        for shipment in shipments.values():
            record(session, ShipmentMoved(shipment), cause)
    return run
