"""The events of one row for its watchers: missed ones first, then live ones, each once, in order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from domain.errors import ReloadRequired
from events.bus import Bus
from events.subscriptions.coalescer import Coalescer
from events.topics import subject_topic
from loaders.event import REPLAY_BATCH, archived_version, events_since, latest_version
from models import Event, Subject
from models.database import Database, Reads


async def read_replay(reads: Reads, subject: Subject, subject_id: int, seen: int) -> Sequence[Event]:
    """Up to REPLAY_BATCH events of one row above the version `seen`, oldest first.

    Raises ReloadRequired where the next of them is archived.
    """
    events = await events_since(reads, subject, subject_id, seen)
    follows = bool(events) and events[0].version == seen + 1
    if not follows and await archived_version(reads, subject, subject_id) > seen:
        raise ReloadRequired
    return events


@dataclass(frozen=True, slots=True)
class EventReplay:
    database: Database
    bus: Bus
    coalescer: Coalescer
    signal_timeout: timedelta
    """When the table is looked into without a notification."""

    async def follow(self, subject: Subject, subject_id: int, after: int | None) -> AsyncIterator[Event]:
        """Every event of one row above version `after`; only those still to come when it is None.

        Raises ReloadRequired where some of them are archived: before the first, or when the watcher has not
        read for so long.

        The topic is listened to before the table is read, so that no event is missed between the two.
        """
        reads = self.database.reads
        seen = await latest_version(reads, subject, subject_id) if after is None else after
        async with self.bus.listen([subject_topic(subject, subject_id)]) as signal:
            while True:
                events = await self.events_since(subject, subject_id, seen)
                for event in events:
                    yield event
                    seen = event.version
                if len(events) < REPLAY_BATCH:
                    await signal.wait(self.signal_timeout.total_seconds())

    async def events_since(self, subject: Subject, subject_id: int, version: int) -> Sequence[Event]:
        """The next events of a row, read once for all of its watchers that one notification has woken."""
        read = partial(read_replay, self.database.reads, subject, subject_id, version)
        return await self.coalescer.share((read_replay, subject, subject_id, version), read)
