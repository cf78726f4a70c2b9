"""Journeys of parcels, read for many at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.eta.lanes import Journey, JourneyStep, ParcelLane
from geo import Point, find_point
from models import Carrier, CarrierConnection, Delivery, Shipment, ShipmentStatus, TrackingEvent, Warehouse
from models.sql.parameters import is_any_of

NO_REGION = ""
"""Where neither province nor city is known."""

POOL_OF = {each: each.value for each in (CarrierConnection.SIMULATED, CarrierConnection.OWN_COURIERS)}
"""Carriers whose parcels take seconds, or hours, say nothing of how long others take."""

StepsOfParcels = Mapping[int, Sequence[JourneyStep]]
"""What has happened to parcels, in order of time, by their ids."""


async def load_journeys(
    session: AsyncSession, shipments: Sequence[Shipment], steps: StepsOfParcels | None = None
) -> Mapping[int, Journey]:
    """The journeys of parcels that have left, by id; their steps are read unless they are given."""
    left = [(shipment, shipment.dispatched_at) for shipment in shipments if shipment.dispatched_at]
    if not left:
        return {}
    if steps is None:
        steps = await read_steps(session, [shipment.id for shipment, _ in left])
    starts = await load_ends(session, Warehouse, {shipment.warehouse_id for shipment, _ in left})
    ends = await load_ends(session, Delivery, {shipment.delivery_id for shipment, _ in left})
    found = await session.execute(select(Carrier.code, Carrier.service, Carrier.connection))
    carriers = {code: (service, POOL_OF.get(connection, "")) for code, service, connection in found}
    journeys = {}
    for shipment, dispatched_at in left:
        origin, start = starts[shipment.warehouse_id]
        destination, end = ends[shipment.delivery_id]
        service, pool = carriers.get(shipment.carrier, ("", "")) if shipment.carrier else ("", "")
        lane = ParcelLane(
            origin=origin,
            destination=destination,
            carrier=str(shipment.carrier or ""),
            service=service,
            dispatched_at=dispatched_at,
            start=start,
            end=end,
            pool=pool,
        )
        journeys[shipment.id] = Journey(lane, steps.get(shipment.id, ()))
    return journeys


async def read_steps(session: AsyncSession, shipment_ids: Collection[int]) -> StepsOfParcels:
    rows = await session.execute(
        select(
            TrackingEvent.shipment_id,
            TrackingEvent.occurred_at,
            TrackingEvent.status,
            TrackingEvent.latitude,
            TrackingEvent.longitude,
        )
        .where(TrackingEvent.shipment_id.in_(shipment_ids), TrackingEvent.revoked_at.is_(None))
        .order_by(TrackingEvent.occurred_at, TrackingEvent.received_at, TrackingEvent.id)
    )
    steps: defaultdict[int, list[JourneyStep]] = defaultdict(list)
    for shipment_id, occurred_at, status, latitude, longitude in rows:
        steps[shipment_id].append(build_step(occurred_at, status, latitude, longitude))
    return steps


def build_step(
    at: datetime, status: ShipmentStatus | None, latitude: float | None, longitude: float | None
) -> JourneyStep:
    return JourneyStep(at, status, point_at(latitude, longitude))


async def load_ends(
    session: AsyncSession, table: type[Warehouse] | type[Delivery], ids: Collection[int]
) -> dict[int, tuple[str, Point | None]]:
    """The regions of warehouses or deliveries and where they are on the map, by their ids."""
    rows = await session.execute(
        select(
            table.id,
            table.country_code,
            table.province,
            table.city,
            table.district,
            table.latitude,
            table.longitude,
        ).where(is_any_of(session, table.id, ids))
    )
    return {
        place_id: (
            f"{country_code}/{province or city or NO_REGION}",
            point_at(latitude, longitude) or find_point(province, city, district),
        )
        for place_id, country_code, province, city, district, latitude, longitude in rows
    }


def point_at(latitude: float | None, longitude: float | None) -> Point | None:
    return None if latitude is None or longitude is None else Point(latitude, longitude)
