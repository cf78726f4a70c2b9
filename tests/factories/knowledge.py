"""Articles, in one line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from domain.knowledge import Writing, publish_article, write_article
from models import Article

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBERS = count(1)


async def create_article(
    session: AsyncSession,
    *,
    slug: str | None = None,
    language: str = "en",
    category: str = "returns",
    tags: Sequence[str] = (),
    title: str = "How do I return something?",
    body: str = "Open a ticket and send the goods back within seven days.",
    published: bool = True,
    author_id: int | None = None,
    now: datetime = NOW,
) -> Article:
    """An article everybody can read, unless told."""
    writing = Writing(slug or f"article-{next(NUMBERS)}", language, category, tuple(tags), title, body)
    article = await write_article(session, writing, now=now, by=author_id)
    return await publish_article(session, article.id, now=now) if published else article
