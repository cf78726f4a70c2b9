"""How long something takes, as shares of a scale of durations: pure sums, whatever it is about.

A scale of counts can be forgotten gradually, added to and blended, which samples of durations cannot, and it
takes the same room after ten parcels and after ten million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import erf, exp, log, sqrt

SHORTEST_HOURS = 0.25
STEPS = 72
STEP = 1.125
"""Each step of the scale is so many times as long as the one before: it ends after 50 days."""
HALF_LIFE = timedelta(days=4)
"""After so long a finished parcel weighs half: seasons are followed within about a week."""
PRIOR_WEIGHT = 3.0
"""What is known less exactly counts as so many finished parcels."""
FIRST_EDGE = log(SHORTEST_HOURS)

Counts = Sequence[float]


@dataclass(frozen=True, slots=True)
class DurationShares:
    """The share of each step of the scale; the shares come to 1."""

    shares: tuple[float, ...]

    def quantile(self, share: float, *, after_hours: float = 0.0) -> float:
        """Within how many hours, of those that take longer than `after_hours`, so large a share is over."""
        over = self.share_within(after_hours)
        sought = over + share * (1.0 - over)
        total = 0.0
        for step, part in enumerate(self.shares):
            if total + part >= sought and part > 0:
                return max(after_hours, hours_at(step + (sought - total) / part))
            total += part
        return max(after_hours, hours_at(STEPS))

    def share_within(self, hours: float) -> float:
        """The share that is over within so many hours; never all of it."""
        place = place_of(hours)
        whole = int(place)
        within = sum(self.shares[:whole]) + (self.shares[whole] * (place - whole) if whole < STEPS else 0.0)
        return min(within, 1.0 - 1e-9)

    def with_slower(self, share: float, factor: float) -> "DurationShares":
        """As if so large a share took so many times as long."""
        steps = log(factor) / log(STEP)
        whole, rest = int(steps), steps - int(steps)
        mixed = [(1.0 - share) * part for part in self.shares]
        for step, part in enumerate(self.shares):
            for later, weight in ((whole, 1.0 - rest), (whole + 1, rest)):
                mixed[min(step + later, STEPS - 1)] += share * part * weight
        return DurationShares(tuple(mixed))


def mix(most: DurationShares, some: DurationShares, share: float) -> DurationShares:
    """Durations of which so large a share is as in `some`."""
    pairs = zip(most.shares, some.shares, strict=True)
    return DurationShares(tuple((1.0 - share) * first + share * second for first, second in pairs))


def blend(levels: Sequence[Counts], prior: DurationShares) -> DurationShares:
    """The prior, drawn towards the counts of each level: those of the least exact level come first."""
    shares = prior.shares
    for counts in levels:
        total = sum(counts) + PRIOR_WEIGHT
        shares = tuple(
            (count + PRIOR_WEIGHT * share) / total for count, share in zip(counts, shares, strict=True)
        )
    return DurationShares(shares)


def add_duration(counts: Counts, hours: float, weight: float = 1.0) -> list[float]:
    """The counts with one more duration."""
    changed = list(counts) or [0.0] * STEPS
    changed[min(int(place_of(hours)), STEPS - 1)] += weight
    return changed


def forget_gradually(counts: Counts, since: datetime, now: datetime) -> list[float]:
    """The counts as they weigh at a later moment."""
    factor = 0.5 ** (max(now - since, timedelta(0)) / HALF_LIFE)
    return [count * factor for count in counts]


@cache
def prior_for(median_hours: int, spread: float) -> DurationShares:
    """A log-normal distribution: what is assumed of a lane of which nothing is known yet."""
    middle = log(max(median_hours, 1))

    def share_below(step: int) -> float:
        if step <= 0:
            return 0.0
        if step >= STEPS:
            return 1.0
        return 0.5 * (1.0 + erf((FIRST_EDGE + step * log(STEP) - middle) / (spread * sqrt(2.0))))

    return DurationShares(tuple(share_below(step + 1) - share_below(step) for step in range(STEPS)))


def place_of(hours: float) -> float:
    """Where so many hours are on the scale, from 0 to STEPS."""
    if hours <= SHORTEST_HOURS:
        return 0.0
    return min((log(hours) - FIRST_EDGE) / log(STEP), float(STEPS))


def hours_at(place: float) -> float:
    return exp(FIRST_EDGE + place * log(STEP))
