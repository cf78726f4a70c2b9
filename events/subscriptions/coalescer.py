"""One answer for all who ask for the same thing at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext
from typing import TypeVar, cast

T = TypeVar("T")


class Coalescer:
    """Runs a piece of work once for all who ask for it in the same turn of the event loop.

    A notification wakes a thousand watchers in one turn: they all ask before the work begins. Work that has
    begun is joined by nobody: it may have read the database before the change that the next one asks for.
    """

    def __init__(self) -> None:
        self.gathering: dict[Hashable, asyncio.Task[object]] = {}
        """The work that has not begun, by its key."""

    async def share(
        self, key: Hashable, work: Callable[[], Awaitable[T]], *, limit: asyncio.Semaphore | None = None
    ) -> T:
        """The result of `work`, or of another's that has the same key; its errors likewise.

        With a limit the work begins when that has room, and is joined until then.
        """
        task = self.gathering.get(key)
        if task is None:
            task = self.gathering[key] = asyncio.create_task(self._begin(key, work, limit))
        # One who is cancelled leaves the work to the others.
        return cast(T, await asyncio.shield(task))

    async def _begin(
        self, key: Hashable, work: Callable[[], Awaitable[T]], limit: asyncio.Semaphore | None
    ) -> T:
        async with limit or nullcontext():
            del self.gathering[key]
            return await work()
