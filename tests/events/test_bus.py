"""Bells between processes, and what becomes of them while Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from events.bus import LocalBus, RedisBus
from tests.observe import PATIENCE_SECONDS, until
from tests.servers import PrivateRedis, RedisServer


@asynccontextmanager
async def running(url: str) -> AsyncIterator[RedisBus]:
    bus = RedisBus(Redis.from_url(url))
    task = asyncio.create_task(bus.run())
    await until(lambda: bus.channel)
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def test_a_bell_rings_once_for_many_strokes() -> None:
    bus = LocalBus()
    async with bus.listen(["order:1"]) as bell:
        await bus.ring(["order:1", "order:2"])
        await bus.ring(["order:1"])
        assert [await bell.wait(0.01), await bell.wait(0.01)] == [True, False]


async def test_nothing_is_kept_for_a_topic_nobody_listens_to_any_more() -> None:
    bus = LocalBus()
    async with bus.listen(["order:1"]), bus.listen(["order:1"]):
        assert len(bus.bells["order:1"]) == 2
    assert dict(bus.bells) == {}


async def test_a_bell_rings_when_others_begin_to_be_heard(redis_server: RedisServer) -> None:
    async with running(redis_server.url) as bus, bus.listen([uuid4().hex]) as bell:
        assert [await bell.wait(PATIENCE_SECONDS), await bell.wait(0.1)] == [True, False]


async def test_two_processes_hear_each_other(redis_server: RedisServer) -> None:
    one, two = (f"{uuid4().hex}:{number}" for number in (1, 2))  # others may use the same server
    async with (
        running(redis_server.url) as here,
        running(redis_server.url) as there,
        here.listen([one]) as bell,
        here.listen([two]) as other,
    ):
        assert [await each.wait(PATIENCE_SECONDS) for each in (bell, other)] == [True, True]
        await there.ring([one])
        assert (await bell.wait(PATIENCE_SECONDS), await other.wait(0.1)) == (True, False)


@pytest.mark.parametrize("who_rings", ["while it is away", "when it is back"])
async def test_a_redis_that_disappears_and_returns_loses_no_bell(
    private_redis_server: PrivateRedis, who_rings: str
) -> None:
    redis = private_redis_server
    async with running(redis.url) as here, running(redis.url) as there, here.listen(["order:1"]) as bell:
        redis.stop()
        await until(lambda: here.channel is there.channel is None)
        await bell.wait(0)
        if who_rings == "while it is away":
            await there.ring(["order:1"])
        redis.start()
        assert await bell.wait(PATIENCE_SECONDS), "the bell rings by itself once Redis is back"
        await until(lambda: here.channel and there.channel)
        await bell.wait(0.2)

        await there.ring(["order:1"])
        assert await bell.wait(PATIENCE_SECONDS), "and by the other process as before"


async def test_ringing_without_redis_still_reaches_this_process(private_redis_server: PrivateRedis) -> None:
    async with running(private_redis_server.url) as bus, bus.listen(["order:1"]) as bell:
        private_redis_server.stop()
        await bus.ring(["order:1"])
        assert await bell.wait(PATIENCE_SECONDS)
