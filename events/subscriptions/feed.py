"""New events of many rows, for watchers of an account: live only, each once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from events.bus import Bus
from events.topics import account_topic
from loaders.event import OVERLAP, account_events_above, latest_event_id
from models import Event
from models.database import Database


@dataclass(frozen=True, slots=True)
class EventFeed:
    database: Database
    bus: Bus
    signal_timeout: timedelta
    """When the table is looked into without a notification."""

    async def follow_account(self, account_id: int) -> AsyncIterator[Event]:
        """Every event from now on that concerns a customer."""

        async def read_above(event_id: int) -> Sequence[Event]:
            return await account_events_above(self.database.reads, event_id, account_id)

        async for event in self.follow_new(account_topic(account_id), read_above):
            yield event

    async def follow_new(
        self, topic: str, read_above: Callable[[int], Awaitable[Sequence[Event]]]
    ) -> AsyncIterator[Event]:
        """Every event from now on that `read_above` finds above an id, looked for after each notification.

        The first id is read before the topic is listened to, and the table after it, so that none is missed.
        """
        latest = await latest_event_id(self.database.reads)
        seen = {event.id for event in await read_above(latest - OVERLAP)}
        async with self.bus.listen([topic]) as signal:
            while True:
                latest, floor = await latest_event_id(self.database.reads), latest - OVERLAP
                events = await read_above(floor)
                for event in events:
                    if event.id not in seen:
                        yield event
                seen = {event.id for event in events}
                await signal.wait(self.signal_timeout.total_seconds())
