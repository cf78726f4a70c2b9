"""What may happen to a parcel: packed, dispatched, tracked to the door."""

from domain.shipment.dispatch import CarrierUnavailable, check_dispatchable, dispatch_shipment
from domain.shipment.fulfilment import PackedParcel, fulfilment_of, refresh_fulfilment
from domain.shipment.packing import (
    ParcelToPack,
    Picked,
    check_packable,
    left_to_pack,
    pack_shipments,
    unpack_shipment,
)
from domain.shipment.states import FINAL, TRANSITIONS, lock_shipment
from domain.shipment.tracking import (
    TrackingFact,
    add_tracking_events,
    claim_poll,
    report_tracking_event,
)

__all__ = [
    "FINAL",
    "TRANSITIONS",
    "CarrierUnavailable",
    "PackedParcel",
    "ParcelToPack",
    "Picked",
    "TrackingFact",
    "add_tracking_events",
    "check_dispatchable",
    "check_packable",
    "claim_poll",
    "dispatch_shipment",
    "fulfilment_of",
    "left_to_pack",
    "lock_shipment",
    "pack_shipments",
    "refresh_fulfilment",
    "report_tracking_event",
    "unpack_shipment",
]
