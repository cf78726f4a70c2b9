"""Watching products: their prices, how much of them can be bought, and their flash sales."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from events.bus import Bus
from events.subscriptions.coalescer import Coalescer
from events.subscriptions.stock_watch import StockWatch
from events.topics import subject_topic
from events.types import Clock
from models import Subject
from settings.business import SubscriptionSettings

Appearances = Mapping[int, Hashable]
"""What a viewer sees of products, by id; equal as long as nothing is different. Those they cannot see are
left out."""

Look = Callable[[Collection[int]], Awaitable[Appearances]]


@dataclass(frozen=True, slots=True)
class ProductChange:
    """A product that looks different to a viewer since a moment."""

    product_id: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ProductWatch:
    bus: Bus
    clock: Clock
    coalescer: Coalescer
    stock_watch: StockWatch
    settings: SubscriptionSettings
    requested: dict[Hashable, set[int]] = field(default_factory=dict)
    """The products of the look that is about to begin, by viewer."""

    async def follow(
        self, product_ids: Collection[int], look: Look, *, viewer: Hashable
    ) -> AsyncIterator[ProductChange]:
        """Every change of these products, each product at most once in `cart_interval`; first those that the
        viewer cannot see, as they may have been taken off sale a moment ago.

        Equal viewers who are woken together share one look at all of their products.
        """
        moment, known = await self.look(product_ids, look, viewer)
        for missing in [id for id in product_ids if id not in known]:
            yield ProductChange(missing, moment)
        topics = [subject_topic(Subject.PRODUCT, id) for id in product_ids]
        async with self.bus.listen(topics) as signal, self.stock_watch.watching():
            while True:
                # Looked at before each wait: what has changed since the last look is not missed.
                before = known
                moment, known = await self.look(product_ids, look, viewer)
                for changed in [id for id in product_ids if known.get(id) != before.get(id)]:
                    yield ProductChange(changed, moment)
                await asyncio.sleep(self.settings.cart_interval.total_seconds())
                await signal.wait(self.settings.signal_timeout.total_seconds())

    async def look(
        self, product_ids: Collection[int], look: Look, viewer: Hashable
    ) -> tuple[datetime, Appearances]:
        """When the products were looked at, and what was seen."""
        self.requested.setdefault(viewer, set()).update(product_ids)

        async def look_at_all() -> tuple[datetime, Appearances]:
            return self.clock(), await look(self.requested.pop(viewer))

        limit = self.stock_watch.look_limit
        return await self.coalescer.share((ProductWatch.look, viewer), look_at_all, limit=limit)
