"""Acting on rows that fall due, by a table of timers."""

import asyncio
from collections.abc import Sequence
from time import perf_counter

import structlog

from events.types import Resources, RowId, Timer
from gateways.tracing import open_root_span
from models.sql.batches import in_batches

log = structlog.get_logger()

BATCH = 100
GROUP = 25
"""Rows acted on in one transaction, where a timer can: more would be locked for long."""


class Scheduler:
    """Asks the timers of a table again and again what is due."""

    def __init__(self, resources: Resources, schedule: Sequence[Timer]) -> None:
        self.resources = resources
        self.schedule = schedule
        self.pause_seconds = resources.settings.jobs.scheduler_interval.total_seconds()
        self.behind = False
        """Whether more was due than one look finds, of what is done in groups, and some of it was done."""

    async def run(self) -> None:
        while True:
            await self.run_once()
            if not self.behind:
                await asyncio.sleep(self.pause_seconds)

    async def run_once(self) -> int:
        """Act on what is due now, at most BATCH rows of each timer; how many rows were acted on."""
        self.behind = False
        return sum([await self.run_timer(timer) for timer in self.schedule])

    async def run_timer(self, timer: Timer) -> int:
        done, moment = 0, self.resources.clock() - timer.age(self.resources.settings)
        began, metrics = perf_counter(), self.resources.metrics
        try:
            async with self.resources.database.reads() as session:
                ids: Sequence[RowId] = (await session.scalars(timer.due(moment).limit(BATCH))).all()
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
        done = 0
        for row_id in ids:
            try:
                await timer.act(self.resources, row_id)
                done += 1
            except Exception:
                log.exception("timer.failed", timer=timer.name, row=row_id)
                self.resources.metrics.timer_rows.add(timer.name, "failed")
        return done
