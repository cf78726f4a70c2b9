"""The staff's work queue: what waits now, then each change; what is due soon comes without an event."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.events import TicketMessageAdded, Versioned, type_of
from events.bus import Bus
from events.topics import STAFF_TOPIC
from events.types import Clock
from events.work_queue import BY_CUSTOMER, GONE, OVERDUE, gone_of, is_work_for, work_of
from loaders.event import OVERLAP, latest_event_id, named_events_above
from loaders.work_queue import DUE_SOON, WorkQueueCount, find_waiting, load_due_between, load_waiting
from models import Event, Role, Subject, Ticket
from models.database import Database


class WorkChange(StrEnum):
    """What an item of the work queue says."""

    WAITING = "WAITING"
    """The ticket was there when the viewer began to watch."""
    CURRENT = "CURRENT"
    """All that was there has been sent; what follows is new."""
    NEW = "NEW"
    """A new task."""
    ANSWERED = "ANSWERED"
    """The customer of a ticket has written."""
    DUE_SOON = "DUE_SOON"
    """A ticket should be attended to within four hours."""
    OVERDUE = "OVERDUE"
    """Nobody has acted in time."""
    CHANGED = "CHANGED"
    """A ticket was given to somebody, given back or asked about, and waits still."""
    GONE = "GONE"
    """A ticket was decided, answered or has ended: it waits for nobody of the viewer's role."""


@dataclass(slots=True, eq=False)
class ItemBatch:
    """Items that were found together: what is read for the first that is sent serves all of them."""

    items: Sequence["QueueItem"] = ()
    subjects: Mapping[tuple[Subject, int], Versioned | None] | None = None
    counts: Sequence[WorkQueueCount] | None = None

    @classmethod
    def of(cls, items: Sequence["QueueItem"]) -> Sequence["QueueItem"]:
        """These items as one batch."""
        batch = cls()
        batch.items = [replace(item, batch=batch) for item in items]
        return batch.items


@dataclass(frozen=True, slots=True)
class QueueItem:
    """Something that waits for the staff, or has changed for them."""

    name: str
    change: WorkChange
    subject: Subject | None
    subject_id: int
    occurred_at: datetime
    ticket: Ticket | None = None
    """The subject, where it was read together with those of other items."""
    batch: ItemBatch = field(default_factory=ItemBatch, compare=False, repr=False)

    @classmethod
    def of_event(cls, event: Event) -> "QueueItem":
        return cls(event.name, change_of(event), event.subject, event.subject_id, event.occurred_at)

    @classmethod
    def of_ticket(cls, ticket: Ticket, change: WorkChange, now: datetime) -> "QueueItem":
        return cls(f"ticket.{change.value.lower()}", change, Subject.TICKET, ticket.id, now, ticket)


def change_of(event: Event) -> WorkChange:
    event_type = type_of(event)
    if event_type is TicketMessageAdded:
        return WorkChange.ANSWERED if event.actor_id == event.account_id else WorkChange.GONE
    if event_type in GONE:
        return WorkChange.GONE
    return WorkChange.OVERDUE if event_type in OVERDUE else WorkChange.NEW


@dataclass(frozen=True, slots=True)
class WorkFeed:
    database: Database
    bus: Bus
    clock: Clock
    signal_timeout: timedelta
    """When the tables are looked into without a notification; what is due soon is found then."""

    async def follow(self, role: Role, *, current: bool) -> AsyncIterator[QueueItem]:
        """Every task of a role from now on; with `current`, first what waits, and then also what has gone.

        The first id is read before the topic is listened to, and what waits after it, so that none is missed.
        """
        reads = self.database.reads
        latest = await latest_event_id(reads)
        seen = {event.id for event in await self.read_above(latest - OVERLAP, role, current=current)}
        horizon = self.clock() + DUE_SOON, 0
        async with self.bus.listen([STAFF_TOPIC]) as signal:
            if current:
                for ticket in await load_waiting(reads, role):
                    yield QueueItem.of_ticket(ticket, WorkChange.WAITING, self.clock())
                yield QueueItem("work_queue.current", WorkChange.CURRENT, None, 0, self.clock())
            while True:
                latest, floor = await latest_event_id(reads), latest - OVERLAP
                events = await self.read_above(floor, role, current=current)
                unseen = [event for event in events if event.id not in seen and is_work_for(event, role)]
                for item in ItemBatch.of(await self.describe(unseen, role)):
                    yield item
                seen = {event.id for event in events}
                now = self.clock()
                while due := await load_due_between(reads, role, horizon, now + DUE_SOON):
                    items = [QueueItem.of_ticket(ticket, WorkChange.DUE_SOON, now) for ticket in due]
                    for item in ItemBatch.of(items):
                        yield item
                    horizon = due[-1].attend_by or now, due[-1].id
                horizon = max(horizon, (now + DUE_SOON, 0))
                await signal.wait(self.signal_timeout.total_seconds())

    async def describe(self, events: Sequence[Event], role: Role) -> Sequence[QueueItem]:
        """What events say to a role; a ticket has gone only where it waits for nobody of that any more."""
        items = [QueueItem.of_event(event) for event in events]
        gone = {item.subject_id for item in items if item.change is WorkChange.GONE}
        waiting = await find_waiting(self.database.reads, role, gone)
        return [
            replace(item, change=WorkChange.CHANGED)
            if item.change is WorkChange.GONE and item.subject_id in waiting
            else item
            for item in items
        ]

    async def read_above(self, event_id: int, role: Role, *, current: bool) -> Sequence[Event]:
        """The events with a higher id that are work of a role, or with `current` say that work has gone."""
        names = [event_type.name for event_type in work_of(role)]
        gone = gone_of(role) if current else ()
        by_customer = () if gone else BY_CUSTOMER
        return await named_events_above(
            self.database.reads,
            event_id,
            [*names, *(event_type.name for event_type in gone)],
            by_customer=[event_type.name for event_type in by_customer],
        )
