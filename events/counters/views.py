"""Counting views of products and additions to carts, in memory first, so that a request pays nothing.

What is not written yet is lost when the process is killed: at most what was counted within `count_every`.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog

from domain.analytics import record_views
from models.database import Database

log = structlog.get_logger()

Counts = Counter[tuple[int, date]]
"""By id and day."""

KEYS_LIMIT = 50_000
"""Ids and days counted by one process: while the database is away, others are left out."""


@dataclass(slots=True)
class ViewCounter:
    """What one process has counted since it wrote last."""

    database: Database
    every: timedelta
    product_views: Counts = field(default_factory=Counter)
    """By product."""
    cart_additions: Counts = field(default_factory=Counter)
    """By variant."""
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def count_view(self, product_id: int, day: date) -> None:
        count_one(self.product_views, product_id, day)

    def count_addition(self, variant_id: int, day: date) -> None:
        count_one(self.cart_additions, variant_id, day)

    @property
    def is_empty(self) -> bool:
        return not (self.product_views or self.cart_additions)

    async def write(self) -> None:
        """Write all counts; those that cannot be written now are kept for the next time.

        When it returns, nothing that was counted before is still being written.
        """
        async with self.writing:
            if self.is_empty:
                return
            views, additions = self.take()
            try:
                async with self.database.writes.begin() as session:
                    await record_views(session, views=views, cart_additions=additions)
            except Exception:
                self.restore(views, additions)
                log.exception("views.write_failed", views=views.total(), additions=additions.total())

    def take(self) -> tuple[Counts, Counts]:
        """Remove and return all counts of views and of additions."""
        taken = self.product_views, self.cart_additions
        self.product_views, self.cart_additions = Counter(), Counter()
        return taken

    def restore(self, views: Counts, additions: Counts) -> None:
        """Add what was taken and not written, as far as KEYS_LIMIT allows."""
        for current, taken in ((self.product_views, views), (self.cart_additions, additions)):
            room = KEYS_LIMIT - len(current)
            new = [key for key in taken if key not in current]
            for key in new[max(room, 0) :]:
                del taken[key]
            current.update(taken)

    async def run(self) -> None:
        """Write every `every` until cancelled; a write that has begun is finished."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            await asyncio.shield(asyncio.create_task(self.write()))


def count_one(counts: Counts, id: int, day: date) -> None:
    if (id, day) in counts or len(counts) < KEYS_LIMIT:
        counts[id, day] += 1
