"""Parcels under way have the estimate of their last event."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.eta.estimate import estimate_arrival
from domain.shipment.eta.journeys import StepsOfParcels, load_journeys
from domain.shipment.eta.lanes import STAGE_OF, Stage
from domain.shipment.eta.statistics import read_statistics
from domain.shipment.tasks import due_moments, end_past_tasks
from models import Shipment, ShipmentStatus

ESTIMATED = frozenset({ShipmentStatus.PENDING, *STAGE_OF})


ARRIVAL_COLUMNS = ("eta_earliest_at", "eta_at", "eta_latest_at", "late_at", "silent_at", "count_at")
"""What `refresh_arrivals` sets."""


async def refresh_arrivals(
    session: AsyncSession,
    shipments: Sequence[Shipment],
    steps: StepsOfParcels | None = None,
    *,
    now: datetime,
) -> None:
    """Estimate anew when locked parcels arrive, in a constant number of statements for all of them, by the
    steps given or those stored; parcels that are not on the way to their customers have no estimate.

    One that has arrived waits to be counted in the statistics of its lane. Tasks end with their reason.
    """
    before = {shipment.id: due_moments(shipment) for shipment in shipments}
    await estimate_arrivals(session, shipments, steps, now=now)
    await end_past_tasks(session, shipments, before, now=now)


async def estimate_arrivals(
    session: AsyncSession,
    shipments: Sequence[Shipment],
    steps: StepsOfParcels | None,
    *,
    now: datetime,
) -> None:
    under_way = []
    for shipment in shipments:
        if is_expected(shipment):
            under_way.append(shipment)
            continue
        clear_arrival(shipment)
        if shipment.status is ShipmentStatus.RETURNED:
            shipment.signed_after_end_at = None
        if shipment.status is ShipmentStatus.DELIVERED and shipment.dispatched_at:
            shipment.count_at = now
    if not under_way:
        return
    journeys = await load_journeys(session, under_way, steps)
    statistics = await read_statistics(
        session,
        [
            key
            for journey in journeys.values()
            for stage in {Stage.DISPATCHED, journey.stage[0], Stage.SILENCE}
            for key in journey.lane.keys(stage)
        ],
    )
    for shipment in under_way:
        if journey := journeys.get(shipment.id):
            arrival = estimate_arrival(journey, statistics, now)
            shipment.eta_earliest_at, shipment.eta_at = arrival.earliest_at, arrival.expected_at
            shipment.eta_latest_at, shipment.silent_at = arrival.latest_at, arrival.silent_at
            shipment.late_at = shipment.late_at or arrival.late_at


def is_expected(shipment: Shipment) -> bool:
    """Whether a parcel is on the way to its customer."""
    has_left = shipment.dispatched_at is not None
    return has_left and shipment.ended_at is None and shipment.status in ESTIMATED


async def forget_arrival(session: AsyncSession, shipment: Shipment, *, now: datetime) -> None:
    """A locked parcel is not expected any more: it has no estimate and no open task."""
    before = {shipment.id: due_moments(shipment)}
    clear_arrival(shipment)
    await end_past_tasks(session, [shipment], before, now=now)


def clear_arrival(shipment: Shipment) -> None:
    shipment.eta_earliest_at, shipment.eta_at, shipment.eta_latest_at = None, None, None
    shipment.late_at, shipment.silent_at = None, None
