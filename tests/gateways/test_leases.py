"""Leases: never more at the same time than the limit, in one process and in several."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateways.leases import LEASE_SECONDS, REDIS_PREFIX, Leases, LimitExceeded
from tests.servers import PrivateRedis


@pytest.fixture(params=["memory", "redis"])
async def leases(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Leases]:
    leases = Leases(redis if request.param == "redis" else None)
    yield leases
    await leases.close()


async def may_hold(leases: Leases, key: str, limit: int) -> bool:
    try:
        async with leases.hold(key, limit):
            return True
    except LimitExceeded:
        return False


async def test_there_are_never_more_than_the_limit_and_an_ended_one_gives_room(
    leases: Leases, key: str
) -> None:
    async with leases.hold(key, 2):
        async with leases.hold(key, 2):
            assert not await may_hold(leases, key, 2)
            assert await may_hold(leases, f"{key}:other", 2)
        assert await may_hold(leases, key, 2)
    assert leases.count_held(key) == 0


async def test_of_many_at_once_as_many_as_the_limit_are_held(leases: Leases, key: str) -> None:
    async with AsyncExitStack() as stack:
        attempts = (stack.enter_async_context(leases.hold(key, 7)) for _ in range(50))
        results = await asyncio.gather(*attempts, return_exceptions=True)

    assert sum(result is None for result in results) == 7
    assert {type(result) for result in results} == {type(None), LimitExceeded}


async def test_several_processes_share_one_limit(redis: Redis, key: str) -> None:
    one, other = Leases(redis), Leases(redis)
    async with one.hold(key, 2), other.hold(key, 2):
        assert not await may_hold(one, key, 2)
        assert not await may_hold(other, key, 2)
    assert await redis.exists(REDIS_PREFIX + key) == 0
    await asyncio.gather(one.close(), other.close())


async def test_the_leases_of_a_process_that_is_gone_end_by_themselves(redis: Redis, key: str) -> None:
    gone, other = Leases(redis), Leases(redis)
    held = gone.hold(key, 1)
    await held.__aenter__()
    await gone.close()

    assert not await may_hold(other, key, 1)
    assert 0 < await redis.ttl(REDIS_PREFIX + key) <= LEASE_SECONDS
    for name in await redis.zrange(REDIS_PREFIX + key, 0, -1):
        assert isinstance(name, bytes)
        await redis.zadd(REDIS_PREFIX + key, {name.decode(): 1.0})  # as if LEASE_SECONDS had passed
    assert await may_hold(other, key, 1)
    await other.close()


async def test_what_redis_has_lost_is_known_again_after_renewing(redis: Redis, key: str) -> None:
    leases, other = Leases(redis), Leases(redis)
    async with leases.hold(key, 2), leases.hold(key, 2):
        await redis.delete(REDIS_PREFIX + key)
        await leases.renew()

        assert not await may_hold(other, key, 2)
    await asyncio.gather(leases.close(), other.close())


async def test_while_redis_is_away_each_process_counts_its_own(
    private_redis_server: PrivateRedis, key: str
) -> None:
    client = Redis.from_url(private_redis_server.url)
    leases = Leases(client)
    private_redis_server.stop()

    with capture_logs() as logs:
        async with leases.hold(key, 1):
            assert not await may_hold(leases, key, 1)

    assert [line["event"] for line in logs] == ["leases.not_shared"]
    await leases.close()
    await client.aclose()
