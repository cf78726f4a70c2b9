"""What customers asked the knowledge base: which articles they were shown, and what found none."""

from collections.abc import Mapping, Set
from datetime import date, timedelta

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.knowledge.reading import add_to_days
from models import Article, UnansweredSearch
from models.sql.batches import in_batches
from models.sql.upsert import upsert_into
from text.tokenizer import script_runs

SEARCHES_LIMIT = 5_000
"""Different texts that are kept of one day."""

SEARCHES_KEPT = timedelta(days=90)
"""For how long texts are kept that found no article."""

SINGLES_KEPT = timedelta(days=1)
"""For how long a text is kept that nobody else has asked on its day."""

SHORTEST = 3
SHORTEST_HAN = 2
"""Characters of the shortest text that is kept: two Chinese ones are a word."""

CountByText = Mapping[tuple[str, date], int]
"""Text and day -> how many have asked it."""


async def record_shown(session: AsyncSession, shown: Mapping[tuple[int, date], int]) -> None:
    """Add to what was counted of articles that were suggested; of those that are gone nothing is."""
    ids = {article_id for article_id, _ in shown}
    kept = set(await session.scalars(select(Article.id).where(Article.id.in_(ids))))
    await add_to_days(session, {key: {"shown": count} for key, count in shown.items() if key[0] in kept})


async def record_unanswered(session: AsyncSession, texts: CountByText, *, today: date) -> None:
    """Add to what was counted of texts for which there was no article, and drop what was kept long enough.

    Of new texts those that most have asked are kept, as long as there is room; a known one always is.
    """
    kept_from, singles_from = today - SEARCHES_KEPT, today - SINGLES_KEPT
    single = and_(UnansweredSearch.day < singles_from, UnansweredSearch.count == 1)
    await session.execute(delete(UnansweredSearch).where(or_(UnansweredSearch.day < kept_from, single)))
    for day in sorted({day for _, day in texts}):
        asked = {text: count for (text, of_day), count in texts.items() if of_day == day}
        known = await find_known(session, asked.keys(), day)
        held = await session.scalar(select(func.count()).where(UnansweredSearch.day == day)) or 0
        new = sorted(asked.keys() - known, key=lambda text: (-asked[text], text))
        noted = sorted([*known, *new[: max(SEARCHES_LIMIT - held, 0)]])
        if not noted:
            continue
        statement = upsert_into(session, UnansweredSearch)
        keys = [UnansweredSearch.query, UnansweredSearch.day]
        added = {"count": UnansweredSearch.count + statement.excluded["count"]}
        rows = [{"query": text, "day": day, "count": asked[text]} for text in noted]
        await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


async def find_known(session: AsyncSession, texts: Set[str], day: date) -> set[str]:
    """Those of these texts that are kept of a day already."""
    known: set[str] = set()
    for batch in in_batches(sorted(texts)):
        of_day = UnansweredSearch.day == day
        known.update(
            await session.scalars(
                select(UnansweredSearch.query).where(of_day, UnansweredSearch.query.in_(batch))
            )
        )
    return known


def is_long_enough(text: str) -> bool:
    """Whether a text says anything: three characters do, and two where one of them is Chinese."""
    has_han = any(han for han, _ in script_runs(text))
    return len(text) >= (SHORTEST_HAN if has_han else SHORTEST)
