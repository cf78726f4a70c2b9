"""Rows that fall due: what the shop does by itself when nobody acts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select

from domain.batches import batches
from events.shop import Shop
from settings import Settings

log = structlog.get_logger()

BATCH = 100
GROUP = 25
"""Rows acted on in one transaction, where they can be: more would hold for long what others want, too."""


@dataclass(frozen=True, slots=True)
class Timer:
    """`due(now)` selects ids; `act` takes one id, looks again under a lock, and acts or leaves it.

    Two processes may find the same row: the lock and the second look make it happen once.
    """

    name: str
    due: Callable[[datetime], Select[tuple[int]]]
    act: Callable[[Shop, int], Awaitable[None]]
    together: Callable[[Shop, Sequence[Any]], Awaitable[int]] | None = None
    """Acts on a group in one transaction, without those that another process holds; how many there were."""
    age: Callable[[Settings], timedelta] = lambda settings: timedelta()
    """How long rows that have no due time of their own wait: `due` is asked for the moment so long ago."""


class Timers:
    """Asks the table of timers again and again what is due."""

    def __init__(self, shop: Shop, table: Sequence[Timer]) -> None:
        self.shop = shop
        self.table = table
        self.behind = False
        """Whether more was due than one look finds, of what is done in groups, and it got less."""

    async def run(self) -> None:
        while True:
            await self.once()
            if not self.behind:
                await asyncio.sleep(self.shop.settings.timer_pause.total_seconds())

    async def once(self) -> int:
        """How many rows were acted on."""
        self.behind = False
        return sum([await self.fire(timer) for timer in self.table])

    async def fire(self, timer: Timer) -> int:
        done, moment = 0, self.shop.clock() - timer.age(self.shop.settings)
        try:
            async with self.shop.database.reads() as session:
                ids: Sequence[Any] = (await session.scalars(timer.due(moment).limit(BATCH))).all()
        except Exception:
            log.exception("timer.failed", timer=timer.name)
            return 0
        for group in batches(ids, GROUP):
            done += await self.act(timer, group)
        if done:
            self.shop.wake()
            self.behind = self.behind or (timer.together is not None and len(ids) == BATCH)
        return done

    async def act(self, timer: Timer, group: Sequence[Any]) -> int:
        """Together where that is possible; when something unforeseen happens, it happens to one alone."""
        if timer.together and len(group) > 1:
            try:
                return await timer.together(self.shop, group)
            except Exception as error:
                log.warning("timer.one_by_one", timer=timer.name, error=type(error).__name__)
        done = 0
        for row_id in group:
            try:
                await timer.act(self.shop, row_id)
                done += 1
            except Exception:
                log.exception("timer.failed", timer=timer.name, row=row_id)
        return done
