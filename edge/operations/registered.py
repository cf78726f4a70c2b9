"""The registered operations as a process looks them up while it serves."""

import time
from collections.abc import Callable

from loaders.registered_operation import load_registered_text
from models.database import Reads

REMEMBERED_SECONDS = 5.0
"""How long a process goes on with what it has read: after that, additions and removals hold in each."""

REMEMBERED_LIMIT = 5_000
"""Hashes that one process remembers, those that are not registered included."""


class RegisteredOperations:
    """Documents by their hash, from the database, which every process and every start has."""

    def __init__(
        self,
        reads: Reads,
        *,
        seconds: Callable[[], float] = time.monotonic,
        limit: int = REMEMBERED_LIMIT,
    ) -> None:
        self.reads = reads
        self.seconds = seconds
        self.limit = limit
        self.remembered: dict[str, tuple[str | None, float]] = {}

    async def find(self, sha256: str) -> str | None:
        """Return the document that is registered with this hash, if there is one."""
        text, until = self.remembered.get(sha256, (None, 0.0))
        if self.seconds() < until:
            return text
        text = await load_registered_text(self.reads, sha256)
        self.remembered.pop(sha256, None)
        self.remembered[sha256] = text, self.seconds() + REMEMBERED_SECONDS
        while len(self.remembered) > self.limit:
            del self.remembered[next(iter(self.remembered))]
        return text
