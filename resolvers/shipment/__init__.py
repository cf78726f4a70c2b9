"""Parcels: finding, packing, dispatching, tracking and ending them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import strawberry

from domain.aftersales.undelivered import end_shipment
from domain.errors import NotFound, collect_refusals
from domain.free_numbers import draw_free_numbers
from domain.order.cash import share_cash_among_deliveries
from domain.shipment import (
    TrackingFact,
    correct_shipment,
    inspect_shipment,
    pack_shipments,
    report_tracking_event,
    send_again,
    unpack_shipment,
)
from domain.shipment.pickup import PickupTime
from models import (
    Delivery,
    Money,
    Shipment,
    ShipmentStatus,
)
from resolvers.context import Info
from resolvers.documents import DocumentFormat, PrintableDocument, labels, packing_slip_documents
from resolvers.ids import row_id
from resolvers.inputs.shipment import InspectedLineInput, ParcelInput
from resolvers.shipment.carriers import (
    WaybillLabel,
    carrier_names,
    tracking_urls,
    waybill_children,
    waybill_labels,
    waybill_mothers,
    waybill_pickup,
    waybills,
)
from resolvers.shipment.dispatching import shipment_book, shipment_dispatch
from resolvers.shipment.finding import (
    deliveries_to_pack,
    find_shipment,
    shipment,
    shipments,
    warehouse_row_id,
)
from resolvers.shipment.journey_map import journey_maps, tracked_journey_maps
from resolvers.shipment.links import (
    event_city,
    masked_number,
    shipment_link_create,
    shipment_link_revoke,
    tracked_shipment,
)
from resolvers.shipment.proofs import ProofOfDelivery, proofs_of_delivery
from resolvers.shipment.quotes import ShipmentQuote, shipment_quotes
from resolvers.shipment.tasks import (
    find_shipment_task,
    find_waybill_task,
    parcel_numbers,
    shipment_task_resolve,
    shipment_tasks,
    waybill_task_resolve,
    waybill_tasks,
)
from resolvers.shipment.tracking import (
    TRACKING_MESSAGES,
    estimated_at,
    positions,
    shipment_updates,
    status_then,
    stops_ahead,
    tracking_message,
    tracking_statuses,
)

__all__ = [
    "TRACKING_MESSAGES",
    "DocumentFormat",
    "PickupTime",
    "PrintableDocument",
    "ProofOfDelivery",
    "ShipmentQuote",
    "WaybillLabel",
    "carrier_names",
    "cash_due",
    "deliveries_to_pack",
    "delivery_cash_due",
    "estimated_at",
    "event_city",
    "find_shipment",
    "find_shipment_task",
    "find_waybill_task",
    "journey_maps",
    "labels",
    "masked_number",
    "packing_slip_documents",
    "parcel_numbers",
    "positions",
    "proofs_of_delivery",
    "shipment",
    "shipment_book",
    "shipment_dispatch",
    "shipment_link_create",
    "shipment_link_revoke",
    "shipment_quotes",
    "shipment_task_resolve",
    "shipment_tasks",
    "shipment_updates",
    "shipments",
    "status_then",
    "stops_ahead",
    "tracked_journey_maps",
    "tracked_shipment",
    "tracking_message",
    "tracking_statuses",
    "tracking_urls",
    "warehouse_row_id",
    "waybill_children",
    "waybill_labels",
    "waybill_mothers",
    "waybill_pickup",
    "waybill_task_resolve",
    "waybill_tasks",
    "waybills",
]

NUMBER_PREFIX = "S"


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
