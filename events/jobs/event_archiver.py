"""Moving the events of what is final to the archive, in small transactions."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from domain.event_archive import MOVE_LIMIT, ArchiveLimit, archive_events, find_old_events
from events.types import Clock
from loaders.event import OVERLAP, latest_event_id
from models import Subject
from models.database import Database
from models.sql.batches import in_batches

log = structlog.get_logger()

ROWS_LIMIT = 100
"""Rows whose events are moved in one transaction."""

PAUSE_SECONDS = 0.02
"""Between two transactions: others write, too."""


@dataclass(frozen=True, slots=True)
class EventArchiver:
    """Archives what was relayed longer than `age` ago, of rows that are final and have no younger events.

    Any number of processes may do it at once: each transaction locks the events it moves.
    """

    database: Database
    clock: Clock
    age: timedelta
    every: timedelta

    async def archive(self) -> int:
        """Move all that is due; returns how many events were moved.

        The newest OVERLAP events stay where feeds read them again.
        """
        newest = await latest_event_id(self.database.reads)
        limit = ArchiveLimit(relayed_by=self.clock() - self.age, id=newest - OVERLAP)
        moved = 0
        above: int | None = 0
        while above is not None:
            async with self.database.reads() as session:
                page = await find_old_events(session, above, limit)
            for subject, subject_ids in page.subject_ids.items():
                for ids in in_batches(subject_ids, ROWS_LIMIT):
                    moved += await self.move(subject, ids, limit)
            above = page.last_id
        return moved

    async def move(self, subject: Subject, subject_ids: list[int], limit: ArchiveLimit) -> int:
        """Archive the events of these rows, transaction after transaction; how many."""
        total = 0
        while True:
            async with self.database.writes.begin() as session:
                moved = await archive_events(session, subject, subject_ids, limit)
            total += moved
            if moved < MOVE_LIMIT:
                return total
            await asyncio.sleep(PAUSE_SECONDS)

    async def run(self) -> None:
        """Archive at once, and then every `every`, until cancelled."""
        while True:
            try:
                if moved := await self.archive():
                    log.info("events.archived", events=moved)
            except Exception:
                log.exception("events.not_archived")
            await asyncio.sleep(self.every.total_seconds())
