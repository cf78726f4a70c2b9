"""Notifying watchers of carts when stock has moved.

A sale notifies nobody: one look at the movements of stock serves all watchers of a process, and none is taken
while nobody watches.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from events.bus import Bus
from events.topics import subject_topic
from loaders.event import OVERLAP
from loaders.stock_movement import latest_movement_id, products_moved_above
from models import Subject
from models.database import Database

log = structlog.get_logger()

LOOKS_AT_ONCE = 2
"""Carts looked at together by one process: watchers leave the connections to those who order."""


class StockWatch:
    """How far this process has read the movements of stock, and for how many watchers."""

    def __init__(self, database: Database, bus: Bus, every: timedelta) -> None:
        self.database = database
        self.bus = bus
        self.every = every
        self.watchers = 0
        self.latest_id: int | None = None
        self.seen_ids: frozenset[int] = frozenset()
        self.look_limit = asyncio.Semaphore(LOOKS_AT_ONCE)
        """Entered for each look at a cart: one notification may wake many watchers at the same moment."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1

    async def notify_moved(self) -> None:
        """Notify the watchers of products whose stock has moved since the last call, in this process."""
        reads = self.database.reads
        if self.latest_id is None:
            self.latest_id = await latest_movement_id(reads)
        products = await products_moved_above(reads, self.latest_id - OVERLAP)
        moved = {product_id for id, product_id in products.items() if id not in self.seen_ids}
        self.seen_ids, self.latest_id = frozenset(products), max([self.latest_id, *products])
        self.bus.notify_here(subject_topic(Subject.PRODUCT, product_id) for product_id in moved)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.every.total_seconds())
            if not self.watchers:
                self.latest_id = None  # what moves while nobody watches is not made up for
                continue
            try:
                await self.notify_moved()
            except Exception:
                log.exception("stock_watch.failed")
