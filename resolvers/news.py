import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from events.news import follow_account, follow_work
from models import Event, Subject
from resolvers.context import Info

LOADER_OF = {
    Subject.ORDER: "order",
    Subject.SHIPMENT: "shipment",
    Subject.TICKET: "ticket",
    Subject.CART: "cart",
    Subject.PRODUCT: "product",
    Subject.RUN: "run",
}


async def viewer_updates(info: Info) -> AsyncIterator[Event]:
    """Everything that happens to one's own things from now on; each thing's own stream tells more."""
    async for event in follow_account(info.context.shop, info.context.viewer.id):
        yield event


async def work_queue(info: Info) -> AsyncIterator[Event]:
    """What turns up from now on for one's role to do: orders to pack, tickets to answer."""
    async for event in follow_work(info.context.shop, info.context.viewer.role):
        yield event


async def subjects(events: Sequence[Event], info: Info) -> Sequence[Any]:
    """What it happened to, as it is now."""
    return await asyncio.gather(
        *(getattr(info.context.load, LOADER_OF[event.subject]).load(event.subject_id) for event in events)
    )
