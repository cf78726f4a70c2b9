from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from loaders.base import ManyByKey, loader
from loaders.prepared import Reads
from models import Event, Subject

OVERLAP = 1_000
"""How many ids a look at what is new goes back: an id is drawn before its transaction commits, so that a
lower one may appear after a higher one. One that outlives this many others is seen in its own stream only."""

REPLAY_BATCH = 100


async def latest_version(reads: Reads, subject: Subject, subject_id: int) -> int:
    """The version a thing has now; 0 when nothing has happened to it."""
    async with reads() as session:
        found = await session.scalar(
            select(func.max(Event.version)).where(Event.subject == subject, Event.subject_id == subject_id)
        )
    return found or 0


async def events_since(reads: Reads, subject: Subject, subject_id: int, version: int) -> Sequence[Event]:
    """Up to REPLAY_BATCH events of one thing above `version`, oldest first."""
    async with reads() as session:
        return (
            await session.scalars(
                select(Event)
                .where(Event.subject == subject, Event.subject_id == subject_id, Event.version > version)
                .order_by(Event.version)
                .limit(REPLAY_BATCH)
            )
        ).all()


class EventsByOrder(ManyByKey[int, Event]):
    key = Event.subject_id
    order_by = Event.version

    def statement(self) -> Select[Any]:
        return super().statement().where(Event.subject == Subject.ORDER)


class EventLoaders:
    order_events = loader(EventsByOrder)
