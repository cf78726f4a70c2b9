"""Recording events in the transaction of a change, claiming them for the relay, rewriting payloads."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import DomainEvent
from models import ArchivedEvent, Event, ReactionDone
from models.base import JsonObject
from models.sql.dialects import dialect_of
from models.sql.types import NewRow
from models.sql.upsert import upsert_into

EventTable = type[Event] | type[ArchivedEvent]

FAILURE_LENGTH = 500


def record(session: AsyncSession, event: DomainEvent, cause: Cause) -> Event:
    """Store an event, which is relayed if, and only if, this transaction commits.

    The row of the event must be new (flushed, version 0) or locked by the caller: its version goes up by one,
    and the lock is what keeps versions without gaps. Where the payload has an `account_id`, that customer's
    `viewerUpdates` show the event, too.
    """
    event.row.version += 1
    event.keep_on_row(cause.by, cause.now)
    stored = Event(**event_row(event, cause))
    session.add(stored)
    return stored


async def record_all(session: AsyncSession, events: Sequence[DomainEvent], cause: Cause) -> None:
    """Store the events of many rows in one statement; otherwise as `record`."""
    if not events:
        return
    rows = []
    for event in events:
        event.row.version += 1
        event.keep_on_row(cause.by, cause.now)
        rows.append(event_row(event, cause))
    await session.execute(insert(Event), rows)


def event_row(event: DomainEvent, cause: Cause) -> NewRow:
    """The values of an event's columns, for a statement that writes many; the version is the row's own."""
    payload = event.payload()
    return {
        "name": event.name,
        "subject": event.subject,
        "subject_id": event.row.id,
        "version": event.row.version,
        "payload": payload,
        "account_id": payload.get("account_id"),
        "actor_id": cause.by,
        "occurred_at": cause.now,
        "attempts": 0,
    }


async def claim_events(
    session: AsyncSession, *, now: datetime, until: datetime, limit: int
) -> Sequence[Event]:
    """Up to `limit` events that nobody has relayed or claimed, claimed until then; oldest first."""
    waiting = (
        select(Event.id)
        .where(
            Event.relayed_at.is_(None),
            or_(Event.claimed_until.is_(None), Event.claimed_until < now),
        )
        .order_by(Event.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # An idle relay on SQLite only reads: its UPDATE, which finds nothing, is left out.
    if dialect_of(session) == "sqlite" and not await session.scalar(waiting.limit(1)):
        return []
    rows = await session.scalars(
        update(Event)
        .where(Event.id.in_(waiting.scalar_subquery()))
        .values(claimed_until=until)
        .returning(Event)
    )
    return sorted(rows.all(), key=lambda event: event.id)


async def mark_relayed(session: AsyncSession, events: Sequence[Event], *, now: datetime) -> None:
    """Note that nothing is left to do for these events."""
    await session.execute(
        update(Event).where(Event.id.in_([event.id for event in events])).values(relayed_at=now, failure=None)
    )


async def postpone_event(
    session: AsyncSession, event: Event, *, attempts: int, failure: str, until: datetime
) -> None:
    """Leave an event to be claimed again after `until`, and note why the last attempt failed."""
    await session.execute(
        update(Event)
        .where(Event.id == event.id)
        .values(attempts=attempts, failure=failure[:FAILURE_LENGTH], claimed_until=until)
    )


async def mark_reaction_done(session: AsyncSession, event: Event, reaction: str, *, now: datetime) -> bool:
    """Note that a reaction has had its effect; False when that was noted before."""
    return bool(await mark_reactions_done(session, [event.id], reaction, now=now))


async def mark_reactions_done(
    session: AsyncSession, event_ids: Sequence[int], reaction: str, *, now: datetime
) -> set[int]:
    """Note that a reaction has had its effect on events; those of which that was not noted before."""
    rows = [{"event_id": event_id, "reaction": reaction, "done_at": now} for event_id in sorted(event_ids)]
    marked = await session.scalars(
        upsert_into(session, ReactionDone)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(ReactionDone.event_id)
    )
    return set(marked)


async def rewrite_payloads(
    session: AsyncSession,
    is_concerned: Callable[[EventTable], ColumnElement[bool]],
    rewrite: Callable[[str, JsonObject], JsonObject],
) -> int:
    """Replace the payloads of the events that meet a condition, archived ones too; how many were changed.

    `rewrite` gets the name and the payload of an event and returns the new payload. Name, version and times
    stay. The table of events comes first: what is archived meanwhile is then found in the archive.
    """
    changed = 0
    for table in (Event, ArchivedEvent):
        rows = await session.execute(
            select(table.id, table.name, table.payload)
            .where(is_concerned(table))
            .order_by(table.id)
            .with_for_update()
        )
        rewritten = [
            {"id": id, "payload": new} for id, name, old in rows if (new := rewrite(name, dict(old))) != old
        ]
        if rewritten:
            await session.execute(update(table), rewritten)
        changed += len(rewritten)
    return changed
