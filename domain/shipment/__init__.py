"""Shipments: packing, dispatch, tracking and the fulfilment status that follows."""

from domain.order import lock_shipment
from domain.shipment.correction import correct_shipment
from domain.shipment.dispatch import (
    CarrierRefusal,
    CarrierUnavailable,
    check_dispatchable,
    dispatch_shipment,
    find_reserved_units,
)
from domain.shipment.ending import check_endable, end_claimed_units, end_replacement, enter_ending, send_again
from domain.shipment.fulfilment import PackedParcel, fulfilment_of, refresh_fulfilment, set_receipt_due
from domain.shipment.history import TrackingFact
from domain.shipment.inspection import InspectedUnits, inspect_shipment
from domain.shipment.packable import check_packable
from domain.shipment.packing import (
    ParcelLine,
    ParcelToPack,
    find_unpacked_parcels,
    pack_shipments,
    unpack_shipment,
)
from domain.shipment.polling import PollPlan, claim_polls, record_subscribed
from domain.shipment.states import FINAL, NOT_KEPT, TRANSITIONS
from domain.shipment.tracking import add_tracking_events, report_tracking_event
from domain.shipment.unshipped import deliver_unshipped

__all__ = [
    "FINAL",
    "NOT_KEPT",
    "TRANSITIONS",
    "CarrierRefusal",
    "CarrierUnavailable",
    "InspectedUnits",
    "PackedParcel",
    "ParcelLine",
    "ParcelToPack",
    "PollPlan",
    "TrackingFact",
    "add_tracking_events",
    "check_dispatchable",
    "check_endable",
    "check_packable",
    "claim_polls",
    "correct_shipment",
    "deliver_unshipped",
    "dispatch_shipment",
    "end_claimed_units",
    "end_replacement",
    "enter_ending",
    "find_reserved_units",
    "find_unpacked_parcels",
    "fulfilment_of",
    "inspect_shipment",
    "lock_shipment",
    "pack_shipments",
    "record_subscribed",
    "refresh_fulfilment",
    "report_tracking_event",
    "send_again",
    "set_receipt_due",
    "unpack_shipment",
]
