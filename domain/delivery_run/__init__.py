"""Delivery runs of the shop's own couriers: planned, driven stop by stop, followed by position."""

from domain.delivery_run.drafts import (
    PlanOrigin,
    RunDraft,
    UnplannedParcel,
    WrittenDrafts,
    assign_courier,
    end_draft,
    find_obstacle,
    select_ended_drafts,
    write_drafts,
)
from domain.delivery_run.driving import StopReport, complete_stop, is_of_courier, start_delivery_run
from domain.delivery_run.ending import (
    end_delivery_run,
    mark_stalled,
    note_lost_courier,
    select_stalled_runs,
)
from domain.delivery_run.planning import (
    STOPS_LIMIT,
    PlannedStop,
    StopTerms,
    cancel_delivery_run,
    check_shipment_ids,
    plan_delivery_run,
)
from domain.delivery_run.position import (
    POSITION_EVENT_INTERVAL,
    forget_positions,
    report_courier_position,
    select_runs_with_old_positions,
)
from domain.delivery_run.replanning import (
    NewLeg,
    add_stop,
    count_locked,
    drop_parcels_of_order,
    request_replan,
    select_runs_to_replan,
    write_new_order,
)
from domain.delivery_run.shifts import WorkShift, read_shifts, shifts_of_day
from domain.delivery_run.states import TRANSITIONS
from domain.delivery_run.stops import find_skip_reason
from domain.delivery_run.vehicles import (
    VehicleDraft,
    archive_vehicle,
    restore_vehicle,
    save_courier_profile,
    save_vehicle,
)

__all__ = [
    "POSITION_EVENT_INTERVAL",
    "STOPS_LIMIT",
    "TRANSITIONS",
    "NewLeg",
    "PlanOrigin",
    "PlannedStop",
    "RunDraft",
    "StopReport",
    "StopTerms",
    "UnplannedParcel",
    "VehicleDraft",
    "WorkShift",
    "WrittenDrafts",
    "add_stop",
    "archive_vehicle",
    "assign_courier",
    "cancel_delivery_run",
    "check_shipment_ids",
    "complete_stop",
    "count_locked",
    "drop_parcels_of_order",
    "end_delivery_run",
    "end_draft",
    "find_obstacle",
    "find_skip_reason",
    "forget_positions",
    "is_of_courier",
    "mark_stalled",
    "note_lost_courier",
    "plan_delivery_run",
    "read_shifts",
    "report_courier_position",
    "request_replan",
    "restore_vehicle",
    "save_courier_profile",
    "save_vehicle",
    "select_ended_drafts",
    "select_runs_to_replan",
    "select_runs_with_old_positions",
    "select_stalled_runs",
    "shifts_of_day",
    "start_delivery_run",
    "write_drafts",
    "write_new_order",
]
