"""How many of something are held at the same time, by key: live connections of an address or account."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

import structlog
from redis.asyncio import Redis

from gateways.buckets import NO_ANSWER

log = structlog.get_logger()

REDIS_PREFIX = "cartwheel:lease:"
REDIS_SECONDS = 0.25
"""Time-out of Redis for one lease."""
LEASE_SECONDS = 60
"""After this time a lease ends that its process has not renewed: the process is gone."""
RENEW_SECONDS = 20.0

ACQUIRE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
"""Adds a lease to those of a key unless they are as many as the limit; the time is that of Redis."""

RENEW = """
local clock = redis.call('TIME')
for place = 2, #ARGV do redis.call('ZADD', KEYS[1], clock[1] + ARGV[1], ARGV[place]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class LimitExceeded(Exception):
    """As many as the limit are held already."""


class Leases:
    """Leases by key, counted in Redis for all processes, or in this process where there is no Redis.

    While Redis is away each process counts its own; when it is back they are made known again.
    """

    def __init__(self, redis: Redis | None = None) -> None:
        self._redis = redis
        self._acquire_script = redis.register_script(ACQUIRE) if redis else None
        self._renew_script = redis.register_script(RENEW) if redis else None
        self._held: dict[str, set[str]] = {}
        self._process, self._numbers = secrets.token_hex(8), count()
        self._renewing: asyncio.Task[None] | None = None

    def count_held(self, key: str) -> int:
        """How many this process holds."""
        return len(self._held.get(key, ()))

    @asynccontextmanager
    async def hold(self, key: str, limit: int) -> AsyncIterator[None]:
        """Hold one until the block ends; LimitExceeded where there are `limit` already."""
        if self.count_held(key) >= limit:
            raise LimitExceeded
        name = f"{self._process}:{next(self._numbers)}"
        self._held.setdefault(key, set()).add(name)
        try:
            if not await self._share(key, name, limit):
                raise LimitExceeded
            yield
        finally:
            self._held[key].discard(name)
            if not self._held[key]:
                del self._held[key]
            await self._withdraw(key, name)

    async def _share(self, key: str, name: str, limit: int) -> bool:
        """Add the lease in Redis; False where all processes together have as many as the limit."""
        if self._acquire_script is None:
            return True
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew_always())
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                keys, arguments = [REDIS_PREFIX + key], [str(limit), str(LEASE_SECONDS), name]
                return bool(await self._acquire_script(keys=keys, args=arguments))
        except NO_ANSWER as error:
            log.warning("leases.not_shared", error=type(error).__name__)
            return True

    async def _withdraw(self, key: str, name: str) -> None:
        if self._redis is not None:
            with suppress(*NO_ANSWER):
                async with asyncio.timeout(REDIS_SECONDS):
                    await self._redis.zrem(REDIS_PREFIX + key, name)

    async def _renew_always(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(*NO_ANSWER):
                await self.renew()

    async def renew(self) -> None:
        """Renew all leases of this process in Redis."""
        if self._renew_script is not None:
            for key, names in list(self._held.items()):
                await self._renew_script(keys=[REDIS_PREFIX + key], args=[LEASE_SECONDS, *names])

    async def close(self) -> None:
        """Renew no longer; what is still held ends by itself."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
