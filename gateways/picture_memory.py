"""How much memory decoded pictures take at the same time, over all that decode pictures in a process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PICTURE_MEMORY_BYTES = 320_000_000
"""What one process decodes pictures in: enough for the largest that is accepted, or for many small ones."""


class PictureMemory:
    """Lets pictures be decoded one after the other, as many at once as need `limit` bytes together."""

    def __init__(self, limit: int = PICTURE_MEMORY_BYTES) -> None:
        self.limit = limit
        self.used = 0
        self.queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Hold so many bytes until the block ends, after those that came before; all where they are more."""
        amount = min(size, self.limit)
        if self.queue or self.used + amount > self.limit:
            await self._wait(amount)
        else:
            self.used += amount
        try:
            yield
        finally:
            self.used -= amount
            self._admit()

    async def _wait(self, amount: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (amount, turn)
        self.queue.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.used -= amount  # its turn had come
            else:
                self.queue.remove(entry)
            self._admit()
            raise

    def _admit(self) -> None:
        """Let those go on that have room now, in their order."""
        while self.queue and self.used + self.queue[0][0] <= self.limit:
            amount, turn = self.queue.popleft()
            self.used += amount
            turn.set_result(None)
