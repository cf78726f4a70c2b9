"""The bell: tells whoever watches a topic that something is new. It carries no data.

The table of events is the truth; a bell that is lost only makes a watcher look later.
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

LOST = (RedisError, OSError, AttributeError)
"""What is raised where Redis is away: a connection that is just being lost has no writer, for redis-py."""


class Bell:
    """Rings at most once between two waits, however often it was struck."""

    def __init__(self) -> None:
        self.struck = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """True when it rang, False when it stayed quiet for `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.struck.wait(), seconds)
        rang = self.struck.is_set()
        self.struck.clear()
        return rang


class Bus(Protocol):
    """Where bells are rung and heard."""

    async def ring(self, topics: Iterable[str]) -> None:
        """Tell all who listen to any of `topics`, in this process and others. Never raises."""

    def strike(self, topics: Iterable[str]) -> None:
        """Tell those of this process only."""

    def listen(self, topics: Iterable[str]) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings for these topics from the moment the context is entered."""

    async def run(self) -> None:
        """Carry bells between processes until cancelled."""

    async def check(self) -> None:
        """Raise when bells cannot reach other processes just now."""

    async def close(self) -> None:
        """Let go of connections."""


class LocalBus:
    """Bells within one process: all that SQLite needs."""

    def __init__(self) -> None:
        self.bells: defaultdict[str, set[Bell]] = defaultdict(set)

    async def ring(self, topics: Iterable[str]) -> None:
        self.strike(topics)

    def strike(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for bell in self.bells.get(topic, ()):
                bell.struck.set()

    def listen(self, topics: Iterable[str]) -> AbstractAsyncContextManager[Bell]:
        return self._listen(tuple(topics))

    @asynccontextmanager
    async def _listen(self, topics: tuple[str, ...]) -> AsyncIterator[Bell]:
        bell = Bell()
        for topic in topics:
            self.bells[topic].add(bell)
        try:
            await self.opened(topics)
            yield bell
        finally:
            for topic in topics:
                self.bells[topic].discard(bell)
                if not self.bells[topic]:
                    del self.bells[topic]
            await self.closed([topic for topic in topics if topic not in self.bells])

    async def opened(self, topics: Iterable[str]) -> None:
        """Somebody listens to these now."""

    async def closed(self, topics: Iterable[str]) -> None:
        """Nobody listens to these any more."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def check(self) -> None:
        """Nothing can be wrong within one process."""

    async def close(self) -> None:
        """Nothing is held."""


class RedisBus(LocalBus):
    """Bells between processes over Redis pub/sub (https://redis.io/docs/latest/develop/pubsub/).

    While Redis is away, what could not be published is kept and published when it is back. Every local bell
    rings once when Redis begins, or begins again, to pass its topics on: watchers then look into the table of
    events and have missed nothing.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self.redis = redis
        self.unsent: set[str] = set()
        self.channel: PubSub | None = None

    async def ring(self, topics: Iterable[str]) -> None:
        topics = set(topics)
        self.strike(topics)
        await self.publish(topics)

    async def publish(self, topics: set[str]) -> None:
        try:
            pipe = self.redis.pipeline(transaction=False)
            for topic in topics:
                pipe.publish(PREFIX + topic, "")  # type: ignore[unused-awaitable]
            await pipe.execute()
        except LOST as error:
            self.unsent |= topics
            log.warning("bus.unsent", topics=len(self.unsent), error=type(error).__name__)

    async def opened(self, topics: Iterable[str]) -> None:
        if self.channel:
            with suppress(*LOST):
                await self.channel.subscribe(*(PREFIX + topic for topic in topics))

    async def closed(self, topics: Iterable[str]) -> None:
        names = [PREFIX + topic for topic in topics]
        if self.channel and names:
            with suppress(*LOST):
                await self.channel.unsubscribe(*names)

    async def run(self) -> None:
        while True:
            try:
                await self.carry()
            except LOST as error:
                log.warning("bus.redis_lost", error=type(error).__name__)
            finally:
                self.channel = None
            await asyncio.sleep(RECONNECT_SECONDS)

    async def check(self) -> None:
        await self.redis.echo("ready")

    async def close(self) -> None:
        await self.redis.aclose()

    async def carry(self) -> None:
        """Subscribe to everything listened to here, send what is unsent, then strike what others ring.

        A topic is struck when Redis confirms it, too: what was rung before that, nobody here has heard.
        """
        async with self.redis.pubsub() as channel:
            await channel.subscribe(PREFIX)
            self.channel = channel  # from here on, whoever begins to listen subscribes
            await channel.subscribe(*(PREFIX + topic for topic in [*self.bells, ""]))
            unsent, self.unsent = self.unsent, set()
            if unsent:
                await self.publish(unsent)
            while True:
                message = await channel.get_message(timeout=LISTEN_SECONDS)
                if message is None:
                    await channel.ping()  # type: ignore[no-untyped-call,unused-ignore]
                elif message["type"] in {"subscribe", "message"}:
                    self.strike([message["channel"].decode().removeprefix(PREFIX)])
