"""What several customers have asked and no article answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from loaders.article_figures import load_unanswered_searches
from loaders.knowledge import PUBLISHED, ArticleSearch, find_candidates, load_shown
from loaders.search.answers import fuse_candidates
from models import QuestionTopic, Ticket
from models.database import Reads
from text.hidden_numbers import clean_search

EXAMPLES_LIMIT = 5
"""Texts that show what a topic is about."""

TICKETS_LIMIT = 200
SEARCHES_LIMIT = 100
"""The newest tickets, and the most frequent searches, that are looked through."""


@dataclass(frozen=True, slots=True)
class AskedText:
    """What somebody has asked, how often, and in which ticket; None where it was searched for."""

    text: str
    count: int
    ticket_id: int | None


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as it is shown."""

    size: int
    examples: Sequence[str]
    found_at: datetime


async def load_unanswered_texts(reads: Reads, search: ArticleSearch, *, since: datetime) -> list[AskedText]:
    """What tickets say, and searches looked for, since a moment, and no article answers."""
    statement = (
        select(Ticket.id, Ticket.description)
        .where(Ticket.opened_at >= since, Ticket.description != "")
        .order_by(Ticket.id.desc())
        .limit(TICKETS_LIMIT)
    )
    async with reads() as session:
        tickets = (await session.execute(statement)).all()
    searches = await load_unanswered_searches(reads, since=since.date(), first=SEARCHES_LIMIT)
    asked = [AskedText(clean_search(text), 1, ticket_id) for ticket_id, text in tickets]
    asked += [AskedText(each.query, each.count, None) for each in searches]
    found = await find_candidates(search, [each.text for each in asked])
    ids = list({id for each in found for id in each.ids})
    rows = {row.id: row for row in await load_shown(reads, PUBLISHED, ids)}
    return [each for each, some in zip(asked, found, strict=True) if not fuse_candidates(some, rows)]


async def load_question_topics(reads: Reads) -> list[FoundTopic]:
    """The topics that were found last, what was asked most first, with examples that are still kept."""
    async with reads() as session:
        topics = (await session.scalars(select(QuestionTopic).order_by(QuestionTopic.position))).all()
        ids = {id for topic in topics for id in topic.ticket_ids}
        kept = select(Ticket.id, Ticket.description).where(Ticket.id.in_(ids), Ticket.description != "")
        texts = {row.id: row.description for row in await session.execute(kept)}
    return [
        FoundTopic(
            topic.size,
            [clean_search(texts[id]) for id in topic.ticket_ids if id in texts] + topic.searches,
            topic.found_at,
        )
        for topic in topics
    ]


async def load_last_found(reads: Reads) -> datetime | None:
    """When topics were found last; None where none were."""
    async with reads() as session:
        return await session.scalar(select(QuestionTopic.found_at).limit(1))
