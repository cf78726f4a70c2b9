"""The synonyms of the knowledge base, as each process knows them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from loaders.knowledge import load_synonyms
from models.database import Database

log = structlog.get_logger()


@dataclass(slots=True)
class SynonymFollower:
    """Reads the synonyms again and again: what a clerk changes holds in every process within the interval."""

    database: Database
    interval: timedelta
    at_each_search: bool = False
    groups: Sequence[Sequence[str]] | None = field(default=None, init=False)

    async def run(self) -> None:
        """Follow until cancelled."""
        while not self.at_each_search:
            try:
                self.groups = await load_synonyms(self.database.reads)
            except (SQLAlchemyError, OSError):
                log.exception("synonyms.not_followed")
            await asyncio.sleep(self.interval.total_seconds())
        await asyncio.Event().wait()

    async def known(self) -> Sequence[Sequence[str]]:
        if self.groups is None or self.at_each_search:
            self.groups = await load_synonyms(self.database.reads)
        return self.groups
