from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import strawberry

from domain.errors import Invalid, NotFound
from domain.shipment import (
    CarrierUnavailable,
    TrackingFact,
    check_dispatchable,
    dispatch_shipment,
    pack_shipments,
    report_tracking_event,
    unpack_shipment,
)
from events.shipment import parcel_of
from events.stream import follow
from gateways.carrier import CarrierError, Waybill
from loaders.page import PAGE_DEFAULT, Page
from loaders.shipment import NEWEST_SHIPMENT, OLDEST_DELIVERY, Ride, Way, deliveries_to_pack, ways
from loaders.shipment import shipments_wanted as wanted
from models import CarrierCode, Delivery, Event, Position, Role, Shipment, ShipmentStatus, Subject
from resolvers.context import Info
from resolvers.guard import SUPPORT, WAREHOUSE
from resolvers.ids import row_id
from resolvers.inputs.shipment import ParcelInput, ShipmentFilter
from resolvers.paging import paged

NUMBER_PREFIX = "S"
CLERKS = WAREHOUSE | SUPPORT
TRACKING_NUMBER_LENGTH = 64


async def shipment(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Shipment | None:
    """One parcel, by id or by number; null when it does not exist or is not yours.

    id: its global id
    number: its number, as printed on the parcel
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if number is not None:
        return await seen(info, await info.context.load.shipment_by_number.load(number))
    try:
        return await find_shipment(info, row_id(id or "", "Shipment"))
    except NotFound:
        return None


async def find_shipment(info: Info, shipment_id: int) -> Shipment | None:
    """The shipment, if this viewer may see it."""
    return await seen(info, await info.context.load.shipment.load(shipment_id))


async def seen(info: Info, found: Shipment | None) -> Shipment | None:
    """Customers see the parcels of their orders, couriers those they carry, clerks and agents all."""
    viewer, load = info.context.viewer, info.context.load
    if found is None:
        return None
    if viewer.role is Role.COURIER:
        return found if viewer.id in await load.shipment_couriers.load(found.id) else None
    if viewer.role in CLERKS:
        return found
    order = await load.order.load(found.order_id)
    return found if order and viewer.owns(order.account_id) else None


async def shipments(
    info: Info,
    filter: ShipmentFilter | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Shipment]:
    """All parcels, the newest first.

    filter: which of them
    first: how many, at most 100
    after: the cursor to go on from
    """
    asked = filter or ShipmentFilter()
    statement = wanted(
        status=asked.status,
        warehouse_id=warehouse_in(asked.warehouse_id, "filter"),
        carrier=asked.carrier,
        dispatched=asked.dispatched,
    )
    return await paged(info, statement, NEWEST_SHIPMENT, first=first, after=after)


async def to_pack(
    info: Info,
    warehouse_id: strawberry.ID | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Delivery]:
    """Deliveries of which something waits to be packed, the oldest first.

    warehouse_id: only with something to pack in this warehouse
    first: how many, at most 100
    after: the cursor to go on from
    """
    statement = deliveries_to_pack(warehouse_id=warehouse_in(warehouse_id))
    return await paged(info, statement, OLDEST_DELIVERY, first=first, after=after)


def warehouse_in(id: strawberry.ID | None, *path: str) -> int | None:
    return None if id is None else row_id(id, "Warehouse", field=(*path, "warehouse_id"))


async def shipment_pack(
    info: Info, delivery_id: strawberry.ID, parcels: list[ParcelInput]
) -> Sequence[Shipment]:
    """Pack what is left of a delivery, or part of it, into parcels.

    delivery_id: the delivery whose goods are packed
    parcels: what goes into each parcel; all are packed, or none
    """
    context = info.context
    number = row_id(delivery_id, "Delivery", field=("delivery_id",))
    contents = [parcel.to_pack(index) for index, parcel in enumerate(parcels)]
    numbers = [context.shop.secrets.number(NUMBER_PREFIX, context.now) for _ in contents]
    async with context.transaction() as session:
        return await pack_shipments(
            session, number, contents, numbers=numbers, now=context.now, by=context.viewer.id
        )


async def shipment_unpack(info: Info, id: strawberry.ID) -> Delivery:
    """Take a parcel apart that has not left; its goods wait to be packed again.

    id: the shipment
    """
    async with info.context.transaction() as session:
        return await unpack_shipment(
            session, row_id(id, "Shipment"), now=info.context.now, by=info.context.viewer.id
        )


async def shipment_dispatch(
    info: Info, id: strawberry.ID, carrier: CarrierCode, tracking_number: str | None = None
) -> Shipment:
    """Hand a parcel to a carrier; without a tracking number a waybill is booked.

    id: the shipment
    carrier: who carries it
    tracking_number: of a waybill you already have
    """
    context, shipment_id = info.context, row_id(id, "Shipment")
    waybill = await waybill_for(info, shipment_id, carrier, tracking_number)
    polled = carrier is not CarrierCode.OWN
    async with context.transaction() as session:
        return await dispatch_shipment(
            session,
            shipment_id,
            carrier=carrier,
            tracking_number=waybill.tracking_number,
            estimated_at=waybill.estimated_at,
            poll_at=context.now + context.shop.settings.carrier_poll_every if polled else None,
            now=context.now,
            by=context.viewer.id,
        )


async def waybill_for(
    info: Info, shipment_id: int, carrier: CarrierCode, tracking_number: str | None
) -> Waybill:
    """The waybill a clerk has, or a booked one; carriers know a parcel by our number, so twice is once."""
    way = (await ways(info.context.shop.database.reads, [shipment_id])).get(shipment_id)
    if way is None:
        raise NotFound("shipment", field=("id",))
    check_dispatchable(way.shipment, way.order, way.delivery)
    if tracking_number is not None:
        return Waybill(written(tracking_number), None)
    if carrier is CarrierCode.OWN:
        return Waybill(way.shipment.number, None)
    return await booked(info, way, carrier)


async def booked(info: Info, way: Way, code: CarrierCode) -> Waybill:
    carrier = info.context.shop.carriers.get(code)
    if carrier is None:
        raise CarrierUnavailable(code)
    try:
        return await carrier.book(parcel_of(way), now=info.context.now)
    except CarrierError as error:
        raise CarrierUnavailable(code) from error


def written(tracking_number: str) -> str:
    number = tracking_number.strip()
    if not 1 <= len(number) <= TRACKING_NUMBER_LENGTH:
        raise Invalid(
            f"A tracking number has 1 to {TRACKING_NUMBER_LENGTH} characters.", field=("tracking_number",)
        )
    return number


async def shipment_event_add(
    info: Info,
    id: strawberry.ID,
    status: ShipmentStatus,
    description: str,
    occurred_at: datetime | None = None,
    location: str = "",
) -> Shipment:
    """Note what happened to a parcel that has left, a proof of delivery for example.

    id: the shipment
    status: where it is now
    description: what happened, as the customer reads it
    occurred_at: when; now when left out
    location: where
    """
    context, shipment_id = info.context, row_id(id, "Shipment")
    if await find_shipment(info, shipment_id) is None:
        raise NotFound("shipment", field=("id",))
    fact = TrackingFact(status, f"BY_HAND-{status.value}", description, occurred_at or context.now, location)
    async with context.transaction() as session:
        return await report_tracking_event(
            session,
            shipment_id,
            fact,
            now=context.now,
            receipt_after=context.shop.settings.receipt_confirmed_after,
            by=context.viewer.id,
        )


async def rides(shipments: Sequence[Shipment], info: Info) -> list[Ride | None]:
    """The runs that bring these parcels now: only our own couriers drive them."""
    own = [shipment.id for shipment in shipments if shipment.carrier is CarrierCode.OWN]
    found = dict(zip(own, await info.context.load.shipment_ride.load_many(own), strict=True))
    return [found.get(shipment.id) for shipment in shipments]


async def positions(shipments: Sequence[Shipment], info: Info) -> list[Position | None]:
    """Where it is: the courier who brings it now, else the last place its carrier named."""
    told = await info.context.load.shipment_events.load_many([shipment.id for shipment in shipments])
    last = [next((event.position for event in reversed(events) if event.position), None) for events in told]
    live = [ride.run.position if ride else None for ride in await rides(shipments, info)]
    return [now or before for now, before in zip(live, last, strict=True)]


async def stops_ahead(shipments: Sequence[Shipment], info: Info) -> list[int | None]:
    """How many doors our courier visits before yours; null unless our own courier is on the road with it."""
    return [ride.stops_ahead if ride else None for ride in await rides(shipments, info)]


async def arrivals(shipments: Sequence[Shipment], info: Info) -> list[datetime | None]:
    """When it should arrive; null when nobody knows."""
    live = await rides(shipments, info)
    return [
        ride.stop.estimated_at if ride else shipment.estimated_at
        for shipment, ride in zip(shipments, live, strict=True)
    ]


async def shipment_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to a parcel: first what came after a version, then live, each once, in order.

    id: the shipment
    after: the last version you have seen; left out, only what is still to come
    """
    found = await find_shipment(info, row_id(id, "Shipment"))
    if found is None:
        raise NotFound("shipment", field=("id",))
    async for event in follow(info.context.shop, Subject.SHIPMENT, found.id, after):
        yield event


def status_told(root: Event) -> ShipmentStatus:
    """Where the parcel was then."""
    return ShipmentStatus(root.payload["status"])
