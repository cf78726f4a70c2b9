"""Parcels that come back: carriers are asked about them as about any other; what nobody sees to is a task."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.return_collection import end_unneeded_collection
from domain.aftersales.return_parcel import end_unawaited_return, lock_return
from domain.aftersales.return_tracking import (
    add_return_events,
    attend_return,
    select_unattended_returns,
)
from domain.aftersales.ticket import lock_any_ticket
from domain.cause import Cause
from domain.events import TicketEvent
from domain.shipment import TrackingFact
from domain.shipment.polling import claim_polls
from domain.shipment.unhandled import count_unhandled, describe_too_many, sift_facts
from events.aftersales import deadlines_of
from events.jobs.scheduler import CALLS_AT_ONCE
from events.shipment.parcels import tracked_return_of
from events.shipment.polling import ask_about, plan_polls
from events.types import Resources, Timer
from gateways.measured import MeasuredCarrier
from loaders.carrier import find_carrier_by_code
from loaders.return_parcel import ReturnRoute, load_return_routes
from models import Carrier, CarrierCode, CarrierConnection, ReturnParcel

log = structlog.get_logger()


async def poll_return(code: CarrierCode, resources: Resources, parcel_id: int) -> None:
    """Ask a carrier about one parcel that comes back, as about many."""
    await poll_returns(code, resources, [parcel_id])


async def poll_returns(code: CarrierCode, resources: Resources, parcel_ids: Sequence[int]) -> int:
    """Ask a carrier about those of these parcels about which nobody else asks, by the same plan as about
    parcels that leave, and store what is new; about how many it was asked."""
    now, carrier = resources.clock(), await find_carrier_by_code(resources.database.reads, code)
    if carrier is None:
        return 0
    async with resources.database.writes.begin() as session:
        plan = plan_polls(carrier, resources.settings.carriers)
        claimed = await claim_polls(session, parcel_ids, now=now, plan=plan, table=ReturnParcel)
    if not claimed:
        return 0
    gateway = resources.carriers.get(carrier.connection)
    if gateway is None:
        log.warning("carrier.not_connected", carrier=code, returns=len(claimed))
        return len(claimed)
    measured, turns = MeasuredCarrier(gateway, resources.calls, code), asyncio.Semaphore(CALLS_AT_ONCE)
    routes = await load_return_routes(resources.database.reads, claimed)

    async def ask_in_turn(route: ReturnRoute) -> None:
        async with turns:
            await ask_about_return(resources, measured, carrier, route)

    await asyncio.gather(*map(ask_in_turn, routes))
    return len(claimed)


async def ask_about_return(
    resources: Resources, gateway: MeasuredCarrier, carrier: Carrier, route: ReturnRoute
) -> None:
    """Ask about one parcel and store the answer; one that cannot be stored holds up no other."""
    facts = await ask_about(resources, gateway, tracked_return_of(route, carrier), route.parcel)
    if not facts:
        return
    try:
        await store_return_facts(resources, carrier.connection, route.parcel.id, facts)
    except Exception:
        log.exception("carrier.not_stored", return_parcel=route.parcel.id)


async def store_return_facts(
    resources: Resources, connection: CarrierConnection, parcel_id: int, facts: Sequence[TrackingFact]
) -> None:
    """Store what is new of what a carrier reports; count what cannot be followed."""
    now, deadlines = resources.clock(), deadlines_of(resources.settings)
    async with resources.database.writes.begin() as session:
        found = await lock_return(session, parcel_id)
        if found is None or found.parcel.poll_at is None:  # ended, or contested, meanwhile
            return
        number = found.parcel.tracking_number
        possible, odd = sift_facts(facts, number=number, since=found.parcel.sent_after, now=now)
        surplus = await add_return_events(session, found, possible, deadlines, cause=Cause(now))
        unhandled = {*odd, *describe_too_many(surplus, number)}
        await count_unhandled(session, Counter((connection, each) for each in unhandled), now=now)


async def end_return(session: AsyncSession, event: TicketEvent, resources: Resources) -> None:
    """What a ticket waits for no longer is neither collected nor followed any more."""
    _, ticket = await lock_any_ticket(session, event.ticket.id)
    await end_unneeded_collection(session, ticket, now=resources.clock())
    await end_unawaited_return(session, ticket, now=resources.clock())


async def attend(resources: Resources, parcel_id: int) -> None:
    async with resources.database.writes.begin() as session:
        deadlines = deadlines_of(resources.settings)
        await attend_return(session, parcel_id, deadlines, cause=Cause(resources.clock()))


UNATTENDED_RETURNS = Timer("return.unattended", due=select_unattended_returns, act=attend)
