"""Delivery runs against their stops, their couriers and what proves that they were driven."""

from datetime import timedelta

from sqlalchemy import String, case, cast, exists, func, literal, or_, select, union_all

from domain.audit.cash import name_of_run
from domain.audit.comparison import is_long_past, select_differences, select_rows
from domain.delivery_run.driving import COURIER_CODE
from domain.delivery_run.ending import WITH_COURIER, is_without_driver
from models import (
    OWN_COURIERS,
    CourierPosition,
    DeliveryProof,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Shipment,
    ShipmentStatus,
    StopOutcome,
    TrackingEvent,
)
from models.sql.types import AnySelect

S = DeliveryRunStatus

FORGOTTEN_WITHIN = timedelta(days=31)
"""A day longer than a shop may keep positions."""
FAILED_THERE = f"-{ShipmentStatus.DELIVERY_FAILED.value}"
"""How the code of an event ends that tells of a stop where nobody could take the parcel."""


def find_wrong_couriers() -> AnySelect:
    """Runs without a courier that are no drafts, and drafts that have one or never end."""
    is_draft = DeliveryRun.status == S.DRAFT
    has_courier, has_end = DeliveryRun.courier_id.is_not(None), DeliveryRun.draft_until.is_not(None)
    is_kept = case((is_draft, ~has_courier & has_end), else_=has_courier & ~has_end)
    return select_rows(
        name_of_run(DeliveryRun.id),
        expected=literal("a courier, or a draft that ends"),
        found=DeliveryRun.status,
    ).where(DeliveryRun.status != S.CANCELLED, ~is_kept)


def find_open_stops_of_ended_runs() -> AnySelect:
    """Runs that have ended, of which a parcel still waits."""
    waiting = (
        select(func.count(DeliveryRunStop.id))
        .where(DeliveryRunStop.delivery_run_id == DeliveryRun.id, DeliveryRunStop.outcome.is_(None))
        .correlate(DeliveryRun)
        .scalar_subquery()
    )
    found = select_differences(name_of_run(DeliveryRun.id), expected=literal(0), found=waiting)
    return found.where(DeliveryRun.status.in_((S.COMPLETED, S.CANCELLED)))


def find_parcels_left_behind() -> AnySelect:
    """Runs under way with a stop ahead whose parcel has not left, or has left with somebody else."""
    left = Shipment.dispatched_at.is_not(None) & (Shipment.status != ShipmentStatus.PENDING)
    with_us = left & Shipment.carrier.is_not_distinct_from(OWN_COURIERS)
    return (
        select_rows(
            name_of_run(DeliveryRun.id),
            expected=Shipment.number + literal(" has left with our couriers"),
            found=Shipment.status,
        )
        .join(DeliveryRunStop, DeliveryRunStop.delivery_run_id == DeliveryRun.id)
        .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
        .where(DeliveryRun.status == S.ACTIVE, DeliveryRunStop.outcome.is_(None), ~with_us)
    )


def find_runs_without_driver() -> AnySelect:
    """Runs that wait or are under way with somebody who may not drive, of which nobody was told."""
    return select_rows(
        name_of_run(DeliveryRun.id),
        expected=literal("a courier who may drive, or a task of the staff"),
        found=DeliveryRun.status,
    ).where(DeliveryRun.status.in_(WITH_COURIER), DeliveryRun.stalled_at.is_(None), is_without_driver())


def find_stops_unlike_parcels() -> AnySelect:
    """Stops where a parcel was handed over that has not arrived, and where one failed that had.

    What staff have taken back may have been otherwise at the stop.
    """
    events = (
        select(TrackingEvent.id)
        .where(TrackingEvent.shipment_id == Shipment.id)
        .correlate(Shipment, DeliveryRunStop)
    )
    taken_back = events.where(TrackingEvent.revoked_at.is_not(None)).exists()
    arrived = TrackingEvent.status == ShipmentStatus.DELIVERED
    had_arrived = events.where(
        arrived, TrackingEvent.revoked_at.is_(None), TrackingEvent.received_at < DeliveryRunStop.completed_at
    ).exists()
    failed_there = events.where(
        TrackingEvent.code
        == literal(COURIER_CODE).concat(cast(DeliveryRunStop.delivery_run_id, String)).concat(FAILED_THERE)
    ).exists()
    is_delivered = Shipment.status == ShipmentStatus.DELIVERED
    outcome = DeliveryRunStop.outcome
    wrong = or_(
        (outcome == StopOutcome.DELIVERED) & ~is_delivered & ~taken_back,
        (outcome == StopOutcome.FAILED)
        & DeliveryRunStop.skipped.is_(False)
        & is_delivered
        & or_(had_arrived, ~failed_there),
    )
    return (
        select_rows(
            name_of_run(DeliveryRunStop.delivery_run_id).concat(", parcel ").concat(Shipment.number),
            expected=Shipment.status,
            found=outcome,
        )
        .select_from(DeliveryRunStop)
        .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
        .where(wrong)
    )


def find_kept_positions() -> AnySelect:
    """Runs whose last position is forgotten, of which another is kept: in their trail, or beside what was
    tracked on them; and positions of a time before their run, or FORGOTTEN_WITHIN before the newest event."""
    trail = exists().where(CourierPosition.delivery_run_id == DeliveryRun.id)
    code = literal(COURIER_CODE).concat(cast(DeliveryRun.id, String)).concat("-%")
    tracked = (
        select(TrackingEvent.id)
        .join(DeliveryRunStop, DeliveryRunStop.shipment_id == TrackingEvent.shipment_id)
        .where(
            DeliveryRunStop.delivery_run_id == DeliveryRun.id,
            TrackingEvent.code.like(code),
            TrackingEvent.latitude.is_not(None),
        )
        .correlate(DeliveryRun)
        .exists()
    )
    forgotten = select_rows(
        name_of_run(DeliveryRun.id), expected=literal("no position"), found=literal("a position")
    ).where(DeliveryRun.position_at.is_(None), or_(trail, tracked))
    early = select_rows(
        name_of_run(DeliveryRun.id),
        expected=literal("no position of before it was planned"),
        found=literal("a position"),
    ).where(
        or_(
            DeliveryRun.position_at < DeliveryRun.planned_at,
            exists().where(
                CourierPosition.delivery_run_id == DeliveryRun.id, CourierPosition.at < DeliveryRun.planned_at
            ),
        )
    )
    old = select_rows(
        name_of_run(DeliveryRun.id),
        expected=literal("no position of long ago"),
        found=literal("a position"),
    ).where(is_long_past(func.coalesce(DeliveryRun.position_at, DeliveryRun.doubted_at), FORGOTTEN_WITHIN))
    return select(union_all(forgotten, early, old).subquery())


def find_wrong_proofs() -> AnySelect:
    """Proofs of stops that are still ahead, and positions of runs that have never left."""
    early = (
        select_rows(
            name_of_run(DeliveryRunStop.delivery_run_id),
            expected=literal("no proof of a stop ahead"),
            found=literal("a proof"),
        )
        .select_from(DeliveryProof)
        .join(DeliveryRunStop, DeliveryRunStop.id == DeliveryProof.delivery_run_stop_id)
        .where(DeliveryRunStop.outcome.is_(None))
    )
    moved = exists().where(CourierPosition.delivery_run_id == DeliveryRun.id)
    unstarted = select_rows(
        name_of_run(DeliveryRun.id), expected=literal("no position"), found=literal("a position")
    ).where(DeliveryRun.started_at.is_(None), or_(moved, DeliveryRun.position_at.is_not(None)))
    return select(union_all(early, unstarted).subquery())
