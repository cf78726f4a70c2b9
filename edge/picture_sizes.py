"""Sizes of uploaded pictures, each made when it is first asked for and then kept beside its original."""

import asyncio

from domain.errors import LimitReached
from domain.media import memory_to_read
from domain.picture_size import CONTENT_TYPE, SizedName, resize_picture
from gateways.media import MediaStore
from gateways.picture_memory import PictureMemory

READ_AT_ONCE = 2
"""Originals that one process keeps in memory at the same time to make sizes of them."""

MADE_AT_ONCE = 50
"""Sizes that one process makes or will make; beyond that, who asks is told to come again."""

RETRY_SECONDS = 2.0


class TooManySizes(LimitReached):
    def __init__(self) -> None:
        super().__init__("Too many pictures are being prepared. Try again.")
        self.retry_after_seconds = RETRY_SECONDS


class PictureSizes:
    """Finds the file of a size, and makes it where there is none; who asks meanwhile waits for the same."""

    def __init__(self, store: MediaStore, memory: PictureMemory) -> None:
        self.store = store
        self.memory = memory
        self.reading = asyncio.Semaphore(READ_AT_ONCE)
        self.running: dict[str, asyncio.Task[bytes | None]] = {}

    async def find(self, sized: SizedName) -> bytes | None:
        """Return the file; None where there is no such picture. Raises TooManySizes."""
        stored = await self.store.get(sized.name)
        return await asyncio.shield(self.start_making(sized)) if stored is None else stored

    def start_making(self, sized: SizedName) -> "asyncio.Task[bytes | None]":
        """Return the task that makes the file, which goes on when nobody waits any more."""
        if (running := self.running.get(sized.name)) is not None:
            return running
        if len(self.running) >= MADE_AT_ONCE:
            raise TooManySizes
        task = self.running[sized.name] = asyncio.create_task(self.make(sized))
        task.add_done_callback(lambda done: self.forget(sized, done))
        return task

    def forget(self, sized: SizedName, task: "asyncio.Task[bytes | None]") -> None:
        del self.running[sized.name]
        if not task.cancelled():
            task.exception()  # whoever waits has it, too

    async def make(self, sized: SizedName) -> bytes | None:
        """Make and store the file; None where the original is missing, or was deleted meanwhile."""
        async with self.reading:
            original = await self.store.get(sized.original)
            if original is None:
                return None
            async with self.memory.reserve(memory_to_read(original)):
                data = await asyncio.to_thread(resize_picture, original, sized.size)
        await self.store.put(sized.name, data, content_type=CONTENT_TYPE)
        if await self.store.get(sized.original) is None:
            await self.store.delete(sized.name)
            return None
        return data
