"""Token buckets (https://en.wikipedia.org/wiki/Token_bucket): how much somebody may still use, by key.

A bucket is stored as one number, the moment at which it will be full again; what it holds now follows from
the rate. A bucket that nobody has taken from is full and stored nowhere.
"""

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

BUCKETS_LIMIT = 100_000
"""Buckets that one process keeps; above that, those are dropped that would be full soonest."""

REDIS_PREFIX = "cartwheel:bucket:"
REDIS_SECONDS = 0.25
"""Time-out of Redis for one bucket."""
REDIS_PAUSE_SECONDS = 1.0
"""How long Redis is not asked after it did not answer, so that not every request waits for it."""

NO_ANSWER = (RedisError, OSError, TimeoutError, AttributeError, RuntimeError)
"""What is raised when Redis is away: a connection that is just being lost has no writer in redis-py, and a
closed handler in uvloop."""

MonotonicClock = Callable[[], float]
"""Seconds since any fixed moment."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a bucket holds, and how fast it refills."""

    capacity: float
    per_second: float

    def __post_init__(self) -> None:
        if not (0 < self.capacity < math.inf and 0 < self.per_second < math.inf):
            raise ValueError(f"{self} never holds anything or never empties")


@dataclass(frozen=True, slots=True)
class Taken:
    """The result of taking from a bucket; when it is not allowed, nothing was taken."""

    allowed: bool
    left: float
    """What the bucket holds afterwards."""
    retry_after: float
    """Seconds until it holds the amount, or until it is full where it never will; 0.0 when allowed."""


class Buckets(Protocol):
    """Buckets by key. A bucket belongs to one rate: its key names what is counted and for whom."""

    async def take(self, key: str, amount: float, rate: Rate) -> Taken:
        """Take `amount` (0 or more) if the bucket holds it. Never raises for a partner that is away."""

    async def put_back(self, key: str, amount: float, rate: Rate) -> None:
        """Return what was taken and not used; a bucket never holds more than its capacity."""


class MemoryBuckets:
    """Buckets of one process."""

    def __init__(self, *, limit: int = BUCKETS_LIMIT, clock: MonotonicClock = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._full_at: dict[str, float] = {}
        # A heap by the moment of being full; a bucket that was taken from again has older entries, too.
        self._soonest: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._full_at)

    async def take(self, key: str, amount: float, rate: Rate) -> Taken:
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now)
        taken = take_from(full_at - now, amount, rate)
        if taken.allowed and amount > 0:
            self._save(key, full_at + amount / rate.per_second)
            self._drop_soonest(now)
        return taken

    async def put_back(self, key: str, amount: float, rate: Rate) -> None:
        if key in self._full_at:
            self._save(key, self._full_at[key] - amount / rate.per_second)

    def _save(self, key: str, full_at: float) -> None:
        self._full_at[key] = full_at
        heapq.heappush(self._soonest, (full_at, key))

    def _drop_soonest(self, now: float) -> None:
        """Drop what is full, and above the limit what would be full soonest."""
        while self._soonest and (self._soonest[0][0] <= now or len(self._full_at) > self._limit):
            full_at, key = heapq.heappop(self._soonest)
            if self._full_at.get(key) == full_at:
                del self._full_at[key]
        if len(self._soonest) > 2 * max(len(self._full_at), 1_000):
            self._soonest = [(full_at, key) for key, full_at in self._full_at.items()]
            heapq.heapify(self._soonest)


def take_from(seconds_until_full: float, amount: float, rate: Rate) -> Taken:
    """The result of taking from the bucket that is full in so many seconds."""
    left = rate.capacity - seconds_until_full * rate.per_second
    if amount <= left:
        return Taken(True, left - amount, 0.0)
    return Taken(False, left, (min(amount, rate.capacity) - left) / rate.per_second)


TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local amount, capacity, per_second = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wait = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) - now, 0)
if amount > capacity - wait * per_second then
    return string.format('%.17g', wait)
end
local after = wait + amount / per_second
if after <= 0 then
    redis.call('DEL', KEYS[1])
elseif amount ~= 0 then
    redis.call('SET', KEYS[1], string.format('%.6f', now + after), 'PX',
        string.format('%d', math.ceil(after * 1000)))
end
return string.format('%.17g', wait)
"""
"""Takes an amount, or returns one that is negative; the time is that of Redis, the same for all processes."""


class RedisBuckets:
    """Buckets that all processes share. While Redis is away, each process counts in its own memory."""

    def __init__(self, redis: Redis, *, clock: MonotonicClock = time.monotonic) -> None:
        self._script = redis.register_script(TAKE)
        self._clock = clock
        self._memory = MemoryBuckets(clock=clock)
        self._away_until: float | None = None

    async def take(self, key: str, amount: float, rate: Rate) -> Taken:
        seconds_until_full = await self._run(key, amount, rate)
        if seconds_until_full is None:
            return await self._memory.take(key, amount, rate)
        return take_from(seconds_until_full, amount, rate)

    async def put_back(self, key: str, amount: float, rate: Rate) -> None:
        if await self._run(key, -amount, rate) is None:
            await self._memory.put_back(key, amount, rate)

    async def _run(self, key: str, amount: float, rate: Rate) -> float | None:
        """Return in how many seconds the bucket was full before the call; None when Redis does not answer."""
        if self._away_until is not None and self._clock() < self._away_until:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                arguments = [repr(amount), repr(rate.capacity), repr(rate.per_second)]
                wait = await self._script(keys=[REDIS_PREFIX + key], args=arguments)
        except NO_ANSWER as error:
            self._note_away(error)
            return None
        if self._away_until is not None:
            self._away_until = None
            log.info("buckets.redis_back")
        return float(wait)

    def _note_away(self, error: Exception) -> None:
        """Ask Redis again only after a pause; logged once for each time it goes away."""
        if self._away_until is None:
            log.warning("buckets.redis_away", error=type(error).__name__)
        self._away_until = self._clock() + REDIS_PAUSE_SECONDS
