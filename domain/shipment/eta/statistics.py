"""The statistics of lanes: each parcel that has arrived is counted once, and never read again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.eta.durations import add_duration, forget_gradually
from domain.shipment.eta.estimate import Statistic
from domain.shipment.eta.journeys import load_journeys
from domain.shipment.eta.lanes import measure_journey
from models import LaneStatistic, Shipment, ShipmentStatus
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into


def due_journeys(now: datetime) -> AnySelect:
    """Select the ids of parcels that have arrived and are not counted yet, the longest ago first."""
    return select(Shipment.id).where(Shipment.count_at <= now).order_by(Shipment.count_at)


async def count_journeys(session: AsyncSession, shipment_ids: Sequence[int], *, now: datetime) -> int:
    """Count parcels that have arrived in the statistics of their lanes, except those counted already."""
    locked = await session.scalars(
        select(Shipment)
        .where(Shipment.id.in_(shipment_ids), Shipment.count_at <= now)
        .order_by(Shipment.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    shipments = locked.all()
    for shipment in shipments:
        shipment.count_at = None
    arrived = [each for each in shipments if each.status is ShipmentStatus.DELIVERED and each.delivered_at]
    journeys = await load_journeys(session, arrived)
    measured: defaultdict[str, list[float]] = defaultdict(list)
    for shipment in arrived:
        journey = journeys.get(shipment.id)
        if journey is None or shipment.delivered_at is None:
            continue
        for stage, hours in measure_journey(journey, shipment.delivered_at):
            for key in journey.lane.keys(stage):
                measured[key].append(hours)
    await add_to_statistics(session, measured, now=now)
    return len(shipments)


async def add_to_statistics(
    session: AsyncSession, measured: Mapping[str, Sequence[float]], *, now: datetime
) -> None:
    """Add durations to the statistics of their keys, which are locked in the order of the keys."""
    if not measured:
        return
    keys = sorted(measured)
    await session.execute(
        upsert_into(session, LaneStatistic)
        .values([{"key": key, "counts": [], "counted_at": now} for key in keys])
        .on_conflict_do_nothing()
    )
    rows = await session.scalars(
        select(LaneStatistic)
        .where(LaneStatistic.key.in_(keys))
        .order_by(LaneStatistic.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in rows:
        counts = forget_gradually(row.counts, row.counted_at, now)
        for hours in measured[row.key]:
            counts = add_duration(counts, hours)
        row.counts, row.counted_at = counts, now
    await session.flush()


async def read_statistics(session: AsyncSession, keys: Iterable[str]) -> Mapping[str, Statistic]:
    rows = await session.execute(
        select(LaneStatistic.key, LaneStatistic.counts, LaneStatistic.counted_at).where(
            LaneStatistic.key.in_(sorted(set(keys)))
        )
    )
    return {key: Statistic(counts, counted_at) for key, counts, counted_at in rows if counts}
