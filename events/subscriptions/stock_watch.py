"""Notifying watchers of carts and products when stock has moved or a flash sale has changed.

A sale notifies nobody: one look at the movements of stock serves all watchers of a process, and none is taken
while nobody watches.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from events.bus import Bus
from events.subscriptions.flash_sale_watch import FlashSaleWatch
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

    def __init__(self, database: Database, bus: Bus, flash_sales: FlashSaleWatch, every: timedelta) -> None:
        self.database = database
        self.bus = bus
        self.flash_sales = flash_sales
        self.every = every
        self.watchers = 0
        self.latest_id: int | None = None
        self.seen_ids: frozenset[int] = frozenset()
        self.look_limit = asyncio.Semaphore(LOOKS_AT_ONCE)
        """Entered for each look at a cart: one notification may wake many watchers at the same moment."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Until the block ends, what moves is looked for; from the moment the block begins."""
        self.watchers += 1
        try:
            if self.latest_id is None:
                await self.begin()
            yield
        finally:
            self.watchers -= 1

    async def begin(self) -> None:
        """Remember how far the movements and the flash sales are: later ones are notified."""
        await self.flash_sales.find_changed()
        self.latest_id = await latest_movement_id(self.database.reads)

    async def notify_changed(self) -> None:
        """Notify the watchers, in this process, of products whose stock has moved or whose flash sale has
        begun, changed or ended since the last call."""
        if self.latest_id is None:
            await self.begin()
        moved = await self.find_moved(self.latest_id or 0)
        changed = moved | await self.flash_sales.find_changed()
        self.bus.notify_here(subject_topic(Subject.PRODUCT, product_id) for product_id in changed)

    async def find_moved(self, latest_id: int) -> set[int]:
        """The products whose stock has moved since the last call."""
        products = await products_moved_above(self.database.reads, latest_id - OVERLAP)
        moved = {product_id for id, product_id in products.items() if id not in self.seen_ids}
        self.seen_ids, self.latest_id = frozenset(products), max([latest_id, *products])
        return moved

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.every.total_seconds())
            if not self.watchers:
                self.latest_id = None  # what moves while nobody watches is not made up for
                continue
            try:
                await self.notify_changed()
            except Exception:
                log.exception("stock_watch.failed")
