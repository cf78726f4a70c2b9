"""When units can be claimed: counted for each parcel, from the day after it arrived."""

from dataclasses import dataclass
from datetime import datetime

from domain.aftersales.deadlines import Deadlines, last_moment
from domain.aftersales.reasons import REASONS, ClaimStage
from domain.aftersales.rules import ClaimCase, ClaimedUnits, NotEligible, TicketObstacle
from domain.aftersales.sent_units import PickedUnits, SentUnits, pick_units
from domain.errors import Path
from domain.order import label_of_line
from text.messages import Localized


@dataclass(frozen=True, slots=True)
class ClaimTimes:
    """From when and until when the units in one parcel can be claimed; None is no limit."""

    opens_at: datetime | None
    closes_at: datetime | None

    def allow(self, moment: datetime) -> bool:
        """Whether it is neither too early nor too late."""
        return not self.is_early(moment) and not self.is_late(moment)

    def is_early(self, moment: datetime) -> bool:
        return self.opens_at is not None and moment < self.opens_at

    def is_late(self, moment: datetime) -> bool:
        return self.closes_at is not None and moment > self.closes_at


def claim_times(sent: SentUnits, stage: ClaimStage, days: int, deadlines: Deadlines) -> ClaimTimes:
    """When units can be claimed that must have come to a stage."""
    closes_at = sent.arrived_at and last_moment(sent.arrived_at + sent.away, days, deadlines.zone)
    shipment = sent.shipment
    if stage is not ClaimStage.SENT or shipment.dispatched_at is None:
        return ClaimTimes(None, closes_at)
    promised_at = shipment.estimated_at or shipment.dispatched_at + deadlines.delivery_promise
    opens_at = promised_at + deadlines.not_received_after
    # A carrier that delivers long before the promised time must not close the window before it opens.
    return ClaimTimes(opens_at, closes_at and max(closes_at, last_moment(opens_at, days, deadlines.zone)))


@dataclass(frozen=True, slots=True)
class ClaimWindow:
    """The parcels that claimed units may be in, each with its times."""

    parcels: list[tuple[SentUnits, ClaimTimes]]
    asked_at: datetime

    @property
    def in_time(self) -> list[SentUnits]:
        return [sent for sent, times in self.parcels if times.allow(self.asked_at)]

    @property
    def left(self) -> int:
        """Units that can be claimed now."""
        return sum(sent.left for sent in self.in_time)

    def pick(self, quantity: int) -> list[PickedUnits]:
        """Up to `quantity` units that can be claimed now, the oldest first."""
        return pick_units(self.in_time, quantity)

    def closes_at(self, quantity: int) -> datetime | None:
        """The last moment to claim so many units, or when it was; None before they arrive."""
        picked = [sent for sent, _ in self.pick(quantity)]
        ends = [
            times.closes_at
            for sent, times in self.parcels
            if times.closes_at and (sent in picked or (not picked and sent.left))
        ]
        return (min if picked else max)(ends, default=None)

    def opens_at(self, quantity: int) -> datetime | None:
        """From when so many units can be claimed; None where they can be now, or never."""
        missing = quantity - self.left
        early = sorted(
            (times.opens_at, sent.left)
            for sent, times in self.parcels
            if times.opens_at and times.is_early(self.asked_at)
        )
        for opens_at, left in early:
            if missing > 0 and (missing := missing - left) <= 0:
                return opens_at
        return None


def window_of(
    case: ClaimCase, claimed: ClaimedUnits, deadlines: Deadlines, *, asked_at: datetime
) -> ClaimWindow:
    """The window of claimed units that have left."""
    days, stage = case.days[claimed.order_line_id], case.claim.stage
    parcels = case.parcels_of(claimed)
    return ClaimWindow([(sent, claim_times(sent, stage, days, deadlines)) for sent in parcels], asked_at)


def find_time_obstacle(case: ClaimCase, deadlines: Deadlines, *, asked_at: datetime) -> NotEligible | None:
    """Whether it is too early or too late for the claimed units, or they are excluded."""
    if case.claim.stage is ClaimStage.WAITING:
        return None
    for index, claimed in enumerate(case.claim.lines):
        window = window_of(case, claimed, deadlines, asked_at=asked_at)
        field, line = ("lines", index), case.lines[claimed.order_line_id]
        if line.exclusion is not None and not REASONS[case.claim.reason].fault:
            template = "{title} cannot be returned without a reason, as you confirmed when you ordered it."
            return NotEligible(TicketObstacle.EXCLUDED, template, title=label_of_line(line), field=field)
        if claimed.quantity > window.left:
            return refuse_time(window, claimed.quantity, label_of_line(line), deadlines, field)
    return None


def refuse_time(
    window: ClaimWindow, quantity: int, title: Localized, deadlines: Deadlines, field: Path
) -> NotEligible:
    """The refusal of more units than can be claimed now."""
    if opens_at := window.opens_at(quantity):
        early = "{title} may still arrive: ask again from {moment}."
        return NotEligible(TicketObstacle.TOO_EARLY, early, title=title, moment=opens_at, field=field)
    late = [times.closes_at for _, times in window.parcels if times.is_late(window.asked_at)]
    day = max(moment.astimezone(deadlines.zone).date() for moment in late if moment)
    if left := window.left:
        partly = "Only {left} of {title} can still be asked for: the time for the others ended on {day}."
        return NotEligible(TicketObstacle.WINDOW_CLOSED, partly, left=left, title=title, day=day, field=field)
    return NotEligible(
        TicketObstacle.WINDOW_CLOSED, "The time for this ended on {day}.", day=day, field=field
    )
