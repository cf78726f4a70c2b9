from datetime import datetime

import strawberry

import models
from resolvers import reasons
from resolvers import shipment as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from resolvers.payment import cash_write_off
from schema.carrier import Carrier
from schema.carrier_rule import CarrierRule
from schema.catalog.product import Media
from schema.connection import Connection
from schema.limits.sizes import FEW, JOURNEY_MAP, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.order import Delivery, Order, OrderLine
from schema.rows import batched, field, loaded, row_type, subscription
from schema.scalars import Money
from schema.stock import Warehouse

ShipmentStatus = describe_enum(models.ShipmentStatus)
ShipmentEnding = describe_enum(models.ShipmentEnding)
WaybillStatus = describe_enum(models.WaybillStatus)
CarrierChoice = describe_enum(models.CarrierChoice)
LabelFormat = describe_enum(models.LabelFormat)
DocumentFormat = describe_enum(resolve.DocumentFormat)


@row_type(models.Position)
class Position:
    """Where something was."""

    latitude: float
    """In degrees, north is positive."""
    longitude: float
    """In degrees, east is positive."""
    at: datetime
    """When it was there."""


@row_type(models.ParcelSize)
class ParcelSize:
    """The outer dimensions of a parcel."""

    length_mm: int
    """Its longest side, in millimetres."""
    width_mm: int
    """Its second side, in millimetres."""
    height_mm: int
    """Its third side, in millimetres."""


@row_type(models.ArrivalEstimate)
class ArrivalEstimate:
    """When a parcel arrives, estimated from parcels that went the same way, or by the run of its courier."""

    earliest_at: datetime
    """Hardly any arrived earlier."""
    expected_at: datetime
    """Half of them had arrived."""
    latest_at: datetime
    """Nineteen of twenty had arrived, with an allowance for a season that has just begun."""


@row_type(models.ShipmentLine)
class ShipmentLine:
    """Units of an order line inside a parcel."""

    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """What was bought."""
    quantity: int
    """How many units of it are in this parcel."""
    restocked: int
    """How many of them came back and can be sold again."""
    damaged: int
    """How many of them came back damaged."""


@row_type(models.TrackingEvent)
class TrackingEvent:
    """Something that happened to a parcel on its way."""

    status: models.ShipmentStatus = batched(resolve.tracking_statuses)
    message: str = field(resolve.tracking_message)
    description: str = field(reasons.tracking_description)
    location: str
    """The name of the place; empty when the carrier gave none."""
    position: Position | None
    """Where it was; null when that is unknown."""
    occurred_at: datetime
    """When it happened."""


@row_type(resolve.WaybillLabel)
class WaybillLabel:
    """What is printed and put on a parcel, as the carrier gave it."""

    format: models.LabelFormat
    """What it is."""
    kind: str | None
    """Which program prints it, where it is a print job."""
    content: str
    """Its bytes, as base64."""


@row_type(resolve.PickupTime)
class PickupTime:
    """Between which moments a carrier is to collect a parcel."""

    begins_at: datetime
    """From when on."""
    ends_at: datetime
    """Until when."""


@row_type(models.Waybill)
class Waybill:
    """What a carrier was asked to carry, and what it answered."""

    carrier: models.CarrierCode
    """The code of the carrier."""
    choice: models.CarrierChoice
    """Why this carrier was asked."""
    rule: CarrierRule | None = loaded("carrier_rule", key="rule_id")
    """The rule that chose it, as it is now; null where none did."""
    rule_version: int | None
    """The version that the rule had then."""
    quoted_price: Money | None
    """What it had quoted, where it was asked before it was chosen."""
    promised_at: datetime | None
    """When it had promised to arrive, where it was asked before it was chosen."""
    status: models.WaybillStatus
    """How the booking stands."""
    number: str | None
    """The tracking number; null until the carrier has given one."""
    children: list[str] = field(resolve.waybill_children, size=FEW)
    mother_number: str | None = batched(resolve.waybill_mothers)
    pickup: PickupTime | None = field(resolve.waybill_pickup)
    reason: str | None
    """What the carrier said last, or why it said nothing."""
    requested_at: datetime
    """When it was asked for."""
    booked_at: datetime | None
    """When the carrier gave the number."""
    ended_at: datetime | None
    """When it was refused or cancelled."""
    label: WaybillLabel | None = batched(resolve.waybill_labels)


@row_type(resolve.ProofOfDelivery)
class ProofOfDelivery:
    """That a courier of the shop has handed a parcel over."""

    taken_by: str
    """Who took it, as the courier noted it; may be empty."""
    at: datetime
    """When it was handed over."""
    signature: Media | None
    """The picture of the signature; null without one."""
    photo: Media | None
    """The picture of where it was left; null without one."""


@row_type(resolve.PrintableDocument)
class PrintableDocument:
    """A document that can be printed for a short time, by whoever has its address."""

    url: str
    """Its address: open it, or print what it answers."""
    expires_at: datetime
    """Until when the address opens it."""
    carrier_format: models.LabelFormat | None
    """What it is where it comes from the carrier; null for one of the shop's own."""


@row_type(models.Shipment)
class Shipment(Node):
    """One parcel, from packing to delivery."""

    number: str
    """The shop's own number, as printed on the parcel."""
    status: models.ShipmentStatus
    """Where it is."""
    carrier: models.CarrierCode | None
    """The code of its carrier; null until it is dispatched."""
    carrier_name: str | None = batched(resolve.carrier_names)
    tracking_url: str | None = batched(resolve.tracking_urls)
    tracking_number: str | None
    """Its number at the carrier; null until it is dispatched."""
    weight_grams: int
    """What it weighs."""
    size: ParcelSize | None
    """Its outer dimensions; null when they were not measured."""
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    packed_at: datetime
    """When it was packed."""
    dispatched_at: datetime | None
    """When it left the warehouse."""
    delivered_at: datetime | None
    """When it arrived."""
    waiting_since: datetime | None
    """Since when it is back or lost and waits to be inspected and ended; null when it does not."""
    inspected_at: datetime | None
    """When the warehouse booked what came back in it."""
    ended_at: datetime | None
    """When it ended without having been kept."""
    ending: models.ShipmentEnding | None
    """How it ended without having been kept; null otherwise."""
    cash_due: Money | None = batched(resolve.cash_due)
    cash_collected_at: datetime | None
    """When the cash for it was collected."""
    cash_written_off_at: datetime | None
    """When the cash for it was given up."""
    last_event_at: datetime | None
    """When its latest tracking event happened."""
    lines: list[ShipmentLine] = loaded("shipment_lines", key="id", size=SOME)
    """What is in it."""
    events: list[TrackingEvent] = loaded("shipment_events", key="id", size=SOME)
    """Its tracking events, the newest last."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it was packed."""
    delivery: Delivery = loaded("delivery", key="delivery_id")
    """The part of the order it belongs to, with its address."""
    order: Order = loaded("order", key="order_id")
    """The order it belongs to."""
    waybills: list[Waybill] | None = batched(resolve.waybills, size=FEW)
    label: PrintableDocument | None = batched(resolve.labels)
    packing_slip: PrintableDocument | None = batched(resolve.packing_slip_documents)
    position: Position | None = batched(resolve.positions)
    stops_ahead: int | None = batched(resolve.stops_ahead)
    estimated_at: datetime | None = batched(resolve.estimated_at)
    proof_of_delivery: ProofOfDelivery | None = batched(resolve.proofs_of_delivery)
    eta: ArrivalEstimate | None
    """When it arrives, with a range, as of its last event or its courier's last position; null unless it is
    on its way to its customer.
    """
    journey_map: str = batched(resolve.journey_maps, price=JOURNEY_MAP)


@row_type(models.Event)
class ShipmentUpdate:
    """One thing that happened to a shipment."""

    version: int
    """The shipment's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "shipment.tracked"."""
    status: models.ShipmentStatus = field(resolve.status_then)
    occurred_at: datetime
    """When the shop recorded it."""
    shipment: Shipment | None = loaded("shipment", key="subject_id")
    """The shipment as it is now; null when it has been unpacked."""


@row_type(resolve.ShipmentQuote)
class ShipmentQuote:
    """What a carrier asks for a parcel, or why it says nothing; one for each of its services."""

    carrier: Carrier
    """The carrier that was asked."""
    service: str
    """The service, in the words of the carrier; may be empty."""
    price: Money | None
    """What carrying costs; null where it says nothing."""
    promised_at: datetime | None
    """When it would arrive; null where it does not promise it."""
    error: str | None
    """Why it quotes nothing; null where it does."""


@strawberry.type
class ShipmentQuery:
    shipment_quotes: list[ShipmentQuote] = field(
        resolve.shipment_quotes, allow=Permission.SHIPMENT_PACK, size=SOME
    )
    shipment: Shipment | None = field(resolve.shipment, allow=Permission.SHIPMENT_VIEW)
    shipments: Connection[Shipment] = field(resolve.shipments, allow=Permission.SHIPMENT_LIST)
    deliveries_to_pack: Connection[Delivery] = field(
        resolve.deliveries_to_pack, allow=Permission.SHIPMENT_PACK
    )


@strawberry.type
class ShipmentMutation:
    shipment_pack = mutation(
        resolve.shipment_pack,
        returns=list[Shipment],
        allow=Permission.SHIPMENT_PACK,
        field_name="shipments",
        field_description="The parcels, in the order given; null when the shop refused.",
    )
    shipment_unpack = mutation(resolve.shipment_unpack, returns=Delivery, allow=Permission.SHIPMENT_PACK)
    shipment_book = mutation(resolve.shipment_book, returns=Shipment, allow=Permission.SHIPMENT_PACK)
    shipment_dispatch = mutation(resolve.shipment_dispatch, returns=Shipment, allow=Permission.SHIPMENT_PACK)
    shipment_event_add = mutation(
        resolve.shipment_event_add, returns=Shipment, allow=Permission.SHIPMENT_TRACK
    )
    shipment_inspect = mutation(resolve.shipment_inspect, returns=Shipment, allow=Permission.RETURN_RECEIVE)
    shipment_end = mutation(resolve.shipment_end, returns=Shipment, allow=Permission.RETURN_RECEIVE)
    shipment_send_again = mutation(
        resolve.shipment_send_again, returns=Shipment, allow=Permission.RETURN_RECEIVE
    )
    shipment_correct = mutation(resolve.shipment_correct, returns=Shipment, allow=Permission.RETURN_RECEIVE)
    cash_write_off = mutation(cash_write_off, returns=Shipment, allow=Permission.CASH_WRITE_OFF)


@strawberry.type
class ShipmentSubscription:
    shipment_updates: ShipmentUpdate = subscription(resolve.shipment_updates, allow=Permission.SHIPMENT_VIEW)
