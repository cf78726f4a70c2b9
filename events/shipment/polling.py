"""Carriers are asked where shipments are, with no transaction open."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from domain.cause import Cause
from domain.shipment import (
    TrackingFact,
    add_tracking_events,
    claim_poll,
    lock_shipment,
    record_subscribed,
)
from domain.shipment.carriers import SHORTEST_POLL_INTERVAL, poll_interval_of
from domain.shipment.unhandled import record_unhandled, sift_facts
from events.shipment.parcels import tracked_parcel_of
from events.types import Resources
from gateways.carrier.protocol import CarrierError, CarrierEvent, CarrierRefused, TrackedParcel
from gateways.measured import MeasuredCarrier
from loaders.carrier import find_carrier_by_code
from loaders.shipment import load_routes
from models import CarrierConnection
from text.characters import clean_text

log = structlog.get_logger()


async def poll_carrier(resources: Resources, shipment_id: int) -> None:
    """Ask the carrier of a shipment for tracking events and store those that are new.

    A carrier that reports by itself is first asked to.
    """
    now, reads = resources.clock(), resources.database.reads
    route = (await load_routes(reads, [shipment_id])).get(shipment_id)
    carrier = await find_carrier_by_code(reads, route.shipment.carrier) if route else None
    if route is None or carrier is None:
        return
    next_at = now + poll_interval_of(carrier, simulated=resources.settings.carriers.poll_interval)
    shortest = SHORTEST_POLL_INTERVAL.get(carrier.connection, timedelta(0))
    async with resources.database.writes.begin() as session:
        if not await claim_poll(session, shipment_id, now=now, next_at=next_at, shortest=shortest):
            return
    gateway, tracked = resources.carriers.get(carrier.connection), tracked_parcel_of(route, carrier)
    if gateway is None or tracked is None:
        log.warning("carrier.not_connected", carrier=carrier.code, shipment=shipment_id)
        return
    measured = MeasuredCarrier(gateway, resources.calls, carrier.code)
    if gateway.capabilities.pushes and route.shipment.subscribed_at is None:
        await subscribe(resources, measured, tracked, shipment_id)
    try:
        facts = await ask_carrier(measured, tracked)
    except (CarrierError, CarrierRefused) as error:
        log.warning("carrier.failed", carrier=carrier.code, shipment=shipment_id, error=str(error))
        return
    await store_facts(resources, shipment_id, carrier.connection, facts)


async def subscribe(
    resources: Resources, gateway: MeasuredCarrier, tracked: TrackedParcel, shipment_id: int
) -> None:
    """Ask the carrier of a parcel to report by itself; where it does not agree, it is asked again later."""
    try:
        await gateway.subscribe(tracked)
    except (CarrierError, CarrierRefused) as error:
        log.warning("carrier.not_subscribed", carrier=gateway.code, shipment=shipment_id, error=str(error))
        return
    async with resources.database.writes.begin() as session:
        await record_subscribed(session, shipment_id, now=resources.clock())


async def ask_carrier(gateway: MeasuredCarrier, tracked: TrackedParcel) -> list[TrackingFact]:
    """What a carrier reports of a parcel."""
    return facts_of(await gateway.track(tracked))


async def store_facts(
    resources: Resources, shipment_id: int, connection: CarrierConnection, facts: Sequence[TrackingFact]
) -> None:
    """Store what is new of what a carrier reports of a parcel; count what cannot be followed."""
    now, deadlines = resources.clock(), resources.settings.deadlines
    async with resources.database.writes.begin() as session:
        _, shipment = await lock_shipment(session, shipment_id)
        possible, unhandled = sift_facts(shipment, facts, now=now)
        await add_tracking_events(
            session,
            shipment,
            possible,
            cause=Cause(now),
            receipt_after=deadlines.receipt_confirmed_after,
        )
        await record_unhandled(session, connection, unhandled, now=now)


def facts_of(events: Sequence[CarrierEvent]) -> list[TrackingFact]:
    return [
        TrackingFact(
            status=event.status,
            code=clean_text(event.code),
            description=clean_text(event.description),
            occurred_at=event.occurred_at,
            location=clean_text(event.location),
            latitude=event.latitude,
            longitude=event.longitude,
            by_carrier=True,
        )
        for event in events
    ]
