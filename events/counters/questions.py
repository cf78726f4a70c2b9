"""Counting which articles were suggested and which texts found none, in memory first, as views are."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog

from domain.knowledge.questions import record_questions
from models.database import Database
from text.hidden_numbers import clean_search

log = structlog.get_logger()

KEYS_LIMIT = 1_000
"""Texts, and articles, counted by one process between two writings; others are left out."""


@dataclass(slots=True)
class QuestionCounter:
    """What one process has counted since it wrote last; what cannot be written is lost."""

    database: Database
    today: Callable[[], date]
    every: timedelta
    shown: "Counter[tuple[int, date]]" = field(default_factory=Counter, init=False)
    unanswered: "Counter[tuple[str, date]]" = field(default_factory=Counter, init=False)

    def count(self, text: str, article_ids: Collection[int]) -> None:
        """Count the articles that were suggested for a text, or that there was none."""
        today = self.today()
        for article_id in article_ids:
            if (article_id, today) in self.shown or len(self.shown) < KEYS_LIMIT:
                self.shown[article_id, today] += 1
        key = (clean_search(text), today)
        if not article_ids and (key in self.unanswered or len(self.unanswered) < KEYS_LIMIT):
            self.unanswered[key] += 1

    async def write(self) -> None:
        shown, unanswered = self.shown, self.unanswered
        if not (shown or unanswered):
            return
        self.shown, self.unanswered = Counter(), Counter()
        try:
            async with self.database.writes.begin() as session:
                await record_questions(session, shown=shown, unanswered=unanswered, today=self.today())
        except Exception:
            log.exception("questions.write_failed", shown=shown.total(), unanswered=unanswered.total())

    async def run(self) -> None:
        """Write every `every` until cancelled; a writing that has begun is finished."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            await asyncio.shield(asyncio.create_task(self.write()))
