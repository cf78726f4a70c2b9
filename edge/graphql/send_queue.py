"""Messages on their way to one client: bounded, and never longer than a slow reader's patience."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from settings.graphql import GraphQLSettings

SendMessage = Callable[[bytes], Awaitable[None]]


class ReaderTooSlow(Exception):
    """The client has not read for so long that nothing more is kept for it."""


@dataclass(frozen=True, slots=True)
class SendLimits:
    """How much waits for a client, and how long (seconds)."""

    size: int
    patience: float
    """How long a message waits for room before the operation that brings it ends."""
    send_timeout: float
    """How long one message may take to be sent before the connection is given up."""

    @classmethod
    def of(cls, settings: GraphQLSettings) -> "SendLimits":
        return cls(
            settings.queue_bytes,
            settings.reader_patience.total_seconds(),
            settings.send_timeout.total_seconds(),
        )


class SendQueue:
    """A queue of messages for one client, and the task that sends them in order."""

    def __init__(self, limits: SendLimits) -> None:
        self.limits = limits
        self.messages: deque[bytes] = deque()
        self.size = 0
        self.changed = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()
        self.ended = False
        """No message is taken any more."""
        self.sending: asyncio.Timeout | None = None
        """The time that the present message has."""

    async def put(self, message: bytes) -> None:
        """Queue a message as soon as there is room; ReaderTooSlow when there is none for too long."""
        await self.wait_for_room()
        self.put_now(message)

    async def wait_for_room(self) -> None:
        """Return as soon as there is room; ReaderTooSlow when there is none for too long."""
        if self.room.is_set():
            return
        try:
            async with asyncio.timeout(self.limits.patience):
                while not self.room.is_set():
                    await self.room.wait()
        except TimeoutError:
            raise ReaderTooSlow from None

    def put_now(self, message: bytes) -> None:
        """Queue a message whether there is room or not: for short ones that end something."""
        if self.ended:
            return
        self.messages.append(message)
        self.size += len(message)
        if self.size >= self.limits.size:
            self.room.clear()
        self.changed.set()

    def end(self) -> None:
        """Take no more messages; `run` returns when the last one is sent."""
        self.ended = True
        self.room.set()
        self.changed.set()

    def give_up(self) -> None:
        """Let `run` end with TimeoutError now where it waits for the client."""
        if self.sending:
            self.sending.reschedule(0)

    async def run(self, send: SendMessage, *, idle: float | None = None, keep_alive: bytes = b"") -> None:
        """Send what is queued until `end`; after `idle` seconds without a message, send `keep_alive`.

        TimeoutError when the client takes longer than `send_timeout` for one message.
        """
        while True:
            while self.messages:
                message = self.messages.popleft()
                await self.send_in_time(send, message)
                self.size -= len(message)
                if self.size < self.limits.size:
                    self.room.set()
            if self.ended:
                return
            self.changed.clear()
            try:
                async with asyncio.timeout(idle):
                    await self.changed.wait()
            except TimeoutError:
                await self.send_in_time(send, keep_alive)

    async def send_in_time(self, send: SendMessage, message: bytes) -> None:
        try:
            async with asyncio.timeout(self.limits.send_timeout) as self.sending:
                await send(message)
        finally:
            self.sending = None
