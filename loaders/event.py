"""Events of one row, of one customer and of the staff's work queue."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from sqlalchemy import ColumnElement, func, literal, null, or_, select, union_all

from loaders.base import ManyByKey, loader
from models import ArchivedEvent, Event, Subject
from models.database import Reads
from models.sql.dialects import columns_of
from models.sql.parameters import is_among
from models.sql.types import AnySelect

OVERLAP = 1_000
"""How many ids below the highest are read again: an id is drawn before its transaction commits, so a lower
one may become visible after a higher one. One that more overtake is seen in the updates of its row only."""

REPLAY_BATCH = 100


async def latest_version(reads: Reads, subject: Subject, subject_id: int) -> int:
    """The version of a row, of which events may be archived; 0 before its first event."""
    async with reads() as session:
        found = await session.scalar(
            select(func.max(Event.version)).where(Event.subject == subject, Event.subject_id == subject_id)
        )
    return found or await archived_version(reads, subject, subject_id)


async def archived_version(reads: Reads, subject: Subject, subject_id: int) -> int:
    """The version of a row up to which its events are archived; 0 where none is."""
    async with reads() as session:
        found = await session.scalar(
            select(func.max(ArchivedEvent.version)).where(
                ArchivedEvent.subject == subject, ArchivedEvent.subject_id == subject_id
            )
        )
    return found or 0


async def events_since(reads: Reads, subject: Subject, subject_id: int, version: int) -> Sequence[Event]:
    """Up to REPLAY_BATCH events of one row above `version` that are not archived, oldest first."""
    async with reads() as session:
        return (
            await session.scalars(
                select(Event)
                .where(Event.subject == subject, Event.subject_id == subject_id, Event.version > version)
                .order_by(Event.version)
                .limit(REPLAY_BATCH)
            )
        ).all()


async def latest_event_id(reads: Reads) -> int:
    """The highest id of an event; 0 when there is none."""
    async with reads() as session:
        return await session.scalar(select(func.max(Event.id))) or 0


async def account_events_above(reads: Reads, event_id: int, account_id: int) -> Sequence[Event]:
    """The events of a customer with a higher id, oldest first."""
    return await _events_above(reads, event_id, Event.account_id == account_id)


async def named_events_above(
    reads: Reads, event_id: int, names: Collection[str], *, by_customer: Collection[str]
) -> Sequence[Event]:
    """The events of these names with a higher id, oldest first; those in `by_customer` only where their
    customer caused them."""
    own = or_(Event.name.not_in(by_customer), Event.actor_id == Event.account_id)
    return await _events_above(reads, event_id, Event.name.in_(names) & own)


async def _events_above(reads: Reads, event_id: int, condition: ColumnElement[bool]) -> Sequence[Event]:
    async with reads() as session:
        found = select(Event).where(Event.id > event_id, condition).order_by(Event.id)
        return (await session.scalars(found)).all()


class EventsByRow(ManyByKey[int, Event]):
    """All events of the rows of one subject, archived ones too, in one statement."""

    key = Event.subject_id
    subject: ClassVar[Subject]

    def _build(self, dialect: str) -> AnySelect:
        kept = {column.name for column in columns_of(ArchivedEvent)}
        missing = {"attempts": literal(0), "claimed_until": null(), "failure": null()}
        columns = [column.name for column in columns_of(Event)]
        archived = [getattr(ArchivedEvent, name) if name in kept else missing[name] for name in columns]
        both = union_all(
            select(*columns_of(Event)).where(
                Event.subject == self.subject, is_among(Event.subject_id, "keys", dialect)
            ),
            select(*archived).where(
                ArchivedEvent.subject == self.subject, is_among(ArchivedEvent.subject_id, "keys", dialect)
            ),
        ).subquery()
        return select(*both.c).order_by(both.c.version)


class EventsByOrder(EventsByRow):
    subject = Subject.ORDER


class EventLoaders:
    order_events = loader(EventsByOrder)
