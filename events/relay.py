"""Moves committed events to the bell and to their reactions, at least once each."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.upsert import insert
from events.reaction import Inside, Reaction
from events.reactions import REACTIONS
from events.shop import Shop
from events.topics import topics_of
from models import Event, ReactionDone

log = structlog.get_logger()

BATCH = 100
ATTEMPTS_LIMIT = 20
BACKOFF_LIMIT = timedelta(minutes=10)


class Relay:
    """One per process; several share the work through leases on the rows."""

    def __init__(self, shop: Shop, reactions: Mapping[str, Sequence[Reaction]] = REACTIONS) -> None:
        self.shop = shop
        self.reactions = reactions
        self.awake = asyncio.Event()
        shop.woken.append(self.awake.set)

    async def run(self) -> None:
        while True:
            self.awake.clear()
            try:
                full = await self.once() == BATCH
            except Exception:
                log.exception("relay.failed")
                full = False
            if not full:
                await self.rest()

    async def rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.awake.wait(), self.shop.settings.relay_pause.total_seconds())

    async def once(self) -> int:
        """Take a batch of waiting events, ring, react, and mark what is done; how many were taken."""
        events = await self.claim()
        if events:
            await self.shop.bus.ring({topic for event in events for topic in topics_of(event)})
            quiet = [event for event in events if event.name not in self.reactions]
            await self.mark(quiet)
            for event in events:
                if event.name in self.reactions:
                    await self.react(event)
        return len(events)

    async def claim(self) -> Sequence[Event]:
        now = self.shop.clock()
        waiting = (
            select(Event.id)
            .where(
                Event.relayed_at.is_(None),
                or_(Event.claimed_until.is_(None), Event.claimed_until < now),
            )
            .order_by(Event.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self.shop.database.writes.begin() as session:
            if self.shop.database.dialect == "sqlite" and not await session.scalar(waiting.limit(1)):
                return []
            rows = await session.scalars(
                update(Event)
                .where(Event.id.in_(waiting.scalar_subquery()))
                .values(claimed_until=now + self.shop.settings.event_lease)
                .returning(Event)
            )
            return sorted(rows.all(), key=lambda event: event.id)

    async def mark(self, events: Sequence[Event]) -> None:
        if not events:
            return
        async with self.shop.database.writes.begin() as session:
            await session.execute(
                update(Event)
                .where(Event.id.in_([event.id for event in events]))
                .values(relayed_at=self.shop.clock(), failure=None)
            )

    async def react(self, event: Event) -> None:
        try:
            for reaction in self.reactions[event.name]:
                await self.apply(reaction, event)
        except Exception as error:
            log.exception("reaction.failed", event_name=event.name, event_id=event.id)
            await self.postpone(event, error)
        else:
            await self.mark([event])

    async def apply(self, reaction: Reaction, event: Event) -> None:
        """Inside: effect and mark commit together. Outside: the effect is idempotent, then the mark."""
        if isinstance(reaction, Inside):
            async with self.shop.database.writes.begin() as session:
                if await self.first_time(session, reaction, event):
                    await reaction.effect(session, event, self.shop)
            self.shop.wake()
            return
        async with self.shop.database.reads() as session:
            done = await session.get(ReactionDone, (event.id, reaction.name))
        if done is None:
            await reaction.effect(event, self.shop)
            async with self.shop.database.writes.begin() as session:
                await self.first_time(session, reaction, event)

    async def first_time(self, session: AsyncSession, reaction: Reaction, event: Event) -> bool:
        fresh = await session.scalar(
            insert(session, ReactionDone)
            .values(event_id=event.id, reaction=reaction.name, done_at=self.shop.clock())
            .on_conflict_do_nothing()
            .returning(ReactionDone.event_id)
        )
        return fresh is not None

    async def postpone(self, event: Event, error: Exception) -> None:
        """Try again later, later each time; after ATTEMPTS_LIMIT it waits for a human, loudly logged."""
        attempts = event.attempts + 1
        given_up = attempts >= ATTEMPTS_LIMIT
        if given_up:
            log.error("reaction.given_up", event_name=event.name, event_id=event.id)
        async with self.shop.database.writes.begin() as session:
            await session.execute(
                update(Event)
                .where(Event.id == event.id)
                .values(
                    attempts=attempts,
                    failure=f"{type(error).__name__}: {error}"[:500],
                    claimed_until=datetime.max.replace(tzinfo=self.shop.clock().tzinfo)
                    if given_up
                    else self.shop.clock() + min(timedelta(seconds=2**attempts), BACKOFF_LIMIT),
                )
            )
