"""The jobs of one process, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager

from events.jobs.carrier_queues import CarrierQueues
from events.jobs.picture_checker import PictureChecker
from events.jobs.schedule import PARTNERS, SCHEDULE
from events.jobs.scheduler import Scheduler
from events.notices.sender import NoticeSender
from events.relay import Relay
from events.shipment.folding import PushFolder
from events.shop import Shop
from gateways.foreign_pictures import connect_picture_probe

CANCEL_AGAIN_SECONDS = 1.0
"""Long enough for a task to undo what it has begun, which a second cancellation would cut off."""


@asynccontextmanager
async def running_jobs(shop: Shop, *, relays: bool = True) -> AsyncIterator[None]:
    """Run the jobs of a process until the block ends; then finish what was begun and close the shop.

    With `relays`, the process also relays and archives events, sends notices, runs timers and counts sales
    for the others.
    """
    jobs = [
        shop.bus.run(),
        shop.views.run(),
        shop.questions.run(),
        shop.stock_watch.run(),
        shop.session_rights.run(),
    ]
    jobs += [
        shop.product_index.run(),
        shop.article_index.run(),
        shop.meaning_follower.run(),
        shop.synonyms.run(),
    ]
    if relays:
        jobs += [
            Relay(shop).run(),
            *(Scheduler(shop, SCHEDULE, partner).run() for partner in [None, *PARTNERS]),
            NoticeSender(shop).run(),
            PushFolder(shop, shop.push_inbox.has_stored).run(),
            shop.sales.run(),
            shop.topics.run(),
            shop.archiver.run(),
        ]
        if shop.settings.catalog.pictures_checked_per_minute:
            jobs.append(PictureChecker(shop, connect_picture_probe(shop.settings)).run())
    tasks: list[asyncio.Task[None]] = []

    def start(job: Coroutine[object, None, None]) -> None:
        tasks.append(asyncio.create_task(job))

    if relays:
        jobs.append(CarrierQueues(shop, start).run())
    for job in jobs:
        start(job)
    try:
        yield
    finally:
        await shop.order_queue.drain()
        await shop.push_inbox.drain()
        await cancel_until_ended(tasks)
        await shop.views.write()
        await shop.questions.write(last=True)
        await shop.close()


async def cancel_until_ended(tasks: "Collection[asyncio.Task[None]]") -> None:
    """Cancel tasks, again and again until all have ended: one cancellation may be lost.

    redis-py sends its commands within `asyncio.wait_for`, which before Python 3.12 drops a cancellation that
    comes in the moment in which the command has just been sent (https://github.com/python/cpython/issues/86296).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
