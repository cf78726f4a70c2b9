from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial

import strawberry

from domain.aftersales.undelivered import end_shipment
from domain.errors import Invalid, NotFound, collect_refusals
from domain.free_numbers import draw_free_numbers
from domain.order.cash import share_cash_among_deliveries
from domain.shipment import (
    CarrierUnavailable,
    TrackingFact,
    check_dispatchable,
    correct_shipment,
    dispatch_shipment,
    inspect_shipment,
    pack_shipments,
    report_tracking_event,
    send_again,
    unpack_shipment,
)
from events.shipment import parcel_of
from gateways.carrier import CarrierError, Waybill
from gateways.measured import MeasuredCarrier
from loaders.delivery_run import ActiveStop
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.shipment import (
    NEWEST_SHIPMENT,
    OLDEST_DELIVERY,
    ShipmentRoute,
    load_routes,
    select_deliveries_to_pack,
    select_shipments,
)
from models import (
    CarrierCode,
    Delivery,
    Event,
    Money,
    Position,
    Shipment,
    ShipmentStatus,
    Subject,
    TrackingEvent,
)
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.shipment import InspectedLineInput, ParcelInput, ShipmentFilter
from resolvers.order.finding import is_carried
from resolvers.paging import query_page
from resolvers.subscriptions import while_visible
from text.messages import Message

NUMBER_PREFIX = "S"
TRACKING_NUMBER_LENGTH = 64

TRACKING_MESSAGES: Mapping[ShipmentStatus, Message] = {
    ShipmentStatus.PENDING: Message("The parcel is packed and waits for the carrier."),
    ShipmentStatus.PICKED_UP: Message("The carrier has the parcel."),
    ShipmentStatus.IN_TRANSIT: Message("The parcel is on its way."),
    ShipmentStatus.CUSTOMS: Message("The parcel is at the customs."),
    ShipmentStatus.OUT_FOR_DELIVERY: Message("The courier is bringing the parcel."),
    ShipmentStatus.READY_FOR_PICKUP: Message("The parcel can be collected."),
    ShipmentStatus.DELIVERED: Message("The parcel was delivered."),
    ShipmentStatus.DELIVERY_FAILED: Message("The parcel could not be delivered."),
    ShipmentStatus.ON_HOLD: Message("The parcel is held up."),
    ShipmentStatus.RETURNING: Message("The parcel is on its way back to us."),
    ShipmentStatus.RETURNED: Message("The parcel has come back to us."),
    ShipmentStatus.EXPIRED: Message("The carrier has not reported anything for a long time."),
}
"""What a customer reads of each status that a carrier reports."""


async def shipment(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Shipment | None:
    """One parcel, by id or by number; null when it does not exist or is not yours.

    id: its global id
    number: its number, as printed on the parcel
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if number is not None:
        return await visible_shipment(info, await info.context.load.shipment_by_number.load(number))
    try:
        return await find_shipment(info, row_id(id or "", "Shipment"))
    except NotFound:
        return None


async def find_shipment(info: Info, shipment_id: int) -> Shipment | None:
    """The shipment, if this viewer may see it."""
    return await visible_shipment(info, await info.context.load.shipment.load(shipment_id))


async def visible_shipment(info: Info, found: Shipment | None) -> Shipment | None:
    """The shipment, if this viewer may see it: customers those of their orders, couriers those they carry."""
    viewer, load = info.context.viewer, info.context.load
    if found is None:
        return None
    if viewer.may(Permission.DELIVERY_RUN_DRIVE):
        return found if is_carried(info, await load.shipment_runs.load(found.id)) else None
    if viewer.may(Permission.SHIPMENT_LIST):
        return found
    order = await load.order.load(found.order_id)
    return found if order and viewer.owns(order.account_id) else None


async def shipments(
    info: Info,
    filter: ShipmentFilter | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Shipment]:
    """All parcels, the newest first.

    filter: which of them
    """
    filters = filter or ShipmentFilter()
    statement = select_shipments(
        status=filters.status,
        warehouse_id=warehouse_row_id(filters.warehouse_id, "filter"),
        carrier=filters.carrier,
        dispatched=filters.dispatched,
        waiting=filters.waiting,
    )
    return await query_page(info, statement, NEWEST_SHIPMENT, page)


async def deliveries_to_pack(
    info: Info,
    warehouse_id: strawberry.ID | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Delivery]:
    """Deliveries that are not packed completely, the oldest first.

    warehouse_id: only with something to pack in this warehouse
    """
    statement = select_deliveries_to_pack(warehouse_id=warehouse_row_id(warehouse_id))
    return await query_page(info, statement, OLDEST_DELIVERY, page)


def warehouse_row_id(id: strawberry.ID | None, *path: str) -> int | None:
    return None if id is None else row_id(id, "Warehouse", field=(*path, "warehouse_id"))


async def shipment_pack(
    info: Info, delivery_id: strawberry.ID, parcels: list[ParcelInput]
) -> Sequence[Shipment]:
    """Packs what is left of a delivery, or part of it, into parcels.

    delivery_id: the delivery that is packed
    parcels: what goes into each parcel; all are packed, or none
    """
    context = info.context
    drafts = []
    with collect_refusals() as check:
        delivery = check.value(row_id, 0, delivery_id, "Delivery", field=("delivery_id",))
        for index, parcel in enumerate(parcels):
            with check:
                drafts.append(parcel.draft(index))
    async with context.transaction() as session:
        draw = partial(context.shop.secrets.new_number, NUMBER_PREFIX, context.now)
        numbers = await draw_free_numbers(session, Shipment.number, draw, len(drafts))
        return await pack_shipments(session, delivery, drafts, numbers=numbers, cause=context.cause)


async def shipment_unpack(info: Info, id: strawberry.ID) -> Delivery:
    """Unpacks a parcel that has not left; its lines wait to be packed again.

    id: the shipment
    """
    async with info.context.transaction() as session:
        return await unpack_shipment(session, row_id(id, "Shipment"), cause=info.context.cause)


async def shipment_dispatch(
    info: Info, id: strawberry.ID, carrier: CarrierCode, tracking_number: str | None = None
) -> Shipment:
    """Hands a parcel to a carrier; without a tracking number a waybill is booked.

    id: the shipment
    carrier: who carries it
    tracking_number: of a waybill that exists already
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
            poll_at=context.now + context.shop.settings.carriers.poll_interval if polled else None,
            cause=context.cause,
        )


async def waybill_for(
    info: Info, shipment_id: int, carrier: CarrierCode, tracking_number: str | None
) -> Waybill:
    """A waybill with the given number, or a booked one; a carrier books each parcel number only once."""
    route = (await load_routes(info.context.shop.database.reads, [shipment_id])).get(shipment_id)
    if route is None:
        raise NotFound("shipment", field=("id",))
    check_dispatchable(route.shipment, route.order, route.delivery)
    if tracking_number is not None:
        return Waybill(clean_tracking_number(tracking_number), None)
    if carrier is CarrierCode.OWN:
        return Waybill(route.shipment.number, None)
    return await book_waybill(info, route, carrier)


async def book_waybill(info: Info, route: ShipmentRoute, code: CarrierCode) -> Waybill:
    carrier = info.context.shop.carriers.get(code)
    if carrier is None:
        raise CarrierUnavailable(code)
    try:
        measured = MeasuredCarrier(carrier, info.context.shop.calls)
        return await measured.book(parcel_of(route), now=info.context.now)
    except CarrierError as error:
        raise CarrierUnavailable(code) from error


def clean_tracking_number(tracking_number: str) -> str:
    number = tracking_number.strip()
    if not 1 <= len(number) <= TRACKING_NUMBER_LENGTH:
        raise Invalid(
            "A tracking number has 1 to {limit} characters.",
            limit=TRACKING_NUMBER_LENGTH,
            field=("tracking_number",),
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
    """Adds a tracking event to a parcel that has left, a proof of delivery for example.

    id: the shipment
    status: the status it has reached
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
            cause=context.cause,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
        )


async def shipment_inspect(info: Info, id: strawberry.ID, lines: list[InspectedLineInput]) -> Shipment:
    """Books what came back in a parcel: to be sold again, damaged or missing.

    What was missing and is found later is booked by inspecting again.

    id: the shipment
    lines: what became of the units of each line that are not booked yet
    """
    units = [line.units(index) for index, line in enumerate(lines)]
    async with info.context.transaction() as session:
        return await inspect_shipment(session, row_id(id, "Shipment"), units, cause=info.context.cause)


async def shipment_end(info: Info, id: strawberry.ID) -> Shipment:
    """Ends a parcel that came back or was lost: what was paid is refunded, what was not is not due any more.

    id: the shipment
    """
    context = info.context
    async with context.transaction() as session:
        return await end_shipment(
            session,
            row_id(id, "Shipment"),
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
            cause=context.cause,
        )


async def shipment_send_again(info: Info, id: strawberry.ID) -> Shipment:
    """Sends a parcel that came back or was lost once more: its units are reserved anew and wait to be packed.

    id: the shipment
    """
    async with info.context.transaction() as session:
        return await send_again(session, row_id(id, "Shipment"), cause=info.context.cause)


async def shipment_correct(info: Info, id: strawberry.ID, reason: str) -> Shipment:
    """Takes back that a parcel was delivered or returned, where that was a mistake.

    id: the shipment
    reason: why, as the customer reads it in the tracking
    """
    async with info.context.transaction() as session:
        return await correct_shipment(
            session, row_id(id, "Shipment"), reason=reason, cause=info.context.cause
        )


async def cash_due(shipments: Sequence[Shipment], info: Info) -> list[Money | None]:
    """What is still to be collected for it in cash; null where nothing is, and until it leaves."""
    orders = await info.context.load.order.load_many([shipment.order_id for shipment in shipments])
    return [
        Money(shipment.cash_amount, order.currency)
        if shipment.cash_amount and order and shipment.cash_collected_at is None
        else None
        for shipment, order in zip(shipments, orders, strict=True)
    ]


async def delivery_cash_due(deliveries: Sequence[Delivery], info: Info) -> list[Money | None]:
    """What is still to be collected for it in cash, before and after its parcels have left; null for nothing.

    All deliveries of an order together have the cash of the order.
    """
    async with info.context.shop.database.reads() as session:
        due = await share_cash_among_deliveries(session, {delivery.order_id for delivery in deliveries})
    return [
        Money(amount, delivery.currency) if (amount := due.get(delivery.id)) else None
        for delivery in deliveries
    ]


async def active_stops(shipments: Sequence[Shipment], info: Info) -> list[ActiveStop | None]:
    """The stops on active delivery runs at which these parcels are brought; None for other carriers."""
    own = [shipment.id for shipment in shipments if shipment.carrier is CarrierCode.OWN]
    found = dict(zip(own, await info.context.load.shipment_active_stop.load_many(own), strict=True))
    return [found.get(shipment.id) for shipment in shipments]


async def positions(shipments: Sequence[Shipment], info: Info) -> list[Position | None]:
    """Where it is: the courier who is bringing it, else the last position its carrier reported."""
    tracked = await info.context.load.shipment_events.load_many([shipment.id for shipment in shipments])
    last = [
        next((event.position for event in reversed(events) if event.position), None) for events in tracked
    ]
    live = [stop.run.position if stop else None for stop in await active_stops(shipments, info)]
    return [courier or carrier for courier, carrier in zip(live, last, strict=True)]


async def stops_ahead(shipments: Sequence[Shipment], info: Info) -> list[int | None]:
    """How many stops the courier makes before this one; null unless a courier of the shop is bringing it."""
    return [stop.stops_ahead if stop else None for stop in await active_stops(shipments, info)]


async def estimated_at(shipments: Sequence[Shipment], info: Info) -> list[datetime | None]:
    """When it should arrive; null when that is unknown."""
    live = await active_stops(shipments, info)
    return [
        active.stop.estimated_at if active else shipment.estimated_at
        for shipment, active in zip(shipments, live, strict=True)
    ]


async def shipment_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to a parcel: the events after a version first, then live ones, each once and in
    order.

    id: the shipment
    after: the last version seen; later ones come first. Without it only what is to come. RELOAD_REQUIRED when
        later ones are archived: load it anew and watch from its version
    """
    found = await find_shipment(info, row_id(id, "Shipment"))
    if found is None:
        raise NotFound("shipment", field=("id",))
    events = info.context.shop.replay.follow(Subject.SHIPMENT, found.id, after)
    async for event in while_visible(info, events, lambda: find_shipment(info, found.id)):
        yield event


def status_then(root: Event) -> ShipmentStatus:
    """Where the parcel was after this event."""
    return ShipmentStatus(root.payload["status"])


def tracking_message(root: TrackingEvent, info: Info) -> str:
    """What happened, in words for a customer and in their language."""
    return info.context.viewer_of(info).text_of(TRACKING_MESSAGES[root.status])
