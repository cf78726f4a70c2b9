"""Articles of the knowledge base."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.knowledge import ArticleText, add_article, publish_article
from models import Article, ArticleAudience

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
    audience: ArticleAudience | None = None,
    author_id: int | None = None,
    now: datetime = NOW,
) -> Article:
    """An article, published by default."""
    text = ArticleText(
        slug or f"article-{next(NUMBERS)}", language, category, tuple(tags), title, body, audience
    )
    article = await add_article(session, text, cause=Cause(now, author_id))
    return await publish_article(session, article.id, cause=Cause(now, author_id)) if published else article
