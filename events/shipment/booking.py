"""Waybills are booked, asked after and cancelled, with no transaction open during a call."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from domain.cause import Cause
from domain.order.cash import fix_cash
from domain.shipment import CarrierRefusal, CarrierUnavailable, lock_shipment
from domain.shipment.booking import open_waybill
from domain.shipment.waybills import (
    UNKNOWN_AFTER,
    BookedFacts,
    claim_waybill_call,
    record_booked,
    record_cancel_refused,
    record_cancelled,
    record_no_answer,
    record_not_booked,
)
from events.shipment.parcels import account_of, booking_of, parcel_of
from events.types import Resources
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    CarrierError,
    CarrierNotReached,
    CarrierRefused,
)
from gateways.measured import CALL_SECONDS, MeasuredCarrier
from loaders.carrier import find_carrier_by_code
from loaders.shipment import ShipmentRoute, load_routes
from models import Carrier, CarrierChoice, Money, Waybill, WaybillStatus

log = structlog.get_logger()

UNKNOWN_TO_CARRIER = "The carrier knows nothing of it."
CALL_AGAIN = timedelta(seconds=2 * CALL_SECONDS)
"""After a call that was begun and never ended, since its process did."""


async def book_waybill(
    resources: Resources,
    route: ShipmentRoute,
    carriers: Sequence[Carrier],
    *,
    choice: CarrierChoice,
    cause: Cause,
) -> Waybill:
    """A booked waybill of the first of these carriers that takes the parcel; the next is asked only where the
    one before it has certainly booked nothing.

    CarrierUnavailable otherwise. A carrier that was asked and has not answered is asked what became of it.
    """
    refused: Waybill | None = None
    for carrier in carriers:
        async with resources.database.writes.begin() as session:
            waybill = await open_waybill(session, route.shipment.id, carrier.code, choice=choice, cause=cause)
        if waybill.status is not WaybillStatus.BOOKED:
            waybill = await ask_for_waybill(resources, route, carrier, waybill)
        if waybill.status is WaybillStatus.BOOKED:
            return waybill
        if waybill.status is not WaybillStatus.REFUSED:
            raise CarrierUnavailable(carrier.name)
        refused, choice = waybill, CarrierChoice.NEXT
    raise CarrierRefusal(carriers[-1].name, (refused and refused.reason) or "")


async def ask_for_waybill(
    resources: Resources, route: ShipmentRoute, carrier: Carrier, waybill: Waybill
) -> Waybill:
    """Book a requested waybill, or find it where it was asked for before; record the outcome."""
    gateway = gateway_of(resources, carrier)
    if gateway is None or not gateway.capabilities.books:
        reason = f"{carrier.name} books nothing here."
        async with resources.database.writes.begin() as session:
            return await record_not_booked(session, waybill.id, reason, now=resources.clock())
    booking = booking_of(
        route, carrier, waybill.reference, cash=await preview_cash(resources, route, carrier)
    )
    asked_before = waybill.calls > 0
    try:
        booked = await find_or_book(gateway, booking) if asked_before else await gateway.book(booking)
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
    async with resources.database.writes.begin() as session:
        return await record_booked(session, waybill.id, facts_of_waybill(booked), now=resources.clock())


async def find_or_book(gateway: MeasuredCarrier, booking: Booking) -> BookedWaybill:
    return await gateway.find_booking(booking) or await gateway.book(booking)


async def note_no_answer(resources: Resources, waybill_id: int, error: CarrierError) -> Waybill:
    log.warning("carrier.no_answer", waybill=waybill_id, error=str(error))
    async with resources.database.writes.begin() as session:
        return await record_no_answer(session, waybill_id, str(error), now=resources.clock())


async def preview_cash(resources: Resources, route: ShipmentRoute, carrier: Carrier) -> Money | None:
    """What the carrier is to collect, as it is fixed when the parcel leaves; None for nothing."""
    if not carrier.takes_cash:
        return None
    async with resources.database.writes() as session:  # never committed: it is fixed when the parcel leaves
        order, shipment = await lock_shipment(session, route.shipment.id)
        amount = await fix_cash(session, order, shipment)
        await session.rollback()
    return Money(amount, route.order.currency) if amount else None


def gateway_of(resources: Resources, carrier: Carrier) -> MeasuredCarrier | None:
    gateway = resources.carriers.get(carrier.connection)
    return MeasuredCarrier(gateway, resources.calls, carrier.code) if gateway else None


def facts_of_waybill(booked: BookedWaybill) -> BookedFacts:
    return BookedFacts(
        number=booked.number,
        children=booked.children,
        label_format=booked.label.format if booked.label else None,
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
    async with resources.database.reads() as session:
        waybill = await session.get_one(Waybill, waybill_id)
    carrier = await find_carrier_by_code(resources.database.reads, waybill.carrier)
    gateway = gateway_of(resources, carrier) if carrier else None
    if carrier is None or gateway is None:
        await note_no_answer(resources, waybill_id, CarrierError(f"{waybill.carrier} is not connected"))
        return
    route = (await load_routes(resources.database.reads, [waybill.shipment_id or 0])).get(
        waybill.shipment_id or 0
    )
    parcels = [parcel_of(route)] if route else []
    booking = Booking(reference=waybill.reference, account=account_of(carrier), parcels=parcels)
    try:
        if waybill.status is WaybillStatus.REQUESTED:
            await ask_after(resources, gateway, booking, waybill)
        elif waybill.status is WaybillStatus.CANCELLING:
            await cancel(resources, gateway, booking, waybill)
    except CarrierError as error:
        await note_no_answer(resources, waybill_id, error)


async def ask_after(
    resources: Resources, gateway: MeasuredCarrier, booking: Booking, waybill: Waybill
) -> None:
    """Record what became of a booking whose answer did not come."""
    now, reason = resources.clock(), UNKNOWN_TO_CARRIER
    try:
        booked = await gateway.find_booking(booking)
    except CarrierRefused as error:
        booked, reason = None, str(error)
    async with resources.database.writes.begin() as session:
        if booked is not None:
            await record_booked(session, waybill.id, facts_of_waybill(booked), now=now)
        elif now - waybill.requested_at >= UNKNOWN_AFTER:
            await record_not_booked(session, waybill.id, reason, now=now)
        else:
            await record_no_answer(session, waybill.id, reason, now=now)


async def cancel(resources: Resources, gateway: MeasuredCarrier, booking: Booking, waybill: Waybill) -> None:
    """Cancel a waybill, after asking for its number where that never came."""
    number = waybill.number
    try:
        if number is None:
            booked = await gateway.find_booking(booking)
            number = booked.number if booked else None
        if number is not None:
            await gateway.cancel(booking, number)
    except CarrierRefused as error:
        async with resources.database.writes.begin() as session:
            await record_cancel_refused(session, waybill.id, str(error), now=resources.clock())
        return
    async with resources.database.writes.begin() as session:
        await record_cancelled(session, waybill.id, now=resources.clock())
