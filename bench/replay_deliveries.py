"""What many stories of a replay have in common: from the warehouse to the door."""

from collections.abc import AsyncIterator
from datetime import timedelta

from bench.replay_orders import Life

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def deliver(life: Life, *, parcels: int = 1) -> AsyncIterator[timedelta]:
    """From the warehouse to the door."""
    await life.pack(parcels=parcels)
    yield life.soon()
    await life.dispatch()
    yield life.soon()
    await life.track("DELIVERED")
    await life.collect()


async def order_and_receive(life: Life, *, lines: int = 0, parcels: int = 1) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(lines=lines))
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    async for pause in deliver(life, parcels=parcels):
        yield pause
