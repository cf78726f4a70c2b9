"""Buckets: what was taken comes back with time, in one process and in several, also while Redis is away."""

import asyncio

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateways.buckets import (
    REDIS_PAUSE_SECONDS,
    REDIS_PREFIX,
    Buckets,
    MemoryBuckets,
    Rate,
    RedisBuckets,
    Taken,
)
from tests.gateways.conftest import Seconds
from tests.servers import PrivateRedis

RATE = Rate(capacity=10, per_second=2)
SLOW = Rate(capacity=10, per_second=0.001)


@pytest.fixture(params=["memory", "redis"])
def buckets(request: pytest.FixtureRequest, redis: Redis) -> Buckets:
    return MemoryBuckets() if request.param == "memory" else RedisBuckets(redis)


async def test_a_bucket_gives_what_it_holds_and_refuses_the_rest(buckets: Buckets, key: str) -> None:
    first = await buckets.take(key, 6, SLOW)
    refused = await buckets.take(key, 6, SLOW)
    last = await buckets.take(key, 4, SLOW)

    assert [each.allowed for each in (first, refused, last)] == [True, False, True]
    assert [each.left for each in (first, refused, last)] == pytest.approx([4, 4, 0], abs=0.1)
    assert refused.retry_after == pytest.approx(2_000, abs=100)
    assert first.retry_after == last.retry_after == 0.0


async def test_what_was_put_back_can_be_taken_again(buckets: Buckets, key: str) -> None:
    await buckets.take(key, 10, SLOW)
    await buckets.put_back(key, 3, SLOW)

    assert not (await buckets.take(key, 4, SLOW)).allowed
    assert (await buckets.take(key, 3, SLOW)).allowed


async def test_a_bucket_never_holds_more_than_its_capacity(buckets: Buckets, key: str) -> None:
    await buckets.put_back(key, 5, SLOW)
    assert (await buckets.take(key, 1, SLOW)).left == pytest.approx(9, abs=0.1)
    await buckets.put_back(key, 5, SLOW)

    assert (await buckets.take(key, 0, SLOW)).left == pytest.approx(10, abs=0.1)


async def test_more_than_the_capacity_is_never_given_and_the_wait_is_that_for_a_full_bucket(
    buckets: Buckets, key: str
) -> None:
    await buckets.take(key, 1, SLOW)

    refused = await buckets.take(key, 11, SLOW)

    assert not refused.allowed
    assert refused.retry_after == pytest.approx(1_000, abs=50)


async def test_buckets_of_two_keys_do_not_touch_each_other(buckets: Buckets, key: str) -> None:
    await buckets.take(key, 10, SLOW)

    assert (await buckets.take(f"{key}:other", 10, SLOW)).allowed


async def test_of_requests_at_one_moment_only_as_many_pass_as_the_bucket_holds(
    buckets: Buckets, key: str
) -> None:
    results = await asyncio.gather(*(buckets.take(key, 3, SLOW) for _ in range(10)))

    assert [each.allowed for each in results].count(True) == 3


@pytest.mark.parametrize(("capacity", "per_second"), [(0, 1), (1, 0), (-1, 1), (1, float("inf"))])
def test_a_rate_that_gives_nothing_or_never_ends_is_refused(capacity: float, per_second: float) -> None:
    with pytest.raises(ValueError, match="never"):
        Rate(capacity, per_second)


async def test_a_bucket_refills_with_time(seconds: Seconds) -> None:
    buckets = MemoryBuckets(clock=seconds)
    assert await buckets.take("a", 10, RATE) == Taken(True, 0, 0.0)
    assert await buckets.take("a", 1, RATE) == Taken(False, 0, 0.5)
    seconds.now += 0.5

    assert await buckets.take("a", 1, RATE) == Taken(True, 0, 0.0)
    seconds.now += 60

    assert await buckets.take("a", 1, RATE) == Taken(True, 9, 0.0)


async def test_memory_keeps_no_full_buckets_and_drops_the_one_that_is_soonest_full(seconds: Seconds) -> None:
    buckets = MemoryBuckets(limit=2, clock=seconds)
    for key, amount in (("a", 8), ("b", 2), ("c", 6)):
        await buckets.take(key, amount, RATE)

    assert len(buckets) == 2
    assert [(await buckets.take(key, 0, RATE)).left for key in "abc"] == [2, 10, 4]
    seconds.now += 4
    await buckets.take("d", 1, RATE)

    assert len(buckets) == 1


async def test_one_key_that_is_used_for_ever_takes_no_more_memory() -> None:
    buckets = MemoryBuckets()
    for _ in range(10_000):
        await buckets.take("a", 0.0001, SLOW)

    assert (len(buckets), len(buckets._soonest) <= 2_001) == (1, True)


async def test_redis_forgets_a_bucket_when_it_is_full(redis: Redis, key: str) -> None:
    buckets = RedisBuckets(redis)
    await buckets.take(key, 5, RATE)
    assert 2_000 < await redis.pttl(REDIS_PREFIX + key) <= 2_500
    await buckets.put_back(key, 5, RATE)

    assert await redis.exists(REDIS_PREFIX + key) == 0


async def test_processes_share_one_bucket(redis: Redis, key: str) -> None:
    here, there = RedisBuckets(redis), RedisBuckets(redis)
    await here.take(key, 10, SLOW)

    assert not (await there.take(key, 1, SLOW)).allowed


async def test_while_redis_is_away_each_process_counts_alone_and_says_so_once(
    private_redis_server: PrivateRedis, seconds: Seconds
) -> None:
    client = Redis.from_url(private_redis_server.url)
    buckets = RedisBuckets(client, clock=seconds)
    await buckets.take("a", 10, SLOW)
    private_redis_server.stop()
    with capture_logs() as logs:
        away = [await buckets.take("a", 6, SLOW) for _ in range(2)]
        seconds.now += REDIS_PAUSE_SECONDS
        await buckets.put_back("a", 6, SLOW)
        away.append(await buckets.take("a", 10, SLOW))
        private_redis_server.start()
        paused = await buckets.take("a", 1, SLOW)
        seconds.now += REDIS_PAUSE_SECONDS
        back = await buckets.take("a", 10, SLOW)
    await client.aclose()

    assert [each.allowed for each in away] == [True, False, True]
    assert (paused.allowed, back.allowed) == (False, True)
    assert [each["event"] for each in logs] == ["buckets.redis_away", "buckets.redis_back"]
