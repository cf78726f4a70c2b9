"""Stock of one demo product that comes and goes while somebody watches it: there is something to see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import select

from domain.cause import Cause
from domain.stock import adjust_stock
from events.bus import LocalBus
from events.shop import Shop
from events.topics import subject_topic
from models import MovementKind, StockLevel, Subject, Variant

SKU = "PST-MUNG-16"
"""It has few units, so that its exact number is shown."""

INTERVAL = timedelta(seconds=3)
LOWEST, HIGHEST = 1, 5
REASON = "演示：有人在看"
"""Demo: somebody is watching."""


@asynccontextmanager
async def moving_stock(shop: Shop, interval: timedelta = INTERVAL) -> AsyncIterator[None]:
    """Move the stock until the block ends; never in production, nor in a shop without the demo product."""
    if shop.settings.deployment.is_production:
        yield
        return
    task = asyncio.create_task(move_while_watched(shop, interval))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def move_while_watched(shop: Shop, interval: timedelta) -> None:
    """Move one unit at each interval in which somebody watches the product in this process."""
    step = -1
    while True:
        await asyncio.sleep(interval.total_seconds())
        if watches_products(shop) and (level := await find_watched_level(shop)):
            left = level.on_hand - level.reserved
            step = 1 if left <= LOWEST else -1 if left >= HIGHEST else step
            await move_one(shop, level, step)


def watches_products(shop: Shop) -> bool:
    """Whether anybody watches any product in this process: only then is anything looked up."""
    prefix = subject_topic(Subject.PRODUCT, 0).removesuffix("0")
    return isinstance(shop.bus, LocalBus) and any(topic.startswith(prefix) for topic in shop.bus.signals)


async def find_watched_level(shop: Shop) -> StockLevel | None:
    """The stock of the demo product in its fullest warehouse; None unless somebody watches it."""
    if not isinstance(shop.bus, LocalBus):
        return None
    async with shop.database.reads() as session:
        variant = await session.scalar(select(Variant).where(Variant.sku == SKU))
        if variant is None or subject_topic(Subject.PRODUCT, variant.product_id) not in shop.bus.signals:
            return None
        level: StockLevel | None = await session.scalar(
            select(StockLevel)
            .where(StockLevel.variant_id == variant.id)
            .order_by(StockLevel.on_hand.desc())
            .limit(1)
        )
        return level


async def move_one(shop: Shop, level: StockLevel, step: int) -> None:
    async with shop.database.writes.begin() as session:
        await adjust_stock(
            session,
            variant_id=level.variant_id,
            warehouse_id=level.warehouse_id,
            kind=MovementKind.CORRECTED,
            quantity=step,
            reason=REASON,
            cause=Cause(shop.clock()),
        )
    shop.after_commit(session)
