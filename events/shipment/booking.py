"""Waybills are booked, asked after and cancelled, with no transaction open during a call."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from domain.aftersales.return_collection import (
    record_collection_booked,
    record_collection_kept,
    record_collection_unanswered,
)
from domain.cause import Cause
from domain.errors import NotFound
from domain.shipment import CarrierRefusal, CarrierUnavailable
from domain.shipment.booking import (
    WaybillRequest,
    claim_booking,
    next_turn,
    note_asked_cash,
    open_chosen_waybill,
    open_waybill,
    request_of,
)
from domain.shipment.carrier_calls import CarrierCallSubject
from domain.shipment.choice import (
    ChoiceOptions,
    RankedCarrier,
    fits,
    read_parcel_facts,
    select_rules,
)
from domain.shipment.waybills import (
    UNKNOWN_AFTER,
    BookedFacts,
    claim_waybill_call,
    record_booked,
    record_cancel_refused,
    record_cancelled,
    record_no_answer,
    record_not_booked,
    record_not_known,
)
from events.aftersales import deadlines_of
from events.shipment.cash import cash_of
from events.shipment.parcels import booking_of, collection_booking_of
from events.shipment.quotes import ask_quotes, best_terms
from events.shipment.recorded import CallJournal, RecordedCarrier, gateway_of, subject_of_waybill
from events.types import Resources
from gateways.calls import CALL_SECONDS
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    CarrierError,
    CarrierNotReached,
    CarrierRefused,
)
from loaders.carrier import find_carrier_by_code, load_parcels_of_waybill
from loaders.return_parcel import load_collection_route
from models import Carrier, CarrierChoice, Waybill, WaybillStatus

log = structlog.get_logger()

UNKNOWN_TO_CARRIER = "The carrier knows nothing of it."
NOT_CONNECTED = "It is not connected."
CALL_AGAIN = timedelta(seconds=2 * CALL_SECONDS)
"""After a call that was begun and never ended, since its process did."""
LOOKS, LOOKS_APART_SECONDS = 50, 0.2
"""How often, in 10 seconds, is looked for an answer that somebody else has asked for."""


async def book_chosen_waybill(
    resources: Resources,
    carriers: Sequence[Carrier],
    request: WaybillRequest,
    *,
    cause: Cause,
) -> Waybill:
    """A booked waybill of the carrier that the rules choose, else of the first of these that takes the
    parcels; CarrierUnavailable and CarrierRefusal as `book_waybill`.
    """
    options = await read_options(resources, carriers, request, cause=cause)
    async with resources.database.writes.begin() as session:
        waybill, ranked = await open_chosen_waybill(session, request, options, cause=cause)
    by_code = {each.code: each for each in carriers}
    waybill = await ask_unless_booked(resources, by_code[ranked[0].code], waybill, cause=cause)
    if waybill.status is WaybillStatus.REFUSED and ranked[1:]:
        following = [(by_code[each.code], next_turn(each)) for each in ranked[1:]]
        return await book_in_turn(resources, following, request, cause=cause)
    return check_booked(by_code[ranked[0].code], waybill)


async def book_waybill(
    resources: Resources,
    carriers: Sequence[Carrier],
    request: WaybillRequest,
    *,
    cause: Cause,
) -> Waybill:
    """A booked waybill of the first of these carriers that takes the parcels; the next is asked only where
    the one before it has certainly booked nothing.

    CarrierUnavailable otherwise. A carrier that was asked and has not answered is asked what became of it.
    """
    choices = [request.choice, *[CarrierChoice.NEXT] * len(carriers)]
    ranked = [
        (carrier, RankedCarrier(carrier.code, choice))
        for carrier, choice in zip(carriers, choices, strict=False)
    ]
    return await book_in_turn(resources, ranked, request, cause=cause)


async def book_in_turn(
    resources: Resources,
    carriers: Sequence[tuple[Carrier, RankedCarrier]],
    request: WaybillRequest,
    *,
    cause: Cause,
) -> Waybill:
    for position, (carrier, ranked) in enumerate(carriers, start=1):
        async with resources.database.writes.begin() as session:
            asked, obstacle = request_of(request, ranked), why_not(resources, carrier, request)
            waybill = await open_waybill(session, asked, carrier.code, obstacle=obstacle, cause=cause)
        waybill = await ask_unless_booked(resources, carrier, waybill, cause=cause)
        if waybill.status is not WaybillStatus.REFUSED or position == len(carriers):
            return check_booked(carrier, waybill)
    raise ValueError("no carrier was given")


async def ask_unless_booked(
    resources: Resources, carrier: Carrier, waybill: Waybill, *, cause: Cause
) -> Waybill:
    if waybill.status is WaybillStatus.BOOKED:
        return waybill
    return await ask_for_waybill(resources, carrier, waybill, cause=cause)


def check_booked(carrier: Carrier, waybill: Waybill) -> Waybill:
    """A booked waybill; CarrierRefusal or CarrierUnavailable otherwise."""
    if waybill.status is WaybillStatus.BOOKED:
        return waybill
    if waybill.status is WaybillStatus.REFUSED or waybill.number:
        raise CarrierRefusal(carrier.name, waybill.reason or "")
    raise CarrierUnavailable(carrier.name)


async def read_options(
    resources: Resources, carriers: Sequence[Carrier], request: WaybillRequest, *, cause: Cause
) -> ChoiceOptions:
    """What is known before a carrier is chosen; they are asked for quotes only where a rule needs them."""
    async with resources.database.reads() as session:
        facts = await read_parcel_facts(session, request.shipment_ids)
        rules = (await session.scalars(select_rules())).all()
    if facts is None:
        raise NotFound("shipment", field=("id",))
    needed = {code for rule in rules if rule.needs_quotes and fits(rule, facts) for code in rule.carriers}
    asked = [each for each in carriers if each.code in needed]
    terms = request.shipment_ids, request.pickup
    quotes = await ask_quotes(resources, asked, *terms, by=cause.by) if asked else []
    return ChoiceOptions(facts, [each.code for each in carriers], best_terms(quotes))


async def ask_for_waybill(
    resources: Resources, carrier: Carrier, waybill: Waybill, *, cause: Cause
) -> Waybill:
    """Book a requested waybill, or find it where it was asked for before; record the outcome.

    Where somebody else is asking for it, their answer is waited for.
    """
    gateway = gateway_of(resources, carrier)
    if gateway is None:
        return await note_no_answer(resources, waybill.id, CarrierError(NOT_CONNECTED))
    async with resources.database.writes.begin() as session:
        now, takes_cash = resources.clock(), carrier.takes_cash
        claimed = await claim_booking(
            session, waybill.id, takes_cash=takes_cash, now=now, next_at=now + CALL_AGAIN
        )
    if claimed is None:
        return await wait_for_answer(resources, waybill.id)
    waybill = claimed
    booking, subject = await describe_booking(resources, carrier, waybill)
    asked_before = waybill.calls > 0
    try:
        async with CallJournal(resources, cause.by) as journal:
            asked = journal.follow(gateway, subject)
            booked = await find_or_book(asked, booking) if asked_before else await asked.book(booking)
    except OutcomeNotKnown as error:
        async with resources.database.writes.begin() as session:
            return await record_not_known(session, waybill.id, str(error), now=resources.clock())
    except CarrierRefused as error:
        async with resources.database.writes.begin() as session:
            return await record_not_booked(session, waybill.id, str(error), now=resources.clock())
    except CarrierNotReached as error:
        if not asked_before:
            async with resources.database.writes.begin() as session:
                return await record_not_booked(session, waybill.id, str(error), now=resources.clock())
        return await note_no_answer(resources, waybill.id, error)
    except CarrierError as error:
        return await note_no_answer(resources, waybill.id, error)
    return await store_booked(resources, waybill, booked, by=cause.by)


async def describe_booking(
    resources: Resources, carrier: Carrier, waybill: Waybill
) -> tuple[Booking, CarrierCallSubject]:
    """What a carrier is asked for a waybill, and what the call is about."""
    reads = resources.database.reads
    if waybill.return_collection_id is not None:
        route = await load_collection_route(reads, waybill.return_collection_id)
        subject = CarrierCallSubject(order_id=route.ticket.order_id, waybill_id=waybill.id)
        return collection_booking_of(route, carrier, waybill), subject
    routes = await load_parcels_of_waybill(reads, waybill.id)
    booking = booking_of(routes, carrier, waybill, cash=cash_of(waybill, routes))
    return booking, subject_of_waybill(waybill, routes)


async def store_booked(
    resources: Resources, waybill: Waybill, booked: BookedWaybill, *, by: int | None = None
) -> Waybill:
    """Record that a carrier has booked a waybill; what it collects from a customer is followed then."""
    facts, cause = facts_of_waybill(booked), Cause(resources.clock(), by)
    async with resources.database.writes.begin() as session:
        if waybill.return_collection_id is None:
            return await record_booked(session, waybill.id, facts, now=cause.now)
        deadlines = deadlines_of(resources.settings)
        return await record_collection_booked(session, waybill.id, facts, deadlines, cause=cause)


async def wait_for_answer(resources: Resources, waybill_id: int) -> Waybill:
    """A waybill as it is when whoever asks for it has an answer, or has none after so many LOOKS."""
    waybill = await read_waybill(resources, waybill_id)
    for _ in range(LOOKS):
        if waybill.asked_at is None:
            break
        await asyncio.sleep(LOOKS_APART_SECONDS)
        waybill = await read_waybill(resources, waybill_id)
    return waybill


async def read_waybill(resources: Resources, waybill_id: int) -> Waybill:
    async with resources.database.reads() as session:
        return await session.get_one(Waybill, waybill_id)


def why_not(resources: Resources, carrier: Carrier, request: WaybillRequest) -> str | None:
    """Why a carrier cannot be asked for a waybill; None where it can."""
    gateway = gateway_of(resources, carrier)
    if gateway is None:
        return NOT_CONNECTED
    can = gateway.capabilities
    if not can.books:
        return f"{carrier.name} books nothing here."
    if len(request.shipment_ids) > 1 and not can.many_parcels:
        return f"{carrier.name} takes one parcel on a waybill."
    if request.pickup is not None and not can.picks_up:
        return f"{carrier.name} is not asked to collect at a time."
    return None


class OutcomeNotKnown(Exception):
    """A carrier refuses to say what became of a booking: whether it has booked it is not known."""


async def find_or_book(gateway: RecordedCarrier, booking: Booking) -> BookedWaybill:
    """OutcomeNotKnown where the carrier refuses to say whether it has booked it."""
    try:
        found = await gateway.find_booking(booking)
    except CarrierRefused as error:
        raise OutcomeNotKnown(str(error)) from error
    return found or await gateway.book(booking)


async def note_no_answer(resources: Resources, waybill_id: int, error: CarrierError) -> Waybill:
    log.warning("carrier.no_answer", waybill=waybill_id, error=str(error))
    reason, cause = str(error), Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        waybill = await session.get_one(Waybill, waybill_id)
        if waybill.return_collection_id is None:
            return await record_no_answer(session, waybill_id, reason, now=cause.now)
        deadlines = deadlines_of(resources.settings)
        return await record_collection_unanswered(session, waybill_id, reason, deadlines, cause=cause)


def facts_of_waybill(booked: BookedWaybill) -> BookedFacts:
    return BookedFacts(
        number=booked.number,
        children=booked.children,
        label_format=booked.label.format if booked.label else None,
        label_kind=(booked.label.kind or None) if booked.label else None,
        label=booked.label.content if booked.label else None,
        estimated_at=booked.estimated_at,
    )


async def call_about_waybill(resources: Resources, waybill_id: int) -> None:
    """Ask what became of a waybill whose answer did not come, or cancel one that nobody needs."""
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        later = now + CALL_AGAIN
        if not await claim_waybill_call(session, waybill_id, now=now, next_at=later):
            return
    waybill = await read_waybill(resources, waybill_id)
    carrier = await find_carrier_by_code(resources.database.reads, waybill.carrier)
    gateway = gateway_of(resources, carrier) if carrier else None
    if carrier is None or gateway is None:
        await note_no_answer(resources, waybill_id, CarrierError(f"{waybill.carrier} is not connected"))
        return
    if waybill.cash_amount is None:  # it was never asked
        async with resources.database.writes.begin() as session:
            waybill = await note_asked_cash(session, waybill_id, takes_cash=carrier.takes_cash)
    booking, subject = await describe_booking(resources, carrier, waybill)
    try:
        async with CallJournal(resources) as journal:
            asked = journal.follow(gateway, subject)
            if waybill.status is WaybillStatus.REQUESTED:
                await ask_after(resources, asked, booking, waybill)
            elif waybill.status is WaybillStatus.CANCELLING:
                await cancel(resources, asked, booking, waybill)
    except CarrierError as error:
        await note_no_answer(resources, waybill_id, error)


async def ask_after(
    resources: Resources, gateway: RecordedCarrier, booking: Booking, waybill: Waybill
) -> None:
    """Record what became of a booking whose answer did not come."""
    try:
        booked = await gateway.find_booking(booking)
    except CarrierRefused as error:
        async with resources.database.writes.begin() as session:
            await record_not_known(session, waybill.id, str(error), now=resources.clock())
        return
    now, reason = resources.clock(), UNKNOWN_TO_CARRIER
    if booked is not None:
        await store_booked(resources, waybill, booked)
        return
    async with resources.database.writes.begin() as session:
        if now - waybill.requested_at >= UNKNOWN_AFTER:
            await record_not_booked(session, waybill.id, reason, now=now)
        else:
            await record_no_answer(session, waybill.id, reason, now=now)


async def cancel(resources: Resources, gateway: RecordedCarrier, booking: Booking, waybill: Waybill) -> None:
    """Cancel a waybill, after asking for its number where that never came."""
    number = waybill.number
    try:
        if number is None:
            booked = await gateway.find_booking(booking)
            number = booked.number if booked else None
        if number is not None:
            await gateway.cancel(booking, number)
    except CarrierRefused as error:
        cause = Cause(resources.clock())
        async with resources.database.writes.begin() as session:
            if waybill.return_collection_id is None:
                await record_cancel_refused(session, waybill.id, str(error), now=cause.now)
            else:
                deadlines = deadlines_of(resources.settings)
                await record_collection_kept(session, waybill.id, str(error), deadlines, cause=cause)
        return
    async with resources.database.writes.begin() as session:
        await record_cancelled(session, waybill.id, now=resources.clock())
