"""What runs for one operation, so that it can be stopped."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from loaders.base import BatchTasks

LEAF_BYTES = 16
"""What a value takes in the answer beside itself: its name, quotation marks, a comma."""


@dataclass(slots=True, eq=False)
class Execution:
    """The running work of an operation, or of one event of a subscription, and the size of its answer."""

    answer_limit: int | None = None
    """The largest answer, in bytes; None for any."""
    answer_size: int = 0
    stop: Callable[[], object] | None = None
    """Called once, when the answer exceeds its limit."""
    batches: BatchTasks = field(default_factory=BatchTasks)
    commits: int = 0
    """How many transactions are being committed: while there are any, nothing is cancelled."""
    committed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def answer_exceeded(self) -> bool:
        return self.answer_limit is not None and self.answer_size > self.answer_limit

    def add_leaf(self, value: object) -> bool:
        """Count one value of the answer; False from the one on that exceeds the limit."""
        exceeded = self.answer_exceeded
        self.answer_size += LEAF_BYTES + (len(value) if isinstance(value, str) else 0)
        if not self.answer_exceeded:
            return True
        if self.stop and not exceeded:
            self.stop()
        return False

    @contextmanager
    def committing(self) -> Iterator[None]:
        """During the block, `wait_for_commits` waits."""
        self.commits += 1
        try:
            yield
        finally:
            self.commits -= 1
            self.committed.set()

    async def wait_for_commits(self) -> None:
        """Return as soon as no transaction is being committed."""
        while self.commits:
            self.committed.clear()
            await self.committed.wait()
