"""Many calls of Redis at the same time wait for its connections; none is told that Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateways.buckets import Rate, RedisBuckets
from gateways.leases import REDIS_PREFIX, Leases
from gateways.redis_client import connect_redis
from tests.servers import RedisServer

CALLS = 200
RATE = Rate(capacity=150, per_second=0.001)


@pytest.fixture
async def narrow_redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect_redis(redis_server.url, connections=5)
    yield client
    await client.aclose()


async def test_many_takes_at_once_are_counted_by_redis(narrow_redis: Redis, key: str) -> None:
    buckets = RedisBuckets(narrow_redis)

    with capture_logs() as logs:
        taken = await asyncio.gather(*(buckets.take(key, 1, RATE) for _ in range(CALLS)))

    assert sum(each.allowed for each in taken) == RATE.capacity
    assert logs == []


async def test_many_leases_at_once_are_shared_while_a_subscription_keeps_its_connection(
    narrow_redis: Redis, key: str
) -> None:
    leases = Leases(narrow_redis)
    with capture_logs() as logs:
        async with narrow_redis.pubsub() as channel, AsyncExitStack() as stack:
            await channel.subscribe(key)
            held = (stack.enter_async_context(leases.hold(key, CALLS)) for _ in range(CALLS))
            await asyncio.gather(*held)
            assert await narrow_redis.zcard(REDIS_PREFIX + key) == CALLS
        assert await narrow_redis.exists(REDIS_PREFIX + key) == 0
    assert logs == []
    await leases.close()


async def test_calls_that_are_given_up_while_they_wait_return_their_connections(
    redis_server: RedisServer, key: str
) -> None:
    client = connect_redis(redis_server.url, connections=1)

    async def count() -> None:
        await client.incr(key)

    for steps in range(60):
        calls = [asyncio.create_task(count()) for _ in range(20)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async with asyncio.timeout(1):
        assert await client.ping()
    await client.aclose()
