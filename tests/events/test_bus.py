"""Notifications between processes, and what becomes of them while Redis is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from events.bus import LocalBus, RedisBus
from tests.observe import TIMEOUT_SECONDS, wait_until
from tests.servers import PrivateRedis, RedisServer


@asynccontextmanager
async def running_bus(url: str) -> AsyncIterator[RedisBus]:
    bus = RedisBus(Redis.from_url(url))
    task = asyncio.create_task(bus.run())
    await wait_until(lambda: bus.channel)
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def test_many_notifications_end_one_wait() -> None:
    bus = LocalBus()
    async with bus.listen(["order:1"]) as signal:
        await bus.notify(["order:1", "order:2"])
        await bus.notify(["order:1"])
        assert [await signal.wait(0.01), await signal.wait(0.01)] == [True, False]


async def test_nothing_is_kept_for_a_topic_nobody_listens_to_any_more() -> None:
    bus = LocalBus()
    async with bus.listen(["order:1"]), bus.listen(["order:1"]):
        assert len(bus.signals["order:1"]) == 2
    assert dict(bus.signals) == {}


async def test_a_signal_is_set_when_redis_begins_to_pass_its_topics_on(redis_server: RedisServer) -> None:
    async with running_bus(redis_server.url) as bus, bus.listen([uuid4().hex]) as signal:
        assert [await signal.wait(TIMEOUT_SECONDS), await signal.wait(0.1)] == [True, False]


async def test_two_processes_notify_each_other(redis_server: RedisServer) -> None:
    one, two = (f"{uuid4().hex}:{number}" for number in (1, 2))  # others may use the same server
    async with (
        running_bus(redis_server.url) as here,
        running_bus(redis_server.url) as there,
        here.listen([one]) as signal,
        here.listen([two]) as other,
    ):
        assert [await each.wait(TIMEOUT_SECONDS) for each in (signal, other)] == [True, True]
        await there.notify([one])
        assert (await signal.wait(TIMEOUT_SECONDS), await other.wait(0.1)) == (True, False)


@pytest.mark.parametrize("notified", ["while it is away", "when it is back"])
async def test_a_redis_that_disappears_and_returns_loses_no_notification(
    private_redis_server: PrivateRedis, notified: str
) -> None:
    redis = private_redis_server
    async with (
        running_bus(redis.url) as here,
        running_bus(redis.url) as there,
        here.listen(["order:1"]) as signal,
    ):
        redis.stop()
        await wait_until(lambda: here.channel is there.channel is None)
        await signal.wait(0)
        if notified == "while it is away":
            await there.notify(["order:1"])
        redis.start()
        assert await signal.wait(TIMEOUT_SECONDS), "the signal is set by itself once Redis is back"
        await wait_until(lambda: here.channel and there.channel)
        await signal.wait(0.2)

        await there.notify(["order:1"])
        assert await signal.wait(TIMEOUT_SECONDS), "and by the other process as before"


async def test_without_redis_a_notification_still_reaches_this_process(
    private_redis_server: PrivateRedis,
) -> None:
    async with running_bus(private_redis_server.url) as bus, bus.listen(["order:1"]) as signal:
        private_redis_server.stop()
        await bus.notify(["order:1"])
        assert await signal.wait(TIMEOUT_SECONDS)
