"""Estimates of arrivals and the statistics they are made of, against the parcels."""

from sqlalchemy import String, and_, cast, func, literal, or_, select, union_all

from domain.audit.comparison import select_rows
from domain.shipment.eta.lanes import Stage
from domain.shipment.states import FINAL
from models import LaneStatistic, Shipment, TrackingEvent
from models.sql.dialects import sum_of_array
from models.sql.types import AnySelect

ROUNDING = 0.001
"""What sums of weights may differ by."""


def find_wrong_ranges() -> AnySelect:
    """Parcels whose estimate is not between its ends, or has one of the three only."""
    earliest, expected, latest = Shipment.eta_earliest_at, Shipment.eta_at, Shipment.eta_latest_at
    some = or_(*(each.is_not(None) for each in (earliest, expected, latest)))
    ordered = and_(earliest <= expected, expected <= latest)
    return select_rows(
        Shipment.number, expected=literal("earliest, expected, latest"), found=cast(expected, String)
    ).where(some, or_(ordered.is_(None), ~ordered))


def find_useless_estimates() -> AnySelect:
    """Parcels that have arrived, came back or ended, and are still expected or asked about."""
    expected = or_(
        Shipment.eta_at.is_not(None), Shipment.late_at.is_not(None), Shipment.silent_at.is_not(None)
    )
    wrong = [
        select_rows(Shipment.number, expected=literal("no estimate"), found=Shipment.status).where(
            or_(Shipment.status.in_(FINAL), Shipment.ended_at.is_not(None)), expected
        ),
        select_rows(Shipment.number, expected=literal("not asked about"), found=Shipment.status).where(
            Shipment.status.in_(FINAL), Shipment.poll_at.is_not(None)
        ),
    ]
    return select(union_all(*wrong).subquery())


def find_wrong_lane_statistics() -> AnySelect:
    """Statistics of all lanes that weigh more than the parcels that have left, each of which counts once, and
    once more where somebody has corrected its tracking.
    """
    left = select(func.count()).where(Shipment.dispatched_at.is_not(None)).scalar_subquery()
    corrected = select(func.count()).where(TrackingEvent.revoked_at.is_not(None)).scalar_subquery()
    weight = sum_of_array(LaneStatistic.counts)
    of_all_lanes = [f"{stage}|" for stage in Stage if stage is not Stage.SILENCE]
    return select_rows(
        LaneStatistic.key, expected=cast(left + corrected, String), found=cast(weight, String)
    ).where(LaneStatistic.key.in_(of_all_lanes), weight > left + corrected + ROUNDING)
