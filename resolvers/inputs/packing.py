from datetime import datetime

import strawberry

from domain.shipment.boxes import BoxTypeDraft
from domain.shipment.waves import SENT_METHODS, WaveDraft
from models import CarrierCode, ShippingMethod
from resolvers.descriptions import input_type
from resolvers.ids import row_id


@input_type
class WaveOpenInput:
    """What `waveOpen` needs."""

    warehouse_id: strawberry.ID
    """Where it is picked."""
    carrier: CarrierCode | None = None
    """By whom the parcels are to go: without cash to collect where the carrier collects none."""
    methods: list[ShippingMethod] | None = None
    """Only deliveries by these methods; left out, all that are sent."""
    placed_before: datetime | None = None
    """Only of orders that were placed before, such as the cut-off of a carrier."""
    limit: int | None = None
    """The most deliveries; left out, as many as a wave may take."""

    def draft(self) -> WaveDraft:
        return WaveDraft(
            warehouse_id=row_id(self.warehouse_id, "Warehouse", field=("warehouse_id",)),
            carrier=self.carrier,
            methods=SENT_METHODS if self.methods is None else self.methods,
            placed_before=self.placed_before,
            limit=self.limit,
        )


@input_type
class BoxTypeSaveInput:
    """What `boxTypeSave` needs."""

    name: str
    """The name people use."""
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
    id: strawberry.ID | None = None
    """The kind of box to change; a new one is added when left out."""
    version: int | None = None
    """The version that was read; required with `id`."""
    warehouse_id: strawberry.ID | None = None
    """Where it is used; left out, in every warehouse."""

    def draft(self) -> BoxTypeDraft:
        warehouse_id = None
        if self.warehouse_id is not None:
            warehouse_id = row_id(self.warehouse_id, "Warehouse", field=("warehouse_id",))
        return BoxTypeDraft(
            name=self.name,
            warehouse_id=warehouse_id,
            length_mm=self.length_mm,
            width_mm=self.width_mm,
            height_mm=self.height_mm,
            max_weight_grams=self.max_weight_grams,
            own_weight_grams=self.own_weight_grams,
        )
