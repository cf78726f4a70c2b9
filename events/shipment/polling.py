"""Carriers are asked where shipments are, with no transaction open."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from domain.cause import Cause
from domain.shipment import TrackingFact
from domain.shipment.carriers import poll_interval_of
from domain.shipment.incoming import lock_parcels
from domain.shipment.polling import PollPlan, claim_polls, record_subscribed
from domain.shipment.tracking import ParcelReport, add_reported_events
from domain.shipment.unhandled import Unhandled, count_unhandled, describe_surplus, sift_facts
from events.jobs.scheduler import CALLS_AT_ONCE
from events.shipment.parcels import tracked_parcel_of
from events.shipment.recorded import CallJournal, RecordedCarrier, subject_of_parcel
from events.types import Resources
from gateways.carrier.protocol import CarrierError, CarrierEvent, CarrierRefused, TrackedParcel
from gateways.failures import describe_failure
from gateways.measured import MeasuredCarrier
from loaders.carrier import find_carrier_by_code
from loaders.shipment import ShipmentRoute, load_routes
from models import CONNECTION_TERMS, Carrier, CarrierCode, CarrierConnection, ReturnParcel, Shipment
from settings.business import CarrierSettings
from text.characters import clean_text

log = structlog.get_logger()


async def poll_parcel(code: CarrierCode, resources: Resources, shipment_id: int) -> None:
    """Ask a carrier about one parcel, as about many."""
    await poll_parcels(code, resources, [shipment_id])


async def poll_parcels(code: CarrierCode, resources: Resources, shipment_ids: Sequence[int]) -> int:
    """Ask a carrier about those of these parcels about which nobody else asks, some at once, and store what
    is new; about how many it was asked.
    """
    now, reads = resources.clock(), resources.database.reads
    carrier = await find_carrier_by_code(reads, code)
    if carrier is None:
        return 0
    async with resources.database.writes.begin() as session:
        plan = plan_polls(carrier, resources.settings.carriers)
        claimed = await claim_polls(session, shipment_ids, now=now, plan=plan)
    if not claimed:
        return 0
    routes, gateway = await load_routes(reads, claimed), resources.carriers.get(carrier.connection)
    if gateway is None:
        log.warning("carrier.not_connected", carrier=code, shipments=len(claimed))
        return len(claimed)
    measured, turns = MeasuredCarrier(gateway, resources.calls, code), asyncio.Semaphore(CALLS_AT_ONCE)

    async def ask_in_turn(route: ShipmentRoute, journal: CallJournal) -> tuple[int, Sequence[TrackingFact]]:
        async with turns:
            asked = journal.follow(measured, subject_of_parcel(route))
            tracked = tracked_parcel_of(route, carrier)
            return route.shipment.id, await ask_about(resources, asked, tracked, route.shipment)

    async with CallJournal(resources) as journal:
        answers = await asyncio.gather(*(ask_in_turn(route, journal) for route in routes.values()))
    await store_answers(resources, carrier.connection, {id: facts for id, facts in answers if facts})
    return len(claimed)


def plan_polls(carrier: Carrier, settings: CarrierSettings) -> PollPlan:
    """How often a carrier is asked."""
    return PollPlan(
        carrier.code,
        poll_interval_of(carrier, simulated=settings.poll_interval),
        CONNECTION_TERMS[carrier.connection].shortest_poll or timedelta(0),
        settings.polls_per_day,
    )


async def ask_about(
    resources: Resources,
    gateway: RecordedCarrier | MeasuredCarrier,
    tracked: TrackedParcel | None,
    parcel: Shipment | ReturnParcel,
) -> Sequence[TrackingFact]:
    """What a carrier reports of a parcel; nothing where it does not answer.

    One that reports by itself is first asked to.
    """
    if tracked is None:
        return ()
    if gateway.capabilities.pushes and parcel.subscribed_at is None:
        await subscribe(resources, gateway, tracked, parcel)
    try:
        return facts_of(await gateway.track(tracked))
    except (CarrierError, CarrierRefused) as error:
        log.warning("carrier.failed", carrier=gateway.code, parcel=parcel.tracking_number, error=str(error))
        return ()


async def subscribe(
    resources: Resources,
    gateway: RecordedCarrier | MeasuredCarrier,
    tracked: TrackedParcel,
    parcel: Shipment | ReturnParcel,
) -> None:
    """Ask the carrier of a parcel to report by itself; where it does not agree, it is asked again later."""
    try:
        await gateway.subscribe(tracked)
    except (CarrierError, CarrierRefused) as error:
        number = parcel.tracking_number
        log.warning("carrier.not_subscribed", carrier=gateway.code, parcel=number, error=str(error))
        return
    async with resources.database.writes.begin() as session:
        await record_subscribed(session, parcel.id, now=resources.clock(), table=type(parcel))


async def store_answers(
    resources: Resources,
    connection: CarrierConnection,
    answers: Mapping[int, Sequence[TrackingFact]],
) -> None:
    """Store what is new of what a carrier answers of parcels, by their ids: in one transaction, or in one for
    each where that fails."""
    if not answers:
        return
    try:
        await store_facts(resources, connection, answers)
    except Exception as error:
        if len(answers) == 1:
            raise
        log.warning("carrier.one_by_one", shipments=len(answers), error=describe_failure(error))
        for shipment_id, facts in answers.items():
            try:
                await store_facts(resources, connection, {shipment_id: facts})
            except Exception:
                log.exception("carrier.not_stored", shipment=shipment_id)


async def store_facts(
    resources: Resources,
    connection: CarrierConnection,
    answers: Mapping[int, Sequence[TrackingFact]],
) -> None:
    """Store what is new of what a carrier reports of parcels; count what cannot be followed."""
    now, deadlines = resources.clock(), resources.settings.deadlines
    unhandled: Counter[tuple[CarrierConnection, Unhandled]] = Counter()
    async with resources.database.writes.begin() as session:
        reports = []
        for shipment in await lock_parcels(session, answers.keys()):
            facts, number = answers[shipment.id], shipment.tracking_number
            possible, odd = sift_facts(facts, number=number, since=shipment.packed_at, now=now)
            unhandled.update((connection, each) for each in set(odd))
            reports.append(ParcelReport(shipment, possible))
        await add_reported_events(
            session, reports, cause=Cause(now), receipt_after=deadlines.receipt_confirmed_after
        )
        for report in reports:
            unhandled.update((connection, each) for each in set(describe_surplus(report)))
        await count_unhandled(session, unhandled, now=now)


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
