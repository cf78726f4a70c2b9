"""Passing committed events on: to the watchers of their topics and to their reactions, at least once each."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.events import read_event, type_of
from domain.outbox import (
    claim_events,
    mark_reaction_done,
    mark_reactions_done,
    mark_relayed,
    postpone_event,
)
from events.reactions import REACTIONS
from events.topics import topics_of
from events.types import AnyReaction, Reactions, Resources
from gateways.failures import describe_failure
from gateways.tracing import open_root_span, open_span
from models import Event

log = structlog.get_logger()

BATCH = 200
ATTEMPTS_LIMIT = 20
BACKOFF_LIMIT = timedelta(minutes=10)

DueReactions = Mapping[int, Sequence[AnyReaction]]
"""The reactions that an event still needs, by its id."""


class Relay:
    """Claims events, notifies and reacts. One per process; a claim keeps others from the same event."""

    def __init__(self, resources: Resources, reactions: Reactions = REACTIONS) -> None:
        self.resources = resources
        self.database = resources.database
        self.metrics, self.tracer = resources.metrics, resources.tracer
        self.clock = resources.clock
        self.lease = resources.settings.jobs.event_lease
        self.pause_seconds = resources.settings.jobs.relay_interval.total_seconds()
        self.reactions = reactions
        self.committed = asyncio.Event()
        resources.on_commit.append(self.committed.set)

    async def run(self) -> None:
        while True:
            self.committed.clear()
            try:
                full = await self.run_once() == BATCH
            except Exception:
                log.exception("relay.failed")
                full = False
            if not full:
                await self.wait_for_commit()

    async def wait_for_commit(self) -> None:
        """Until this process has committed something, or for `relay_pause`: others commit, too."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.pause_seconds):
                await self.committed.wait()

    async def run_once(self) -> int:
        """Claim a batch of events, notify their watchers, react, and mark what is done; returns its size."""
        events = await self.claim()
        if events:
            await self.resources.bus.notify({topic for event in events for topic in topics_of(event)})
            self.metrics.relayed_events += len(events)
            due = await self.find_due(events)
            await self.mark([event for event in events if not due[event.id]])
            concerned = [event for event in events if due[event.id]]
            for together, group in groupby(concerned, key=lambda event: can_share(due[event.id])):
                if together:
                    await self.react_to_many(list(group), due)
                else:
                    for event in group:
                        await self.react(event, due[event.id])
        return len(events)

    def reactions_for(self, event: Event) -> Sequence[AnyReaction]:
        event_type = type_of(event)
        return self.reactions.get(event_type, ()) if event_type else ()

    async def find_due(self, events: Sequence[Event]) -> DueReactions:
        """The reactions to each event that may concern its row: each is asked once about all events."""
        due = {event.id: self.reactions_for(event) for event in events}
        filtered = {each for reactions in due.values() for each in reactions if each.find_concerned}
        for reaction in filtered:
            rows = {event.subject_id for event in events if reaction in due[event.id]}
            concerned = await self.find_concerned(reaction, rows)
            for event in events:
                if event.subject_id not in concerned:
                    due[event.id] = [each for each in due[event.id] if each is not reaction]
        return due

    async def find_concerned(self, reaction: AnyReaction, row_ids: Collection[int]) -> Collection[int]:
        """Those of these rows that a reaction may concern; all of them where that cannot be found out now."""
        if reaction.find_concerned is None:
            return row_ids
        try:
            async with self.database.reads() as session:
                return await reaction.find_concerned(session, row_ids)
        except DBAPIError:
            log.exception("relay.concerned_unknown", reaction=reaction.name)
            return row_ids

    async def claim(self) -> Sequence[Event]:
        now = self.clock()
        async with self.database.writes.begin() as session:
            return await claim_events(session, now=now, until=now + self.lease, limit=BATCH)

    async def mark(self, events: Sequence[Event]) -> None:
        if events:
            async with self.database.writes.begin() as session:
                await mark_relayed(session, events, now=self.clock())

    async def react_to_many(self, events: Sequence[Event], due: DueReactions) -> None:
        """React to events that follow each other in one transaction; if that fails, to each by itself."""
        try:
            with open_root_span(self.tracer, "events", {"events": len(events)}):
                async with self.database.writes.begin() as session:
                    await self.share_reactions(session, events, due)
        except Exception as error:
            if len(events) > 1:
                log.warning("relay.one_by_one", events=len(events), error=describe_failure(error))
            for event in events:
                await self.react(event, due[event.id])
            return
        self.resources.wake_relay()

    async def share_reactions(
        self, session: AsyncSession, events: Sequence[Event], due: DueReactions
    ) -> None:
        """Run the reactions to these events unless they are marked as done, and mark the events."""
        for reaction in dict.fromkeys(each for event in events for each in due[event.id]):
            if reaction.effect_on_many is None:
                continue  # never: such events do not share a transaction
            with self.metrics.reactions.measure(reaction.name), open_span(self.tracer, reaction.name):
                ids = [event.id for event in events if reaction in due[event.id]]
                marked = await mark_reactions_done(session, ids, reaction.name, now=self.clock())
                if new := [read_event(event) for event in events if event.id in marked]:
                    await reaction.effect_on_many(session, new, self.resources)
        await mark_relayed(session, events, now=self.clock())

    async def react(self, event: Event, reactions: Sequence[AnyReaction]) -> None:
        try:
            with open_root_span(self.tracer, f"event {event.name}"):
                for reaction in reactions:
                    with self.metrics.reactions.measure(reaction.name), open_span(self.tracer, reaction.name):
                        await self.apply(reaction, event)
        except Exception as error:
            log.exception("reaction.failed", event_name=event.name, event_id=event.id)
            await self.postpone(event, error)
        else:
            await self.mark([event])

    async def apply(self, reaction: AnyReaction, event: Event) -> None:
        """Run a reaction unless it is marked as done; its effect and the mark are committed together."""
        async with self.database.writes.begin() as session:
            if await mark_reaction_done(session, event, reaction.name, now=self.clock()):
                await reaction.effect(session, read_event(event), self.resources)
        self.resources.wake_relay()

    async def postpone(self, event: Event, error: Exception) -> None:
        """Try again later, later each time; after ATTEMPTS_LIMIT never by itself: an error is logged."""
        attempts, now = event.attempts + 1, self.clock()
        until = now + min(timedelta(seconds=2**attempts), BACKOFF_LIMIT)
        if attempts >= ATTEMPTS_LIMIT:
            until = datetime.max.replace(tzinfo=now.tzinfo)
            log.error("reaction.attempts_exhausted", event_name=event.name, event_id=event.id)
        failure = describe_failure(error)
        async with self.database.writes.begin() as session:
            await postpone_event(session, event, attempts=attempts, failure=failure, until=until)


def can_share(reactions: Sequence[AnyReaction]) -> bool:
    """Whether what follows an event may be done in one transaction with what follows others."""
    return all(reaction.effect_on_many is not None for reaction in reactions)
