"""Subscriptions to everything of one's own, and to the staff's work queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from domain.errors import Invalid
from domain.events import Versioned
from events.subscriptions.work_feed import QueueItem, WorkChange
from loaders import Loaders
from loaders.work_queue import WorkQueue, WorkQueueCount, count_queues
from models import Event, Subject
from resolvers.context import Info
from resolvers.guard import Permission

__all__ = [
    "FIRST_LIMIT",
    "LOAD_SUBJECT",
    "QueueItem",
    "WorkChange",
    "WorkQueue",
    "WorkQueueCount",
    "check_update_count",
    "counts",
    "subjects",
    "viewer_updates",
    "while_visible",
    "work_queue",
    "work_queue_counts",
]

FIRST_LIMIT = 1_000
"""The most updates after which a subscription may complete by itself."""

LOAD_SUBJECT: Mapping[Subject, Callable[[Loaders, int], Awaitable[Versioned | None]]] = {
    Subject.ORDER: lambda load, id: load.order.load(id),
    Subject.SHIPMENT: lambda load, id: load.shipment.load(id),
    Subject.TICKET: lambda load, id: load.ticket.load(id),
    Subject.CART: lambda load, id: load.cart.load(id),
    Subject.PRODUCT: lambda load, id: load.product.load(id),
    Subject.DELIVERY_RUN: lambda load, id: load.delivery_run.load(id),
}


def check_update_count(first: int | None) -> None:
    """Invalid unless it is left out or a number of updates up to FIRST_LIMIT."""
    if first is not None and not 1 <= first <= FIRST_LIMIT:
        raise Invalid("first is between 1 and {limit}.", limit=FIRST_LIMIT, field=("first",))


async def while_visible(
    info: Info, events: AsyncIterator[Event], find: Callable[[], Awaitable[object | None]]
) -> AsyncIterator[Event]:
    """The events, to couriers until they may not see any more what `find` looks for: a run is given to others
    or has ended. What customers and other staff see does not change while their sign-in lasts."""
    async for event in events:
        if info.context.viewer.may(Permission.DELIVERY_RUN_DRIVE):
            info.context.forget_loaded()
            if await find() is None:
                return
        yield event


async def viewer_updates(info: Info) -> AsyncIterator[Event]:
    """Everything that happens from now on to what is the viewer's own."""
    async for event in info.context.shop.feed.follow_account(info.context.viewer.id):
        yield event


async def work_queue(info: Info, current: bool = False) -> AsyncIterator[QueueItem]:
    """Every new task for the viewer's role from now on: orders to pack, tickets to answer or due soon.

    current: whether the tickets that wait now come first, the most urgent first and at most 100, then one
        item CURRENT without a subject; and later also GONE, when a ticket waits no more or for somebody else
    """
    async for item in info.context.shop.work_feed.follow(info.context.viewer.role, current=current):
        yield item


async def work_queue_counts(info: Info) -> Sequence[WorkQueueCount]:
    """How many tickets are in each queue that the viewer works on."""
    viewer = info.context.viewer
    reads = info.context.shop.database.reads
    return await count_queues(reads, viewer.role, viewer.id, now=info.context.shop.clock())


async def counts(items: Sequence[QueueItem], info: Info) -> Sequence[Sequence[WorkQueueCount] | None]:
    """How many tickets are in each queue that the viewer works on, counted once for items that come together;
    null on those that were there when the viewer began to watch: CURRENT, which follows them, has it."""
    for item in items:
        if item.batch.counts is None and item.change is not WorkChange.WAITING:
            item.batch.counts = await work_queue_counts(info)
    return [item.batch.counts for item in items]


async def subjects(events: Sequence[Event | QueueItem], info: Info) -> Sequence[Versioned | None]:
    """What it happened to, as it is now; null when it no longer exists."""
    load = info.context.load

    async def find(event: Event | QueueItem) -> Versioned | None:
        if event.subject is None:
            return None
        if isinstance(event, Event):
            return await LOAD_SUBJECT[event.subject](load, event.subject_id)
        if event.ticket is not None:
            return event.ticket
        batch = event.batch
        if batch.subjects is None:
            batch.subjects = await load_subjects(load, batch.items)
        return batch.subjects.get((event.subject, event.subject_id))

    return await asyncio.gather(*map(find, events))


async def load_subjects(
    load: Loaders, items: Sequence[QueueItem]
) -> Mapping[tuple[Subject, int], Versioned | None]:
    """What items are about: one statement for each kind of row."""
    keys = list(dict.fromkeys((item.subject, item.subject_id) for item in items if item.subject))
    found = await asyncio.gather(*(LOAD_SUBJECT[subject](load, id) for subject, id in keys))
    return dict(zip(keys, found, strict=True))
