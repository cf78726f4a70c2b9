"""Packing: waves and their pick lists, open parcels, box types and proposals."""

from datetime import datetime

import strawberry

import models
from resolvers import packing as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.catalog import Variant
from schema.connection import Connection
from schema.limits.sizes import FEW, MANY, PRICING, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.order import Delivery, DeliveryLine, Order, OrderLine
from schema.rows import batched, field, loaded, plain_list, row_type
from schema.shipment import PrintableDocument, Shipment, Waybill
from schema.stock import Warehouse

WaveStatus = describe_enum(models.WaveStatus)
WavePartStatus = describe_enum(models.WavePartStatus)
WaveDropReason = describe_enum(models.WaveDropReason)
OpenParcelStatus = describe_enum(models.OpenParcelStatus)
Misfit = describe_enum(resolve.Misfit)


@row_type(models.BoxType)
class BoxType(Node):
    """A kind of box that parcels are packed into."""

    name: str
    """The name people use."""
    warehouse: Warehouse | None = loaded("warehouse", key="warehouse_id")
    """Where it is used; null for every warehouse."""
    length_mm: int
    """Its longest inner side, in millimetres."""
    width_mm: int
    """Its second inner side, in millimetres."""
    height_mm: int
    """Its inner height, in millimetres."""
    max_weight_grams: int
    """What it may weigh with all that is in it, in grams."""
    own_weight_grams: int
    """What it weighs empty, in grams."""
    version: int
    """One higher with each change; pass it back when you save."""
    archived_at: datetime | None
    """When it was archived: nothing more is packed into it; null while it is used."""


@row_type(resolve.PickListPart)
class PickListPart:
    """Units of a variant that go into the parcels of one delivery."""

    delivery: Delivery = loaded("delivery", key="delivery_id")
    """The delivery."""
    order: Order = loaded("order", key="order_id")
    """Its order."""
    quantity: int
    """How many units."""
    packed: bool
    """Whether all that the wave has of the delivery is packed."""


@row_type(resolve.PickListLine)
class PickListLine:
    """Units of one variant that are picked together."""

    variant: Variant = loaded("variant", key="variant_id")
    """What is picked."""
    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """A line that it was ordered on, with its title."""
    bin_place: str
    """Where it lies; empty where nobody has said it. The lines are in the order of their places."""
    quantity: int
    """How many units in all."""
    parts: list[PickListPart] = plain_list(size=SOME)
    """How many of them for which delivery."""


@row_type(models.WavePart)
class WavePart:
    """What a wave has of one delivery."""

    delivery: Delivery = loaded("delivery", key="delivery_id")
    """The delivery."""
    order: Order = loaded("order", key="order_id")
    """Its order."""
    status: models.WavePartStatus
    """How it stands."""
    reason: models.WaveDropReason | None
    """Why it has dropped out; null where it has not."""
    ended_at: datetime | None
    """When it was packed, dropped out or was freed."""


@row_type(models.Wave)
class Wave(Node):
    """Deliveries of which one warehouse picks the units together."""

    number: str
    """The number by which people refer to it."""
    status: models.WaveStatus
    """How it stands."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it is picked."""
    carrier: models.CarrierCode | None
    """By whom its parcels are to go; null where nobody has said it."""
    due_at: datetime | None
    """When that carrier takes parcels along; null where it is not known."""
    opened_at: datetime
    """When it was opened."""
    ended_at: datetime | None
    """When it was completed or cancelled."""
    parts: list[WavePart] = loaded("wave_parts", key="id", size=MANY)
    """What it has of each delivery, with what has dropped out of it."""
    pick_list: list[PickListLine] = batched(resolve.pick_lists, size=MANY)
    pick_list_document: PrintableDocument = batched(resolve.pick_list_documents)


@row_type(models.OpenParcelLine)
class OpenParcelLine:
    """Units that were scanned into an open parcel."""

    variant: Variant = loaded("variant", key="variant_id")
    """What was scanned."""
    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """The line it was ordered on."""
    quantity: int
    """How many units."""


@row_type(models.OpenParcel)
class OpenParcel(Node):
    """A parcel into which units of a delivery are scanned, until it is packed."""

    status: models.OpenParcelStatus
    """How it stands."""
    reason: models.WaveDropReason | None
    """Why the shop has given it up; null where it has not."""
    delivery: Delivery = loaded("delivery", key="delivery_id")
    """The delivery it is for."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it is packed."""
    lines: list[OpenParcelLine] = loaded("open_parcel_lines", key="id", size=SOME)
    """What was scanned into it."""
    shipment: Shipment | None = loaded("shipment", key="shipment_id")
    """The parcel it became; null before, and where that was unpacked again."""
    opened_at: datetime
    """When it was opened."""
    touched_at: datetime
    """When something was scanned last."""
    ended_at: datetime | None
    """When it was packed or given up."""


@row_type(models.UnpackedParcel)
class UnpackedParcel:
    """A parcel that was unpacked before it left."""

    number: str
    """The number it had, which is never used again."""
    unpacked_at: datetime
    """When it was unpacked."""
    waybills: list[Waybill] = loaded("unpacked_waybills", key="id", size=FEW)
    """What carriers were asked for it, and whether they have cancelled it."""


@row_type(resolve.ProposedLine)
class ProposedLine:
    """Units of one delivery line that would go into a parcel."""

    delivery_line: DeliveryLine = loaded("delivery_line", key="delivery_line_id")
    """The line of the delivery."""
    quantity: int
    """How many units of it."""


@row_type(resolve.UnitPosition)
class UnitPosition:
    """Where one unit would lie in a box, from its hindmost lower left corner."""

    delivery_line: DeliveryLine = loaded("delivery_line", key="delivery_line_id")
    """What it is a unit of."""
    x_mm: int
    """How far along the length of the box it begins."""
    y_mm: int
    """How far along the width of the box it begins."""
    z_mm: int
    """How far above the bottom it begins."""
    length_mm: int
    """Its side along the length of the box, as it lies."""
    width_mm: int
    """Its side along the width of the box."""
    height_mm: int
    """Its height as it lies."""


@row_type(resolve.ProposedParcel)
class ProposedParcel:
    """A box with what would go into it."""

    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it would be packed."""
    box_type: BoxType = loaded("box_type", key="box_type_id")
    """The box."""
    weight_grams: int
    """What it would weigh, in grams."""
    lines: list[ProposedLine] = plain_list(size=SOME)
    """What would go into it."""
    positions: list[UnitPosition] = plain_list(size=SOME)
    """Where each unit would lie."""


@row_type(resolve.LeftUnits)
class LeftUnits:
    """Units for which there is no box."""

    delivery_line: DeliveryLine = loaded("delivery_line", key="delivery_line_id")
    """The line of the delivery."""
    quantity: int
    """How many units of it."""
    reason: resolve.Misfit
    """Why there is no box for them."""


@row_type(resolve.ParcelProposal)
class ParcelProposal:
    """Parcels for what is there of a delivery and not packed."""

    parcels: list[ProposedParcel] = plain_list(size=FEW)
    """The parcels."""
    left: list[LeftUnits] = plain_list(size=FEW)
    """What goes into none of them."""


@row_type(resolve.DeliveryPacking)
class DeliveryPacking:
    """What those who pack see of one delivery."""

    delivery: Delivery = loaded("delivery", key="delivery_id")
    """The delivery."""
    open_parcels: list[OpenParcel] = batched(resolve.open_parcels, size=FEW)
    unpacked_parcels: list[UnpackedParcel] = batched(resolve.unpacked_parcels, size=FEW)
    proposal: ParcelProposal = batched(resolve.proposals, price=PRICING)


@strawberry.type
class PackingQuery:
    waves: Connection[Wave] = field(resolve.waves, allow=Permission.SHIPMENT_PACK)
    wave: Wave | None = field(resolve.wave, allow=Permission.SHIPMENT_PACK)
    box_types: list[BoxType] = field(resolve.box_types, allow=Permission.SHIPMENT_PACK, size=SOME)
    delivery_packing: DeliveryPacking | None = field(resolve.delivery_packing, allow=Permission.SHIPMENT_PACK)


@strawberry.type
class PackingMutation:
    wave_open = mutation(resolve.wave_open, returns=Wave, allow=Permission.SHIPMENT_PACK)
    wave_cancel = mutation(resolve.wave_cancel, returns=Wave, allow=Permission.SHIPMENT_PACK)
    parcel_open = mutation(resolve.parcel_open, returns=OpenParcel, allow=Permission.SHIPMENT_PACK)
    parcel_scan = mutation(resolve.parcel_scan, returns=OpenParcel, allow=Permission.SHIPMENT_PACK)
    parcel_cancel = mutation(resolve.parcel_cancel, returns=OpenParcel, allow=Permission.SHIPMENT_PACK)
    box_type_save = mutation(resolve.box_type_save, returns=BoxType, allow=Permission.SHIPPING_EDIT)
    box_type_archive = mutation(resolve.box_type_archive, returns=BoxType, allow=Permission.SHIPPING_EDIT)
    box_type_restore = mutation(resolve.box_type_restore, returns=BoxType, allow=Permission.SHIPPING_EDIT)
