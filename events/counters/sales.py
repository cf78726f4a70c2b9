"""Counting now and then how many units of each product were sold, for the order of best-sellers."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from domain.analytics import load_recorded_sales, load_units_sold, record_sales
from events.types import Clock
from models.database import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SalesCounter:
    """Writes the units of each product that were sold within `window`."""

    database: Database
    clock: Clock
    window: timedelta
    every: timedelta

    async def count(self) -> None:
        """Count what was sold, and write the products whose number is different from last time."""
        async with self.database.reads() as session:
            sold = await load_units_sold(session, since=self.clock() - self.window)
            noted = await load_recorded_sales(session)
        changed = {
            id: sold.get(id, 0) for id in sold.keys() | noted.keys() if sold.get(id, 0) != noted.get(id)
        }
        if changed:
            async with self.database.writes.begin() as session:
                await record_sales(session, changed)

    async def run(self) -> None:
        """Count at once, and then every `every`, until cancelled."""
        while True:
            try:
                await self.count()
            except Exception:
                log.exception("sales.not_counted")
            await asyncio.sleep(self.every.total_seconds())
