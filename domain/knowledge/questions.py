"""What customers asked the knowledge base: which articles they were shown, and what found none."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.knowledge.reading import add_to_days
from models import UnansweredSearch
from models.sql.upsert import upsert_into

SEARCHES_LIMIT = 5_000
"""Different texts that are kept of one day."""

SEARCHES_KEPT = timedelta(days=90)
"""For how long texts are kept that found no article."""

SHORTEST = 3
"""Characters of the shortest text that is kept."""

CountByText = Mapping[tuple[str, date], int]
"""Text and day -> count."""


async def record_questions(
    session: AsyncSession, *, shown: Mapping[tuple[int, date], int], unanswered: CountByText, today: date
) -> None:
    """Add to what was counted: articles that were suggested, and texts for which there was none."""
    await add_to_days(session, {key: {"shown": count} for key, count in shown.items()})
    await session.execute(delete(UnansweredSearch).where(UnansweredSearch.day < today - SEARCHES_KEPT))
    texts = drop_beginnings(unanswered)
    if not texts:
        return
    held = await session.scalar(select(func.count()).where(UnansweredSearch.day == today)) or 0
    rows = [
        {"query": text, "day": day, "count": count}
        for (text, day), count in sorted(texts.items())[: max(SEARCHES_LIMIT - held, 0)]
    ]
    if rows:
        statement = upsert_into(session, UnansweredSearch)
        keys = [UnansweredSearch.query, UnansweredSearch.day]
        added = {"count": UnansweredSearch.count + statement.excluded["count"]}
        await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


def drop_beginnings(texts: CountByText) -> dict[tuple[str, date], int]:
    """The texts that are not the beginning of another one: what is still being typed is asked again."""
    ordered = sorted(texts)
    following = [*ordered[1:], ("", None)]
    return {
        key: texts[key]
        for key, (after, _) in zip(ordered, following, strict=True)
        if len(key[0]) >= SHORTEST and not (after != key[0] and after.startswith(key[0]))
    }
