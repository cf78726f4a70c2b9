"""Counting which articles were suggested and which texts found none, in memory first, as views are."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog

from domain.knowledge.questions import is_long_enough, record_shown, record_unanswered
from models.database import Database
from text.hidden_numbers import READ_LIMIT, clean_search

log = structlog.get_logger()

KEYS_LIMIT = 1_000
"""Texts, and articles, counted by one process between two writings; others are left out."""

ASKERS_LIMIT = 5_000
"""Those who ask of whom one process knows what they have asked; the one who came first is forgotten."""

TEXTS_LIMIT = 20
"""Different texts of one who asks that are counted on one day: nobody fills the room of all others."""


@dataclass(slots=True)
class Asker:
    """What somebody has asked on a day, and what they may still be typing."""

    day: date
    typed: str = ""
    """What found no article and is not counted yet; empty for nothing."""
    is_still: bool = False
    """Whether nothing was typed since the last writing."""
    counted: set[int] = field(default_factory=set)
    """Hashes of texts that were counted: the same one is not counted twice."""


@dataclass(slots=True)
class QuestionCounter:
    """What one process has counted since it wrote last; what cannot be written is lost."""

    database: Database
    today: Callable[[], date]
    every: timedelta
    shown: "Counter[tuple[int, date]]" = field(default_factory=Counter, init=False)
    unanswered: "Counter[tuple[str, date]]" = field(default_factory=Counter, init=False)
    askers: dict[str, Asker] = field(default_factory=dict, init=False)

    def count(self, key: str, text: str, article_ids: Collection[int]) -> None:
        """Count the articles that were suggested for a text of an asker, or that there was none.

        A text counts when they have finished it: nothing was typed further until the next writing but one,
        or something else was asked.
        """
        today, asker, typed = self.today(), self.find_asker(key), text[:READ_LIMIT].casefold().strip()
        for article_id in article_ids:
            if (article_id, today) in self.shown or len(self.shown) < KEYS_LIMIT:
                self.shown[article_id, today] += 1
        goes_on = typed and (typed.startswith(asker.typed) or asker.typed.startswith(typed))
        if not goes_on:
            self.finish(asker)
        asker.typed, asker.is_still = "" if article_ids else typed, False

    def find_asker(self, key: str) -> Asker:
        """Who asks, as they are known of today."""
        today, known = self.today(), self.askers.pop(key, None)
        if known is not None and known.day != today:
            self.finish(known)
            known = None
        while len(self.askers) >= ASKERS_LIMIT:
            self.finish(self.askers.pop(next(iter(self.askers))))
        found = self.askers[key] = known or Asker(today)
        return found

    def finish(self, asker: Asker) -> None:
        """Count what somebody has typed, once for each text and day."""
        text, asker.typed = clean_search(asker.typed), ""
        key, mark = (text, asker.day), hash(text)
        if not is_long_enough(text) or mark in asker.counted or len(asker.counted) >= TEXTS_LIMIT:
            return
        asker.counted.add(mark)
        if key in self.unanswered or len(self.unanswered) < KEYS_LIMIT:
            self.unanswered[key] += 1

    async def write(self, *, last: bool = False) -> None:
        """Write what was counted; `last` says that nobody types on."""
        for asker in self.askers.values():
            if asker.typed and (asker.is_still or last):
                self.finish(asker)
            asker.is_still = True
        shown, unanswered = self.shown, self.unanswered
        self.shown, self.unanswered = Counter(), Counter()
        if shown:
            await self.write_shown(shown)
        if unanswered:
            await self.write_unanswered(unanswered)

    async def write_shown(self, shown: Mapping[tuple[int, date], int]) -> None:
        try:
            async with self.database.writes.begin() as session:
                await record_shown(session, shown)
        except Exception:
            log.exception("questions.write_failed", shown=sum(shown.values()))

    async def write_unanswered(self, unanswered: Mapping[tuple[str, date], int]) -> None:
        try:
            async with self.database.writes.begin() as session:
                await record_unanswered(session, unanswered, today=self.today())
        except Exception:
            log.exception("questions.write_failed", unanswered=sum(unanswered.values()))

    async def run(self) -> None:
        """Write every `every` until cancelled; a writing that has begun is finished."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            await asyncio.shield(asyncio.create_task(self.write()))
