"""What sentences of articles mean follows the database, in each process."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from gateways.meaning import MeaningIndex
from loaders.knowledge import load_sentences
from loaders.search import IndexPosition, read_changes, read_position
from loaders.search.changes import find_articles
from models.database import Database

log = structlog.get_logger()


@dataclass(slots=True)
class MeaningFollower:
    """Keeps the sentences of one process up to date; without a model it does nothing."""

    database: Database
    index: MeaningIndex | None
    interval: timedelta
    position: IndexPosition | None = field(default=None, init=False)

    async def run(self) -> None:
        """Follow until cancelled."""
        while self.index is not None:
            try:
                await self.catch_up(self.index)
            except Exception:
                log.exception("meaning.not_followed")
            await asyncio.sleep(self.interval.total_seconds())
        await asyncio.Event().wait()

    async def catch_up(self, index: MeaningIndex) -> None:
        """Take in what has been committed since the last time, or everything."""
        reads, before = self.database.reads, self.position
        if before is None:
            position, changed = await read_position(reads), None
        else:
            changes = await read_changes(reads, before, find_articles)
            if changes.is_empty:
                return
            position, changed = changes.position, changes.ids
        if changed is None or changed:
            articles = await load_sentences(reads, changed)
            await index.write(articles, (changed or frozenset()) - articles.keys())
        self.position = position
