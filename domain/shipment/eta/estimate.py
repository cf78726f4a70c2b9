"""The estimate: a pure sum of a journey and the statistics of its lane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.shipment.eta.durations import Counts, DurationShares, blend, forget_gradually, mix, prior_for
from domain.shipment.eta.lanes import POOLED, Journey, ParcelLane, Stage

EARLY, MIDDLE, LATEST = 0.02, 0.5, 0.95
"""Which shares of parcels have arrived when the range begins, at the estimate, and when it ends."""
SEASON_SHARE, SEASON_FACTOR = 0.08, 1.8
"""For the end of the range so large a share of parcels is believed to leave in the first days of a season,
and to take so many times as long as any have lately: the first of them have yet to arrive.
"""
LATE = 0.9
"""A parcel is late when so large a share of its lane had arrived."""
FEWEST_LATE_HOURS = 6.0
"""However fast the others were."""
PRIOR_SHARE = 0.25
"""How much of what is assumed is left in what other carriers have taught, however many their parcels: so the
range is as wide as it should be, and nothing is late, until a carrier has parcels of its own."""
SILENT = 0.98
"""A parcel is silent when so large a share of the others had their next event."""
FEWEST_SILENT_HOURS = 24.0
BASE_HOURS, KM_AN_HOUR = 30, 45.0
"""What is assumed of a lane of which nothing is known: a day for its two ends, and a lorry between them."""
UNKNOWN_KM = 1_500.0
PRIOR_HOURS = {
    Stage.CUSTOMS: 72,
    Stage.OUT_FOR_DELIVERY: 5,
    Stage.READY_FOR_PICKUP: 24,
    Stage.DELIVERY_FAILED: 24,
    Stage.ON_HOLD: 72,
    Stage.SILENCE: 12,
}
SHARE_LEFT = {
    Stage.DISPATCHED: 1.0,
    Stage.PICKED_UP: 0.9,
    Stage.MOVING: 0.75,
    Stage.HALFWAY: 0.5,
    Stage.NEAR: 0.25,
}
SPREAD = 0.55


@dataclass(frozen=True, slots=True)
class Statistic:
    """The counts of one key, as of a moment."""

    counts: Counts
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a parcel arrives, with a range; and when somebody should look where it is."""

    earliest_at: datetime
    expected_at: datetime
    latest_at: datetime
    late_at: datetime
    """When it would be later than nine of ten parcels of its lane."""
    silent_at: datetime
    """When it would be silent for longer than is usual."""


def estimate_arrival(journey: Journey, statistics: Mapping[str, Statistic], now: datetime) -> Arrival:
    """When a parcel on its way arrives, by what is known at this moment.

    What it has taken already is part of it: of a parcel that is late only those that were later count.
    """
    stage, since = journey.stage
    durations = durations_of(journey.lane, stage, statistics, now)
    silence = durations_of(journey.lane, Stage.SILENCE, statistics, now)
    waited = max((now - since).total_seconds() / 3600, 0.0)
    season = durations.with_slower(SEASON_SHARE, SEASON_FACTOR) if stage in SHARE_LEFT else durations

    def moment(share: float, durations: DurationShares = durations) -> datetime:
        return since + timedelta(hours=durations.quantile(share, after_hours=waited))

    usual = durations_of(journey.lane, Stage.DISPATCHED, statistics, now)
    late_at = journey.lane.dispatched_at + timedelta(hours=max(usual.quantile(LATE), FEWEST_LATE_HOURS))
    quiet_hours = max(silence.quantile(SILENT), FEWEST_SILENT_HOURS)
    last = max([since, *(step.at for step in journey.steps if step.at <= now)])
    silent_at = last + timedelta(hours=quiet_hours)
    return Arrival(moment(EARLY), moment(MIDDLE), moment(LATEST, season), late_at, silent_at)


def durations_of(
    lane: ParcelLane, stage: Stage, statistics: Mapping[str, Statistic], now: datetime
) -> DurationShares:
    keys, prior = lane.keys(stage), prior_of(lane, stage)

    def levels(some: Sequence[str]) -> list[Counts]:
        return [
            forget_gradually(found.counts, found.counted_at, now)
            for key in some
            if (found := statistics.get(key))
        ]

    pooled = mix(blend(levels(keys[:POOLED]), prior), prior, PRIOR_SHARE)
    return blend(levels(keys[POOLED:]), pooled)


def prior_of(lane: ParcelLane, stage: Stage) -> DurationShares:
    if hours := PRIOR_HOURS.get(stage):
        return prior_for(hours, SPREAD)
    way = BASE_HOURS + (UNKNOWN_KM if lane.km is None else lane.km) / KM_AN_HOUR
    return prior_for(round(way * SHARE_LEFT[stage]), SPREAD)
