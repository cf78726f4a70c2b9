"""Events for watchers: the missed ones from the table first, then live ones, each once, in order."""

from collections.abc import AsyncIterator

from events.shop import Shop
from events.topics import subject_topic
from loaders.event import REPLAY_BATCH, events_since, latest_version
from models import Event, Subject


async def follow(shop: Shop, subject: Subject, subject_id: int, after: int | None) -> AsyncIterator[Event]:
    """Every event of one thing with a version above `after`; only those still to come when None.

    The bell is hung up before the table is read, so nothing falls between the two; and once it hangs,
    everything to come is told.
    """
    seen = await latest_version(shop.database.reads, subject, subject_id) if after is None else after
    async with shop.bus.listen([subject_topic(subject, subject_id)]) as bell:
        while True:
            events = await events_since(shop.database.reads, subject, subject_id, seen)
            for event in events:
                yield event
                seen = event.version
            if len(events) < REPLAY_BATCH:
                await bell.wait(shop.settings.bell_pause.total_seconds())
