"""Lanes, and how far on its lane a parcel is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from geo import Point, distance_km
from models import ShipmentStatus

HOUR = timedelta(hours=1)
POOLED = 2
"""So many keys of a lane are not of one carrier."""


class Stage(StrEnum):
    """From which moment on the time to the door is measured."""

    DISPATCHED = "DISPATCHED"
    PICKED_UP = "PICKED_UP"
    MOVING = "MOVING"
    HALFWAY = "HALFWAY"
    """Less than half of the way is left, by the position it was last at."""
    NEAR = "NEAR"
    """Less than a tenth of the way is left."""
    CUSTOMS = "CUSTOMS"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    DELIVERY_FAILED = "DELIVERY_FAILED"
    ON_HOLD = "ON_HOLD"
    SILENCE = "SILENCE"
    """Between two events, wherever it is."""


STAGE_OF = {
    ShipmentStatus.PICKED_UP: Stage.PICKED_UP,
    ShipmentStatus.IN_TRANSIT: Stage.MOVING,
    ShipmentStatus.CUSTOMS: Stage.CUSTOMS,
    ShipmentStatus.OUT_FOR_DELIVERY: Stage.OUT_FOR_DELIVERY,
    ShipmentStatus.READY_FOR_PICKUP: Stage.READY_FOR_PICKUP,
    ShipmentStatus.DELIVERY_FAILED: Stage.DELIVERY_FAILED,
    ShipmentStatus.ON_HOLD: Stage.ON_HOLD,
}
"""Statuses from which a parcel goes on to its door; of others nothing is estimated."""
ON_THE_WAY = frozenset({Stage.PICKED_UP, Stage.MOVING, Stage.HALFWAY, Stage.NEAR})


@dataclass(frozen=True, slots=True)
class ParcelLane:
    """From where to where a parcel goes, by whom and when: what its time depends on."""

    origin: str
    """The region of the warehouse."""
    destination: str
    carrier: str
    service: str
    dispatched_at: datetime
    start: Point | None = None
    end: Point | None = None
    pool: str = ""
    """Whose parcels teach where its carrier has brought none: those of all, unless it is of its own kind."""

    @property
    def km(self) -> float | None:
        return distance_km(self.start, self.end) if self.start and self.end else None

    def keys(self, stage: Stage) -> list[str]:
        """The keys of its statistics: the least exact first, the weekday (in UTC) last; the first POOLED are
        of all carriers of its pool."""
        parts = [self.pool, f"{self.origin}>{self.destination}", self.carrier, self.service]
        parts.append(str(self.dispatched_at.isoweekday()))
        return [f"{stage}|{'|'.join(parts[:count])}" for count in range(1, len(parts) + 1)]


@dataclass(frozen=True, slots=True)
class JourneyStep:
    """What was known of a parcel at a moment."""

    at: datetime
    status: ShipmentStatus | None
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """A parcel's lane and what happened on it, in order of time."""

    lane: ParcelLane
    steps: Sequence[JourneyStep]

    @property
    def stages(self) -> list[tuple[Stage, datetime]]:
        """Each stage that it has reached, and when it first did."""
        reached: dict[Stage, datetime] = {Stage.DISPATCHED: self.lane.dispatched_at}
        stage = Stage.DISPATCHED
        for step in self.steps:
            stage = self.stage_after(stage, step)
            reached.setdefault(stage, max(step.at, self.lane.dispatched_at))
        return list(reached.items())

    @property
    def stage(self) -> tuple[Stage, datetime]:
        """Where it is now, and since when."""
        stage, since = Stage.DISPATCHED, self.lane.dispatched_at
        for step in self.steps:
            after = self.stage_after(stage, step)
            if after is not stage:
                stage, since = after, max(step.at, self.lane.dispatched_at)
        return stage, since

    def stage_after(self, before: Stage, step: JourneyStep) -> Stage:
        stage = STAGE_OF.get(step.status, before) if step.status else before
        if stage in ON_THE_WAY and step.point and self.lane.end and (whole := self.lane.km):
            left = distance_km(step.point, self.lane.end) / whole
            stage = Stage.NEAR if left < 0.1 else Stage.HALFWAY if left < 0.5 else stage
        return stage


def measure_journey(journey: Journey, delivered_at: datetime) -> Iterator[tuple[Stage, float]]:
    """Of a parcel that has arrived: how many hours it was from each stage, and between its events."""
    for stage, since in journey.stages:
        if since <= delivered_at:
            yield stage, (delivered_at - since) / HOUR
    moments = sorted({journey.lane.dispatched_at, *(step.at for step in journey.steps)})
    for before, after in pairwise(moments):
        yield Stage.SILENCE, (after - before) / HOUR
