from datetime import datetime, tzinfo

import strawberry

from domain.errors import collect_refusals
from domain.shipment import InspectedUnits, ParcelLine, ParcelToPack
from domain.shipment.pickup import PickupTime, pickup_too_far
from models import CarrierCode, ParcelSize, ShipmentStatus
from resolvers.descriptions import input_type
from resolvers.ids import row_id


@input_type
class PickupInput:
    """Between which moments of one day a carrier is to collect parcels."""

    begins_at: datetime
    """From when on."""
    ends_at: datetime
    """Until when."""

    def draft(self, zone: tzinfo) -> PickupTime:
        try:
            return PickupTime(self.begins_at.astimezone(zone), self.ends_at.astimezone(zone))
        except OverflowError:
            raise pickup_too_far() from None


@input_type
class ParcelLineInput:
    """Units of a delivery's line that go into a parcel."""

    delivery_line_id: strawberry.ID
    """The line of the delivery."""
    quantity: int
    """How many units of it."""


@input_type
class ParcelSizeInput:
    """The outer dimensions of a parcel."""

    length_mm: int
    """Its longest side, in millimetres."""
    width_mm: int
    """Its second side, in millimetres."""
    height_mm: int
    """Its third side, in millimetres."""


@input_type
class ParcelInput:
    """What goes into one parcel: lines, or what was scanned into an open parcel, which it closes."""

    lines: list[ParcelLineInput] = strawberry.field(
        default_factory=list,
        description="The lines that go into it, each once, all from one warehouse; none with `openParcelId`.",
    )
    weight_grams: int | None = None
    """Its weight; left out, the parcel weighs what its lines and its box weigh."""
    size: ParcelSizeInput | None = None
    """Its outer dimensions; left out, those of its kind of box."""
    box_type_id: strawberry.ID | None = None
    """The kind of box it is packed in."""
    open_parcel_id: strawberry.ID | None = None
    """The open parcel whose scanned units go into it."""

    def draft(self, index: int) -> ParcelToPack:
        lines = []
        with collect_refusals() as check:
            for place, line in enumerate(self.lines):
                field = ("parcels", index, "lines", place, "delivery_line_id")
                with check:
                    line_id = row_id(line.delivery_line_id, "DeliveryLine", field=field)
                    lines.append(ParcelLine(line_id, line.quantity))
            box = open_parcel = None
            if self.box_type_id is not None:
                box_field = ("parcels", index, "box_type_id")
                box = check.value(row_id, 0, self.box_type_id, "BoxType", field=box_field)
            if self.open_parcel_id is not None:
                open_field = ("parcels", index, "open_parcel_id")
                open_parcel = check.value(row_id, 0, self.open_parcel_id, "OpenParcel", field=open_field)
        return ParcelToPack(
            lines=lines,
            weight_grams=self.weight_grams,
            size=ParcelSize(**vars(self.size)) if self.size else None,
            box_type_id=box,
            open_parcel_id=open_parcel,
        )


@input_type
class InspectedLineInput:
    """What became of units of an order line in a parcel that came back."""

    order_line_id: strawberry.ID
    """The line of the order."""
    restocked: int = 0
    """Units that can be sold again."""
    damaged: int = 0
    """Units that are damaged."""
    missing: int = 0
    """Units that are not there."""

    def units(self, index: int) -> InspectedUnits:
        field = ("lines", index, "order_line_id")
        order_line_id = row_id(self.order_line_id, "OrderLine", field=field)
        return InspectedUnits(order_line_id, self.restocked, self.damaged, self.missing)


@input_type
class ShipmentFilter:
    """Which shipments; everything given must hold."""

    status: list[ShipmentStatus] | None = None
    """With one of these statuses."""
    warehouse_id: strawberry.ID | None = None
    """Packed in this warehouse."""
    carrier: CarrierCode | None = None
    """With this carrier."""
    waiting: bool | None = None
    """True: has come back or was lost, and waits to be inspected and ended; false: does not."""
    dispatched: bool | None = None
    """True: has left the warehouse; false: is packed and waits."""
