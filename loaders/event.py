"""Events of one row, of one customer and of the staff's work queue."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, func, or_, select

from loaders.base import ManyByKey, loader
from models import Event, Subject
from models.database import Reads
from models.sql.types import AnySelect

OVERLAP = 1_000
"""How many ids below the highest are read again: an id is drawn before its transaction commits, so a lower
one may become visible after a higher one. One that more overtake is seen in the updates of its row only."""

REPLAY_BATCH = 100


async def latest_version(reads: Reads, subject: Subject, subject_id: int) -> int:
    """The version of a row; 0 before its first event."""
    async with reads() as session:
        found = await session.scalar(
            select(func.max(Event.version)).where(Event.subject == subject, Event.subject_id == subject_id)
        )
    return found or 0


async def events_since(reads: Reads, subject: Subject, subject_id: int, version: int) -> Sequence[Event]:
    """Up to REPLAY_BATCH events of one row above `version`, oldest first."""
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


class EventsByOrder(ManyByKey[int, Event]):
    key = Event.subject_id
    order_by = Event.version

    def statement(self) -> AnySelect:
        return super().statement().where(Event.subject == Subject.ORDER)


class EventLoaders:
    order_events = loader(EventsByOrder)
