"""New events of many things, for watchers who want to hear of all of them: live only, each once."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import ColumnElement, func, select

from events.shop import Shop
from events.topics import STAFF_TOPIC, account_topic
from events.work import work_of
from loaders.event import OVERLAP
from loaders.prepared import Reads
from models import Event, Role


async def follow_account(shop: Shop, account_id: int) -> AsyncIterator[Event]:
    """Everything that happens from now on to what a customer has."""
    async for event in follow_new(shop, account_topic(account_id), Event.account_id == account_id):
        yield event


async def follow_work(shop: Shop, role: Role) -> AsyncIterator[Event]:
    """Everything that turns up from now on for a role to do."""
    async for event in follow_new(shop, STAFF_TOPIC, work_of(role)):
        yield event


async def follow_new(shop: Shop, topic: str, wanted: ColumnElement[bool]) -> AsyncIterator[Event]:
    """As `follow`: where it begins is known before the bell hangs, and the table is read after it."""
    reads = shop.database.reads
    last = await latest_id(reads)
    seen = {event.id for event in await events_above(reads, last - OVERLAP, wanted)}
    async with shop.bus.listen([topic]) as bell:
        while True:
            last, floor = await latest_id(reads), last - OVERLAP
            events = await events_above(reads, floor, wanted)
            for event in events:
                if event.id not in seen:
                    yield event
            seen = {event.id for event in events}
            await bell.wait(shop.settings.bell_pause.total_seconds())


async def latest_id(reads: Reads) -> int:
    async with reads() as session:
        return await session.scalar(select(func.max(Event.id))) or 0


async def events_above(reads: Reads, floor: int, wanted: ColumnElement[bool]) -> Sequence[Event]:
    async with reads() as session:
        return (await session.scalars(select(Event).where(Event.id > floor, wanted).order_by(Event.id))).all()
