"""Acting on rows that fall due, by a table of timers."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter

import structlog

from events.types import Resources, RowId, Timer
from gateways.tracing import open_root_span
from models.sql.batches import in_batches

log = structlog.get_logger()

BATCH = 100
GROUP = 25
"""Rows acted on in one transaction, where a timer can: more would be locked for long."""
CALLS_AT_ONCE = 8
"""How many calls to one partner a process makes at once, of those nobody waits for."""
LOOKS_APART_SECONDS = 0.2
"""Between two looks at what is due for a partner, however much is committed meanwhile."""


class Scheduler:
    """Asks the timers of a table again and again what is due.

    With a partner, it runs the timers that call this one, several rows at once; without, all others.
    """

    def __init__(self, resources: Resources, schedule: Sequence[Timer], partner: str | None = None) -> None:
        self.resources = resources
        self.schedule = [timer for timer in schedule if timer.partner == partner]
        self.partner = partner
        self.pause_seconds = resources.settings.jobs.scheduler_interval.total_seconds()
        self.behind = False
        """Whether more was due than one look finds, of what is done in groups, and some of it was done."""

    async def run(self) -> None:
        committed = asyncio.Event()
        if self.partner is not None:
            self.resources.on_commit.append(committed.set)
        while True:
            committed.clear()
            await self.run_once()
            if self.behind:
                continue
            if self.partner is not None:
                await asyncio.sleep(LOOKS_APART_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pause_seconds):
                    await committed.wait()

    async def run_once(self) -> int:
        """Act on what is due now, at most BATCH rows of each timer; how many rows were acted on."""
        self.behind = False
        return sum([await self.run_timer(timer) for timer in self.schedule])

    async def run_timer(self, timer: Timer) -> int:
        limit = self.rows_at_once()
        if not limit:
            return 0
        done, moment = 0, self.resources.clock() - timer.age(self.resources.settings)
        began, metrics = perf_counter(), self.resources.metrics
        try:
            async with self.resources.database.reads() as session:
                ids: Sequence[RowId] = (await session.scalars(timer.due(moment).limit(limit))).all()
        except Exception:
            log.exception("timer.failed", timer=timer.name)
            metrics.timer_runs.at(timer.name, "failed").add(perf_counter() - began)
            return 0
        for group in in_batches(ids, GROUP):
            with open_root_span(self.resources.tracer, f"timer {timer.name}", {"rows": len(group)}):
                done += await self.act(timer, group)
        metrics.timer_runs.at(timer.name, "ok").add(perf_counter() - began)
        metrics.timer_rows.add(timer.name, "ok", amount=done)
        if done:
            self.resources.wake_relay()
            self.behind = self.behind or (timer.act_on_group is not None and len(ids) == BATCH)
        return done

    async def act(self, timer: Timer, ids: Sequence[RowId]) -> int:
        """Act on all in one transaction where the timer can; if that fails, on each in its own."""
        if timer.act_on_group and len(ids) > 1:
            try:
                return await timer.act_on_group(self.resources, ids)
            except Exception as error:
                log.warning("timer.one_by_one", timer=timer.name, error=type(error).__name__)
        if self.partner is None:
            return sum([await self.act_on_row(timer, row_id) for row_id in ids])
        turns = asyncio.Semaphore(CALLS_AT_ONCE)

        async def act_in_turn(row_id: RowId) -> int:
            async with turns:
                return await self.act_on_row(timer, row_id)

        return sum(await asyncio.gather(*map(act_in_turn, ids)))

    async def act_on_row(self, timer: Timer, row_id: RowId) -> int:
        try:
            await timer.act(self.resources, row_id)
        except Exception:
            log.exception("timer.failed", timer=timer.name, row=row_id)
            self.resources.metrics.timer_rows.add(timer.name, "failed")
            return 0
        return 1

    def rows_at_once(self) -> int:
        """How many due rows to look for: none while the partner is left alone, one to try it again."""
        if self.partner is None:
            return BATCH
        breaker = self.resources.calls.breakers[self.partner]
        if breaker.is_paused:
            return 0
        return BATCH if breaker.is_closed else 1
