"""Shipments: packing, dispatch, tracking and the fulfilment status that follows."""

from domain.shipment.dispatch import CarrierUnavailable, check_dispatchable, dispatch_shipment
from domain.shipment.fulfilment import PackedParcel, fulfilment_of, refresh_fulfilment, set_receipt_due
from domain.shipment.packing import (
    ParcelLine,
    ParcelToPack,
    check_packable,
    find_unpacked_parcels,
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
from domain.shipment.unshipped import deliver_unshipped

__all__ = [
    "FINAL",
    "TRANSITIONS",
    "CarrierUnavailable",
    "PackedParcel",
    "ParcelLine",
    "ParcelToPack",
    "TrackingFact",
    "add_tracking_events",
    "check_dispatchable",
    "check_packable",
    "claim_poll",
    "deliver_unshipped",
    "dispatch_shipment",
    "find_unpacked_parcels",
    "fulfilment_of",
    "lock_shipment",
    "pack_shipments",
    "refresh_fulfilment",
    "report_tracking_event",
    "set_receipt_due",
    "unpack_shipment",
]
