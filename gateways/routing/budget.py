"""How much time there is for a plan: one budget from the first distance to the last improvement."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

Clock = Callable[[], float]
"""Seconds since some moment in the past; never goes back."""


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """When something has to be done with."""

    until: float
    clock: Clock = monotonic

    @property
    def left(self) -> float:
        """Seconds; never less than none."""
        return max(self.until - self.clock(), 0.0)

    @property
    def is_over(self) -> bool:
        return self.clock() >= self.until

    def take_share(self, share: float) -> "TimeBudget":
        """A part of what is left, beginning now."""
        return TimeBudget(self.clock() + share * self.left, self.clock)


def start_budget(seconds: float, clock: Clock = monotonic) -> TimeBudget:
    """A budget of so many seconds, beginning now."""
    return TimeBudget(clock() + seconds, clock)
