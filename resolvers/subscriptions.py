"""Subscriptions to everything of one's own, and to the staff's work queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from domain.errors import Invalid
from domain.events import Versioned
from loaders import Loaders
from models import Event, Subject
from resolvers.context import Info
from resolvers.guard import Permission

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


async def work_queue(info: Info) -> AsyncIterator[Event]:
    """Every new task for the viewer's role from now on: orders to pack, tickets to answer."""
    async for event in info.context.shop.feed.follow_work(info.context.viewer.role):
        yield event


async def subjects(events: Sequence[Event], info: Info) -> Sequence[Versioned | None]:
    """What it happened to, as it is now; null when it no longer exists."""
    load = info.context.load
    return await asyncio.gather(*(LOAD_SUBJECT[event.subject](load, event.subject_id) for event in events))
