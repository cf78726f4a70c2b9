"""Asking for a waybill: what is recorded before a carrier is called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached
from domain.order import lock_shipment
from domain.shipment.asked_cash import expect_cash
from domain.shipment.carriers import find_carrier
from domain.shipment.choice import ChoiceOptions, QuotedTerms, RankedCarrier, rank_carriers
from domain.shipment.dispatch import CarrierRefusal, check_dispatchable
from domain.shipment.pickup import PickupTime, check_pickup
from domain.shipment.waybills import (
    ANSWER_EXPECTED_WITHIN,
    LIVE,
    give_up,
    lock_children,
    lock_family,
    lock_live_waybills,
    lock_waybill,
)
from models import (
    Carrier,
    CarrierChoice,
    CarrierCode,
    CarrierRule,
    Delivery,
    Order,
    Shipment,
    Waybill,
    WaybillStatus,
)

PARCELS_OF_WAYBILL_LIMIT = 50


@dataclass(frozen=True, slots=True)
class WaybillRequest:
    """What is to go on one waybill, and why by this carrier."""

    shipment_ids: Sequence[int]
    """The first one has the number of the waybill, the others those of its children."""
    choice: CarrierChoice = CarrierChoice.STAFF
    pickup: PickupTime | None = None
    rule: CarrierRule | None = None
    terms: QuotedTerms | None = None
    """What the carrier has quoted, where it was asked."""
    leaves: bool = False
    """The parcel leaves now, with the label that it has: one that is booked is not replaced."""


async def open_waybill(
    session: AsyncSession,
    request: WaybillRequest,
    carrier: CarrierCode,
    *,
    obstacle: str | None = None,
    cause: Cause,
) -> Waybill:
    """The waybill of packed parcels with a carrier: the live one, or a new one that is to be asked for;
    CarrierRefusal where there is an obstacle to asking.

    One that they have with another carrier, or with other parcels, stays until the new one is booked.
    """
    shipments = await lock_parcels(session, request.shipment_ids)
    found = await find_carrier(session, carrier)
    live = await lock_live_waybills(session, request.shipment_ids)
    for each in [waybill for waybill in live if waybill.carrier == carrier]:
        is_asked_for = each.shipment_id == shipments[0].id and await covers(session, each, shipments)
        if is_asked_for and (
            request.leaves or await collects_what_is_due(session, each, shipments, carrier=found)
        ):
            await withdraw_later_requests(session, each, live, now=cause.now)
            return each
    if request.pickup is not None:
        check_pickup(found, request.pickup, now=cause.now)
    if obstacle is not None:
        raise CarrierRefusal(found.name, obstacle)
    mother = await add_waybill(session, request, found, shipments[0], cause=cause)
    mother.call_at = cause.now + ANSWER_EXPECTED_WITHIN
    for shipment in shipments[1:]:
        child = await add_waybill(session, request, found, shipment, cause=cause)
        child.mother_id = mother.id
    await session.flush()
    return mother


async def withdraw_later_requests(
    session: AsyncSession, waybill: Waybill, live: Sequence[Waybill], *, now: datetime
) -> None:
    """Give up what the parcels of a booked waybill were asked for after it: this one is wanted again."""
    family = {each.id for each in await lock_family(session, waybill)}
    for other in live:
        is_later = other.id > waybill.id and other.id not in family
        if waybill.status is WaybillStatus.BOOKED and is_later and other.status in LIVE:
            await give_up(session, other, now=now)


async def collects_what_is_due(
    session: AsyncSession, waybill: Waybill, shipments: Sequence[Shipment], *, carrier: Carrier
) -> bool:
    """Whether the carrier of a booked waybill collects what is to be collected now for what goes on it.

    One that nobody has answered yet is found first; one of which a parcel has left stays.
    """
    if waybill.status is not WaybillStatus.BOOKED or not waybill.cash_amount:
        return True
    along = [each.shipment_id for each in await lock_children(session, waybill)]
    parcels = [shipments[0], *[await session.get_one(Shipment, each) for each in along if each is not None]]
    if any(each.dispatched_at for each in parcels):
        return True
    order = await session.get_one(Order, shipments[0].order_id)
    due = await expect_cash(session, order, parcels) if carrier.takes_cash else 0
    return waybill.cash_amount == due


async def claim_booking(
    session: AsyncSession, waybill_id: int, *, takes_cash: bool, now: datetime, next_at: datetime
) -> Waybill | None:
    """A requested waybill, where it is this caller's turn to ask for it. None where somebody else asks.

    Who asks and never says what came of it is gone after ANSWER_EXPECTED_WITHIN; their call counts as one
    without an answer.
    """
    waybill = await note_asked_cash(session, waybill_id, takes_cash=takes_cash)
    if waybill.status is not WaybillStatus.REQUESTED:
        return None
    if waybill.asked_at is not None and waybill.asked_at > now - ANSWER_EXPECTED_WITHIN:
        return None
    if waybill.asked_at is not None:
        waybill.calls += 1
    waybill.asked_at, waybill.call_at = now, next_at
    return waybill


async def note_asked_cash(session: AsyncSession, waybill_id: int, *, takes_cash: bool) -> Waybill:
    """A locked waybill with what its carrier is to collect: what it was asked first stays.

    The order is locked meanwhile: of two of its parcels that are booked at once, one brings its fee.
    """
    on_it = or_(Waybill.id == waybill_id, Waybill.mother_id == waybill_id)
    ids = (await session.scalars(select(Waybill.shipment_id).where(on_it))).all()
    locked = [await lock_shipment(session, each) for each in sorted(each for each in ids if each)]
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status is WaybillStatus.REQUESTED and waybill.cash_amount is None:
        waybill.cash_amount = 0
        if takes_cash and locked:
            waybill.cash_amount = await expect_cash(session, locked[0][0], [each for _, each in locked])
    return waybill


async def open_chosen_waybill(
    session: AsyncSession, request: WaybillRequest, options: ChoiceOptions, *, cause: Cause
) -> tuple[Waybill, list[RankedCarrier]]:
    """A waybill with the carrier that comes first, and all carriers in the order in which they are asked.

    Choosing and asking are one transaction: a parcel that is counted for a carrier is asked for there.
    """
    [first, *_] = await lock_parcels(session, request.shipment_ids)
    found = await lock_live_waybills(session, request.shipment_ids)
    live = next((each for each in found if each.shipment_id == first.id), None)
    if live is not None and live.carrier in options.possible:
        turns = [RankedCarrier(each, CarrierChoice.TURN) for each in options.possible]
        ranked = sorted(turns, key=lambda each: each.code != live.carrier)
    else:
        ranked = await rank_carriers(session, first.id, options, now=cause.now)
    waybill = await open_waybill(session, request_of(request, ranked[0]), ranked[0].code, cause=cause)
    return waybill, ranked


def request_of(request: WaybillRequest, ranked: RankedCarrier) -> WaybillRequest:
    """A request to a carrier, with why it is asked."""
    return replace(request, choice=ranked.choice, rule=ranked.rule, terms=ranked.terms)


async def lock_parcels(session: AsyncSession, shipment_ids: Sequence[int]) -> list[Shipment]:
    """Parcels that may leave together on one waybill, locked."""
    if not 1 <= len(shipment_ids) <= PARCELS_OF_WAYBILL_LIMIT:
        raise LimitReached(
            "At most {limit} parcels go on one waybill.", limit=PARCELS_OF_WAYBILL_LIMIT, field=("together",)
        )
    if len(set(shipment_ids)) < len(shipment_ids):
        raise Invalid("Each parcel goes on a waybill once.", field=("together",))
    locked = {}
    for each in sorted(shipment_ids):
        order, shipment = await lock_shipment(session, each)
        check_dispatchable(shipment, order, await session.get_one(Delivery, shipment.delivery_id))
        locked[each] = shipment
    shipments = [locked[each] for each in shipment_ids]
    if len({(each.delivery_id, each.warehouse_id) for each in shipments}) > 1:
        raise Invalid(
            "Parcels on one waybill go from one warehouse to one address of one order.", field=("together",)
        )
    return shipments


async def covers(session: AsyncSession, waybill: Waybill, shipments: Sequence[Shipment]) -> bool:
    """Whether a live waybill is the one that is asked for: of one parcel whatever goes along, else of all."""
    if len(shipments) == 1:
        return True
    along = {each.shipment_id for each in await lock_children(session, waybill)}
    return along == {each.id for each in shipments[1:]}


async def add_waybill(
    session: AsyncSession, request: WaybillRequest, carrier: Carrier, shipment: Shipment, *, cause: Cause
) -> Waybill:
    """A row for a parcel, with a reference that was never used."""
    before = await session.scalar(
        select(func.count(Waybill.id)).where(Waybill.reference.startswith(shipment.number, autoescape=True))
    )
    pickup = request.pickup
    waybill = Waybill(
        shipment_id=shipment.id,
        carrier=carrier.code,
        reference=f"{shipment.number}-{before + 1}" if before else shipment.number,
        choice=request.choice,
        rule_id=request.rule.id if request.rule else None,
        rule_version=request.rule.version if request.rule else None,
        quoted_amount=request.terms.price.minor if request.terms else None,
        quoted_currency=request.terms.price.currency if request.terms else None,
        promised_at=request.terms.promised_at if request.terms else None,
        status=WaybillStatus.REQUESTED,
        children=[],
        requested_at=cause.now,
        call_at=None,
        calls=0,
        pickup_from=pickup.begins_at if pickup else None,
        pickup_until=pickup.ends_at if pickup else None,
    )
    session.add(waybill)
    await session.flush()
    return waybill


def next_turn(ranked: RankedCarrier) -> RankedCarrier:
    """A carrier that is asked since the one before it has not taken the parcels."""
    return replace(ranked, choice=CarrierChoice.NEXT)
