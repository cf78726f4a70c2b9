"""Rows that fall due: what the shop does by itself when nobody acts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select

from events.shop import Shop
from settings import Settings

log = structlog.get_logger()

BATCH = 100


@dataclass(frozen=True, slots=True)
class Timer:
    """`due(now)` selects ids; `act` takes one id, looks again under a lock, and acts or leaves it.

    Two processes may find the same row: the lock and the second look make it happen once.
    """

    name: str
    due: Callable[[datetime], Select[tuple[int]]]
    act: Callable[[Shop, int], Awaitable[None]]
    age: Callable[[Settings], timedelta] = lambda settings: timedelta()
    """How long rows that have no due time of their own wait: `due` is asked for the moment so long ago."""


class Timers:
    """Asks the table of timers again and again what is due."""

    def __init__(self, shop: Shop, table: Sequence[Timer]) -> None:
        self.shop = shop
        self.table = table

    async def run(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(self.shop.settings.timer_pause.total_seconds())

    async def once(self) -> int:
        """How many rows were acted on."""
        return sum([await self.fire(timer) for timer in self.table])

    async def fire(self, timer: Timer) -> int:
        done, moment = 0, self.shop.clock() - timer.age(self.shop.settings)
        try:
            async with self.shop.database.reads() as session:
                ids: Sequence[Any] = (await session.scalars(timer.due(moment).limit(BATCH))).all()
        except Exception:
            log.exception("timer.failed", timer=timer.name)
            return 0
        for row_id in ids:
            try:
                await timer.act(self.shop, row_id)
                done += 1
            except Exception:
                log.exception("timer.failed", timer=timer.name, row=row_id)
        if done:
            self.shop.wake()
        return done
