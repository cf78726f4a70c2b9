"""Notifying watchers, in this process and in others, that there is something new on a topic.

A notification carries no data. The table of events is the truth: a notification that is lost only makes a
watcher look later.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

log = structlog.get_logger()

PREFIX = "cartwheel:"
RECONNECT_SECONDS = 0.5
LISTEN_SECONDS = 5.0

CONNECTION_LOST = (RedisError, OSError, AttributeError, RuntimeError)
"""What is raised when Redis is away: a connection that is just being lost has no writer in redis-py, and a
closed handler in uvloop."""


class Signal:
    """Set by notifications; a wait ends at once where there was any since the last wait."""

    def __init__(self) -> None:
        self.is_set = asyncio.Event()

    def set(self) -> None:
        self.is_set.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a notification, at most `seconds`; whether there was one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.is_set.wait()
        notified = self.is_set.is_set()
        self.is_set.clear()
        return notified


class Bus(Protocol):
    """Notifications by topic."""

    async def notify(self, topics: Iterable[str]) -> None:
        """Set the signals of all who listen to any of `topics`, in this process and others. Never raises."""

    def notify_here(self, topics: Iterable[str]) -> None:
        """Set the signals of this process only."""

    def listen(self, topics: Iterable[str]) -> AbstractAsyncContextManager[Signal]:
        """A signal that is set by these topics from the moment the context is entered."""

    async def run(self) -> None:
        """Carry notifications between processes until cancelled."""

    async def check(self) -> None:
        """Raise when notifications cannot reach other processes just now."""

    async def close(self) -> None:
        """Close connections."""


class LocalBus:
    """Notifications within one process: all that a shop on SQLite needs."""

    def __init__(self) -> None:
        self.signals: defaultdict[str, set[Signal]] = defaultdict(set)

    async def notify(self, topics: Iterable[str]) -> None:
        self.notify_here(topics)

    def notify_here(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for signal in self.signals.get(topic, ()):
                signal.set()

    def listen(self, topics: Iterable[str]) -> AbstractAsyncContextManager[Signal]:
        return self._listen(tuple(topics))

    @asynccontextmanager
    async def _listen(self, topics: tuple[str, ...]) -> AsyncIterator[Signal]:
        signal = Signal()
        for topic in topics:
            self.signals[topic].add(signal)
        try:
            await self.subscribe(topics)
            yield signal
        finally:
            for topic in topics:
                self.signals[topic].discard(signal)
                if not self.signals[topic]:
                    del self.signals[topic]
            await self.unsubscribe([topic for topic in topics if topic not in self.signals])

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Called when somebody begins to listen to these topics."""

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        """Called when nobody listens to these topics any more."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def check(self) -> None:
        """Nothing can be wrong within one process."""

    async def close(self) -> None:
        """There are no connections."""


class RedisBus(LocalBus):
    """Notifications between processes over Redis pub/sub (https://redis.io/docs/latest/develop/pubsub/).

    While Redis is away, topics that could not be published are kept, and published when it is back. Each
    signal is set once when Redis begins, or begins again, to pass its topics on: watchers then look into the
    table of events and have missed nothing.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self.redis = redis
        self.unpublished: set[str] = set()
        self.channel: PubSub | None = None

    async def notify(self, topics: Iterable[str]) -> None:
        topics = set(topics)
        self.notify_here(topics)
        await self.publish(topics)

    async def publish(self, topics: set[str]) -> None:
        try:
            pipe = self.redis.pipeline(transaction=False)
            for topic in topics:
                pipe.publish(PREFIX + topic, "")  # type: ignore[unused-awaitable]
            await pipe.execute()
        except CONNECTION_LOST as error:
            self.unpublished |= topics
            log.warning("bus.publish_failed", topics=len(self.unpublished), error=type(error).__name__)

    async def subscribe(self, topics: Iterable[str]) -> None:
        if self.channel:
            with suppress(*CONNECTION_LOST):
                await self.channel.subscribe(*(PREFIX + topic for topic in topics))

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        names = [PREFIX + topic for topic in topics]
        if self.channel and names:
            with suppress(*CONNECTION_LOST):
                await self.channel.unsubscribe(*names)

    async def run(self) -> None:
        while True:
            try:
                await self.forward()
            except CONNECTION_LOST as error:
                log.warning("bus.redis_lost", error=type(error).__name__)
            finally:
                self.channel = None
            await asyncio.sleep(RECONNECT_SECONDS)

    async def check(self) -> None:
        await self.redis.echo("ready")

    async def close(self) -> None:
        await self.redis.aclose()

    async def forward(self) -> None:
        """Subscribe to everything listened to here, publish what is unpublished, then pass notifications on.

        Signals are set when Redis confirms a subscription, too: earlier notifications did not arrive here.
        """
        async with self.redis.pubsub() as channel:
            await channel.subscribe(PREFIX)
            self.channel = channel  # from here on, `listen` subscribes its own topics
            await channel.subscribe(*(PREFIX + topic for topic in [*self.signals, ""]))
            unpublished, self.unpublished = self.unpublished, set()
            if unpublished:
                await self.publish(unpublished)
            while True:
                message = await channel.get_message(timeout=LISTEN_SECONDS)
                if message is None:
                    await channel.ping()  # type: ignore[no-untyped-call,unused-ignore]
                elif message["type"] in {"subscribe", "message"}:
                    self.notify_here([message["channel"].decode().removeprefix(PREFIX)])
