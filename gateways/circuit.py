"""A circuit breaker: a partner that does not answer is left alone for a while, then tried with one call.

After Michael Nygard, "Release It!"; https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import random
from time import monotonic

FAILURES_LIMIT = 5
"""After so many failures in a row the partner is left alone."""

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 120.0
"""Each pause is twice as long as the one before, up to this."""

JITTER = 0.5
"""Up to this part of a pause is left out at random, so that processes do not come back together."""


@dataclass(slots=True)
class CircuitBreaker:
    """Whether a partner is called, by how its last calls of this process went; `clock` counts seconds."""

    clock: Callable[[], float] = monotonic
    random: Callable[[], float] = random
    longest_pause: float = LONGEST_PAUSE_SECONDS
    failures: int = field(default=0, init=False)
    pauses: int = field(default=0, init=False)
    """How many pauses there were since a call went well."""
    paused_until: float = field(default=0.0, init=False)
    is_trying: bool = field(default=False, init=False)
    """Whether the one call after a pause is under way."""

    @property
    def is_closed(self) -> bool:
        """Whether all calls are let through."""
        return self.failures < FAILURES_LIMIT

    @property
    def is_paused(self) -> bool:
        """Whether no call is let through now."""
        return not self.is_closed and (self.is_trying or self.clock() < self.paused_until)

    def enter(self) -> bool:
        """Whether a call may be made now; whoever makes it tells its outcome by `leave`."""
        if self.is_closed:
            return True
        if self.is_paused:
            return False
        self.is_trying = True
        return True

    def leave(self, *, answered: bool | None) -> None:
        """Count a call that the partner has answered, or has not; None for one that was given up."""
        self.is_trying = False
        if answered is None:
            return
        if answered:
            self.failures = self.pauses = 0
            return
        self.failures += 1
        if not self.is_closed:
            pause = min(FIRST_PAUSE_SECONDS * 2**self.pauses, self.longest_pause)
            self.paused_until = self.clock() + pause * (1 - JITTER * self.random())
            self.pauses += 1
