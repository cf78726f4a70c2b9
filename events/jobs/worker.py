"""The jobs of one process, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from events.jobs.schedule import SCHEDULE
from events.jobs.scheduler import Scheduler
from events.relay import Relay
from events.shop import Shop


@asynccontextmanager
async def running_jobs(shop: Shop, *, relays: bool = True) -> AsyncIterator[None]:
    """Run the jobs of a process until the block ends; then finish what was begun and close the shop.

    With `relays`, the process also relays and archives events, runs timers and counts sales for the others.
    """
    jobs = [shop.bus.run(), shop.views.run(), shop.stock_watch.run(), shop.session_rights.run()]
    if relays:
        jobs += [Relay(shop).run(), Scheduler(shop, SCHEDULE).run(), shop.sales.run(), shop.archiver.run()]
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        await shop.order_queue.drain()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await shop.views.write()
        await shop.close()
