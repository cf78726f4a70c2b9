"""Booking waybills and handing parcels to carriers."""

from dataclasses import dataclass
from datetime import datetime

import strawberry

from domain.errors import Invalid, NotFound, WrongState
from domain.order.cash import share_cash_among_deliveries
from domain.shipment import (
    check_dispatchable,
    dispatch_shipment,
)
from domain.shipment.booking import WaybillRequest
from domain.shipment.carriers import (
    check_link,
    find_carrier,
    is_polled,
    poll_interval_of,
)
from events.shipment.booking import book_chosen_waybill, book_waybill
from loaders.carrier import load_carriers
from loaders.shipment import (
    ShipmentRoute,
    load_routes,
)
from models import (
    Carrier,
    CarrierCode,
    CarrierConnection,
    Shipment,
    Waybill,
)
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.shipment import PickupInput

TRACKING_NUMBER_LENGTH = 64


async def shipment_book(
    info: Info,
    id: strawberry.ID,
    carrier: CarrierCode | None = None,
    together: list[strawberry.ID] | None = None,
    pickup: PickupInput | None = None,
) -> Shipment:
    """Books the waybill of a packed parcel, so that its label can be printed before it leaves.

    id: the shipment
    carrier: who is to carry it; left out, the first carrier that takes it
    together: further parcels of the same delivery that go along on the waybill, with numbers of their own
    pickup: when the carrier is to collect them; left out, they are collected as always, or brought
    """
    route = await find_dispatchable(info, row_id(id, "Shipment"))
    along = [row_id(each, "Shipment", field=("together", index)) for index, each in enumerate(together or [])]
    zone = info.context.shop.settings.locale.zone
    terms = WaybillRequest([route.shipment.id, *along], pickup=pickup.draft(zone) if pickup else None)
    await book_with(info, route, carrier, terms)
    return route.shipment


async def shipment_dispatch(
    info: Info,
    id: strawberry.ID,
    carrier: CarrierCode | None = None,
    tracking_number: str | None = None,
    tracking_link: str | None = None,
) -> Shipment:
    """Hands a parcel to a carrier; without a tracking number the waybill that it has, or a new one, is used.

    id: the shipment
    carrier: who carries it; left out, the carrier of its waybill or else the first that takes it
    tracking_number: of a waybill that exists already
    tracking_link: the carrier's page about it, where the carrier has no link of its own
    """
    context, shipment_id = info.context, row_id(id, "Shipment")
    link = None if tracking_link is None else tracking_link.strip()
    if link is not None:
        check_link(link, field="tracking_link")
    route = await find_dispatchable(info, shipment_id)
    waybill = await waybill_for(info, route, carrier, tracking_number)
    async with context.transaction() as session:
        return await dispatch_shipment(
            session,
            shipment_id,
            carrier=waybill.carrier.code,
            tracking_number=waybill.number,
            tracking_link=link,
            estimated_at=waybill.estimated_at,
            poll_at=next_poll(info, waybill.carrier),
            cause=context.cause,
        )


@dataclass(frozen=True, slots=True)
class NumberAtCarrier:
    """The number a parcel leaves with, and the carrier whose number it is."""

    carrier: Carrier
    number: str
    estimated_at: datetime | None = None


async def find_dispatchable(info: Info, shipment_id: int) -> ShipmentRoute:
    """The route of a parcel that may leave; checked again under its lock."""
    route = (await load_routes(info.context.shop.database.reads, [shipment_id])).get(shipment_id)
    if route is None:
        raise NotFound("shipment", field=("id",))
    check_dispatchable(route.shipment, route.order, route.delivery)
    return route


async def waybill_for(
    info: Info, route: ShipmentRoute, code: CarrierCode | None, tracking_number: str | None
) -> NumberAtCarrier:
    """The given number, or that of a booked waybill; our own couriers need none."""
    if tracking_number is not None:
        if code is None:
            raise Invalid("Say whose tracking number it is.", field=("carrier",))
        return NumberAtCarrier(await find_active_carrier(info, code), clean_tracking_number(tracking_number))
    if code is not None:
        carrier = await find_active_carrier(info, code)
        if carrier.connection is CarrierConnection.OWN_COURIERS:
            return NumberAtCarrier(carrier, route.shipment.number)
        if carrier.connection is CarrierConnection.MANUAL:
            raise Invalid("Enter the tracking number.", field=("tracking_number",))
    waybill = await book_with(info, route, code, WaybillRequest([route.shipment.id], leaves=True))
    booked = await find_active_carrier(info, waybill.carrier)
    return NumberAtCarrier(booked, waybill.number or "", waybill.estimated_at)


async def book_with(
    info: Info, route: ShipmentRoute, code: CarrierCode | None, terms: WaybillRequest
) -> Waybill:
    """A booked waybill of this carrier, or of the one that a rule chooses or whose turn it is."""
    context = info.context
    if code is not None:
        chosen = [await find_active_carrier(info, code)]
        return await book_waybill(context.shop, chosen, terms, cause=context.cause)
    carriers = await carriers_in_turn(info, route, terms)
    return await book_chosen_waybill(context.shop, carriers, terms, cause=context.cause)


async def carriers_in_turn(info: Info, route: ShipmentRoute, terms: WaybillRequest) -> list[Carrier]:
    """The carriers that can book parcels on these terms, in their turn.

    What is paid at the door goes only by those that collect cash.
    """
    shop = info.context.shop
    async with shop.database.reads() as session:
        due = await share_cash_among_deliveries(session, {route.order.id})
    has_cash = bool(due.get(route.delivery.id))
    found = [
        carrier
        for carrier in await load_carriers(shop.database.reads)
        if (gateway := shop.carriers.get(carrier.connection)) and gateway.capabilities.books
        if carrier.takes_cash or not has_cash
        if gateway.capabilities.many_parcels or len(terms.shipment_ids) == 1
        if gateway.capabilities.picks_up or terms.pickup is None
    ]
    if not found:
        raise WrongState(
            "There is no carrier that books waybills for it; enter a tracking number.", field=("carrier",)
        )
    return found


async def find_active_carrier(info: Info, code: CarrierCode) -> Carrier:
    async with info.context.shop.database.reads() as session:
        return await find_carrier(session, code)


def next_poll(info: Info, carrier: Carrier) -> datetime | None:
    """When a carrier is asked first; at once where it has to be asked to report by itself."""
    shop, now = info.context.shop, info.context.now
    gateway = shop.carriers.get(carrier.connection)
    if not is_polled(carrier):
        return None
    if gateway is not None and gateway.capabilities.pushes:
        return now
    return now + poll_interval_of(carrier, simulated=shop.settings.carriers.poll_interval)


def clean_tracking_number(tracking_number: str) -> str:
    number = tracking_number.strip()
    if not 1 <= len(number) <= TRACKING_NUMBER_LENGTH:
        raise Invalid(
            "A tracking number has 1 to {limit} characters.",
            limit=TRACKING_NUMBER_LENGTH,
            field=("tracking_number",),
        )
    return number
