"""Delivery runs of the shop's own couriers: planned, driven stop by stop, followed by position."""

from domain.delivery_run.driving import complete_stop, start_delivery_run
from domain.delivery_run.planning import (
    STOPS_LIMIT,
    PlannedStop,
    cancel_delivery_run,
    check_shipment_ids,
    plan_delivery_run,
)
from domain.delivery_run.position import POSITION_EVENT_INTERVAL, report_courier_position
from domain.delivery_run.states import TRANSITIONS

__all__ = [
    "POSITION_EVENT_INTERVAL",
    "STOPS_LIMIT",
    "TRANSITIONS",
    "PlannedStop",
    "cancel_delivery_run",
    "check_shipment_ids",
    "complete_stop",
    "plan_delivery_run",
    "report_courier_position",
    "start_delivery_run",
]
