"""What goes on behind the counter for as long as the shop is open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from events.relay import Relay
from events.sales import keep_counting
from events.shop import Shop
from events.stock import keep_looking
from events.tally import keep_writing, write_tally
from events.timers import Timers
from events.timetable import TIMETABLE


@asynccontextmanager
async def working(shop: Shop, *, relays: bool = True) -> AsyncIterator[None]:
    """Carry bells, relay events and watch the clock until the block ends; then let go of everything."""
    jobs = [shop.bus.run(), keep_writing(shop), keep_looking(shop)]
    if relays:
        jobs += [Relay(shop).run(), Timers(shop, TIMETABLE).run(), keep_counting(shop)]
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        await shop.placing.drain()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await write_tally(shop)
        await shop.close()
