"""What several customers have asked and no article answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from models import QuestionTopic


@dataclass(frozen=True, slots=True)
class TopicDraft:
    """A topic that was found: how often it was asked, and examples."""

    size: int
    ticket_ids: tuple[int, ...]
    searches: tuple[str, ...]


async def replace_topics(session: AsyncSession, topics: Sequence[TopicDraft], *, now: datetime) -> None:
    """Write the topics in place of those that were found before."""
    await session.execute(delete(QuestionTopic))
    session.add_all(
        QuestionTopic(
            position=position,
            size=topic.size,
            ticket_ids=list(topic.ticket_ids),
            searches=list(topic.searches),
            found_at=now,
        )
        for position, topic in enumerate(topics)
    )
    await session.flush()
