"""What moves on the shelves, for those who watch carts.

Selling tells nobody: one look at the movements of stock serves all watchers of a process, and none is taken
while nobody watches.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select

from events.topics import subject_topic
from loaders.event import OVERLAP
from models import StockMovement, Subject, Variant

if TYPE_CHECKING:
    from events.shop import Shop

log = structlog.get_logger()

LOOKS_AT_ONCE = 2
"""Watchers leave the connections to those who order."""


class Shelves:
    """How far this process has looked, and for how many."""

    def __init__(self) -> None:
        self.watchers = 0
        self.last: int | None = None
        self.seen: frozenset[int] = frozenset()
        self.turn = asyncio.Semaphore(LOOKS_AT_ONCE)
        """Whom a bell wakes at the same moment as many others waits here for a look at the cart."""

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1

    async def look(self, shop: "Shop") -> None:
        """Strike the bells of products of which something was reserved, sold, counted or came back."""
        async with shop.database.reads() as session:
            if self.last is None:
                self.last = await session.scalar(select(func.max(StockMovement.id))) or 0
            moved = await session.execute(
                select(StockMovement.id, Variant.product_id)
                .join(Variant, Variant.id == StockMovement.variant_id)
                .where(StockMovement.id > self.last - OVERLAP)
            )
            products = dict(iter(moved))
        new = {product_id for id, product_id in products.items() if id not in self.seen}
        self.seen, self.last = frozenset(products), max([self.last, *products])
        shop.bus.strike(subject_topic(Subject.PRODUCT, product_id) for product_id in new)


async def keep_looking(shop: "Shop") -> None:
    while True:
        await asyncio.sleep(shop.settings.cart_look_every.total_seconds())
        if not shop.shelves.watchers:
            shop.shelves.last = None  # what moves while nobody watches is not made up for
            continue
        try:
            await shop.shelves.look(shop)
        except Exception:
            log.exception("shelves.unseen")
