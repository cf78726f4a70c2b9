"""Counting now and then what was sold and clicked, for best-sellers and the ranking of searches."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from domain.analytics import SalesFigures, load_recorded_sales, load_sales, record_sales
from events.types import Clock
from models.database import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SalesCounter:
    """Writes the units of each product that were sold within `window`, and the interest in it."""

    database: Database
    clock: Clock
    window: timedelta
    every: timedelta

    async def count(self) -> None:
        """Count, and write the products whose figures are different from last time."""
        async with self.database.reads() as session:
            sold = await load_sales(session, since=self.clock() - self.window)
            noted = await load_recorded_sales(session)
        nothing = SalesFigures()
        changed = {
            id: sold.get(id, nothing)
            for id in sold.keys() | noted.keys()
            if sold.get(id, nothing) != noted.get(id, nothing)
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
