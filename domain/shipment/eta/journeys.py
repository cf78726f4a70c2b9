"""Journeys of parcels, read for many at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.place import point_of
from domain.shipment.eta.lanes import Journey, JourneyStep, ParcelLane
from geo import Point, find_point
from models import Carrier, Delivery, Shipment, TrackingEvent, Warehouse

NO_REGION = ""
"""Where neither province nor city is known."""


async def load_journeys(
    session: AsyncSession,
    shipment_ids: Sequence[int],
    new_events: Sequence[TrackingEvent] = (),
) -> Mapping[int, Journey]:
    """The journeys of parcels that have left, by id; new events may not be written yet."""
    if not shipment_ids:
        return {}
    rows = await session.execute(
        select(Shipment, Warehouse, Delivery)
        .join(Warehouse, Warehouse.id == Shipment.warehouse_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.id.in_(shipment_ids))
    )
    found = await session.execute(select(Carrier.code, Carrier.service))
    services = {code: service for code, service in found}  # noqa: C416 - rows have a type each
    lanes = {
        shipment.id: ParcelLane(
            origin=region_of(warehouse),
            destination=region_of(delivery),
            carrier=str(shipment.carrier or ""),
            service=services.get(shipment.carrier, "") if shipment.carrier else "",
            dispatched_at=shipment.dispatched_at,
            start=point_of(warehouse) or find_point(warehouse.province, warehouse.city, warehouse.district),
            end=point_of(delivery) or find_point(delivery.province, delivery.city, delivery.district),
        )
        for shipment, warehouse, delivery in rows
        if shipment.dispatched_at
    }
    steps: defaultdict[int, list[JourneyStep]] = defaultdict(list)
    events = await session.scalars(
        select(TrackingEvent)
        .where(TrackingEvent.shipment_id.in_(list(lanes)), TrackingEvent.revoked_at.is_(None))
        .order_by(TrackingEvent.occurred_at, TrackingEvent.received_at, TrackingEvent.id)
    )
    for event in events:
        steps[event.shipment_id].append(step_of(event))
    for event in new_events:
        steps[event.shipment_id].append(step_of(event))
    for each in steps.values():
        each.sort(key=lambda step: step.at)
    return {shipment_id: Journey(lane, steps[shipment_id]) for shipment_id, lane in lanes.items()}


def step_of(event: TrackingEvent) -> JourneyStep:
    position = event.position
    point = Point(position.latitude, position.longitude) if position else None
    return JourneyStep(event.occurred_at, event.status, point)


def region_of(place: Warehouse | Delivery) -> str:
    return f"{place.country_code}/{place.province or place.city or NO_REGION}"
