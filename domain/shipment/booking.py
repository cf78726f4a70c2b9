"""Asking for a waybill: what is recorded before a carrier is called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached
from domain.order import lock_shipment
from domain.shipment.carriers import find_carrier
from domain.shipment.choice import ChoiceOptions, QuotedTerms, RankedCarrier, rank_carriers
from domain.shipment.dispatch import CarrierRefusal, check_dispatchable
from domain.shipment.pickup import PickupTime, check_pickup
from domain.shipment.waybills import (
    ANSWER_EXPECTED_WITHIN,
    lock_children,
    lock_live_waybills,
)
from models import (
    Carrier,
    CarrierChoice,
    CarrierCode,
    CarrierRule,
    Delivery,
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
    live = [
        each for each in await lock_live_waybills(session, request.shipment_ids) if each.carrier == carrier
    ]
    for each in live:
        if each.shipment_id == shipments[0].id and await covers(session, each, shipments):
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
