"""Views and adds to a cart: noted in memory, so that a request pays nothing, and written in batches.

What is noted and not written yet dies with the process: at most what came within `count_every`.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import structlog

from domain.insight import add_up

if TYPE_CHECKING:
    from events.shop import Shop

log = structlog.get_logger()

Key = tuple[int, date]

KEYS_LIMIT = 50_000
"""Different products and days noted in one process: while the database is away, no more is remembered."""


@dataclass(slots=True)
class Tally:
    """What one process has seen since it wrote it down last."""

    views: Counter[Key] = field(default_factory=Counter)
    adds: Counter[Key] = field(default_factory=Counter)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def view(self, product_id: int, day: date) -> None:
        self._note(self.views, (product_id, day))

    def add(self, variant_id: int, day: date) -> None:
        self._note(self.adds, (variant_id, day))

    def _note(self, counter: Counter[Key], key: Key) -> None:
        if key in counter or len(counter) < KEYS_LIMIT:
            counter[key] += 1

    def take(self) -> "Tally":
        """All of it; nothing is left."""
        taken = Tally(self.views, self.adds)
        self.views, self.adds = Counter(), Counter()
        return taken

    def give_back(self, taken: "Tally") -> None:
        """What could not be written is written next time, as far as there is room."""
        for mine, theirs in ((self.views, taken.views), (self.adds, taken.adds)):
            room = KEYS_LIMIT - len(mine)
            new = [key for key in theirs if key not in mine]
            for key in new[max(room, 0) :]:
                del theirs[key]
            mine.update(theirs)

    def __bool__(self) -> bool:
        return bool(self.views or self.adds)


async def write_tally(shop: "Shop") -> None:
    """Write what was noted; what cannot be written now is kept for the next time.

    When it returns, nothing that was noted before is still on its way.
    """
    async with shop.tally.writing:
        taken = shop.tally.take()
        if not taken:
            return
        try:
            async with shop.database.writes.begin() as session:
                await add_up(session, views=taken.views, adds=taken.adds)
        except Exception:
            shop.tally.give_back(taken)
            log.exception("tally.kept", views=taken.views.total(), adds=taken.adds.total())


async def keep_writing(shop: "Shop") -> None:
    """Write every `count_every` until cancelled; what is being written is still written."""
    while True:
        await asyncio.sleep(shop.settings.count_every.total_seconds())
        await asyncio.shield(asyncio.create_task(write_tally(shop)))
