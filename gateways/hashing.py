"""Where passwords are hashed: in few threads, since a hash takes tens of ms of CPU and 64 MiB of memory."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

HASHES_AT_ONCE = 2
"""Hashes that one process computes at the same time."""
HASHES_WAITING = 60
"""Hashes that may wait for their turn, about two seconds; further ones are refused."""
RETRY_SECONDS = 2.0

P = ParamSpec("P")
T = TypeVar("T")


class HashingBusy(Exception):
    """More hashes wait than HASHES_WAITING."""

    retry_after_seconds = RETRY_SECONDS


class HashQueue:
    """Runs functions that hash outside of the event loop, some at a time, in the order of their calls."""

    def __init__(self, *, at_once: int = HASHES_AT_ONCE, waiting: int = HASHES_WAITING) -> None:
        self.limit = at_once + waiting
        self.taken = 0
        self.executor = ThreadPoolExecutor(at_once, thread_name_prefix="hashing")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the function returns; HashingBusy where the queue is full."""
        if self.taken >= self.limit:
            raise HashingBusy
        self.taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.executor, lambda: function(*args, **kwargs))
        finally:
            self.taken -= 1
