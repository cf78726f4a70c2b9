"""Texts that agents answer with."""

from collections.abc import Sequence

from sqlalchemy import select

from loaders.base import ByKey, loader
from models import CannedAnswer
from models.database import Reads

ANSWERS_LIMIT = 500
"""Answers that are listed."""


class CannedAnswerById(ByKey[int, CannedAnswer]):
    key = CannedAnswer.id


async def load_canned_answers(
    reads: Reads, *, language: str | None, archived: bool
) -> Sequence[CannedAnswer]:
    """Texts that agents answer with, by code and language."""
    statement = select(CannedAnswer).order_by(CannedAnswer.code, CannedAnswer.language)
    is_archived = CannedAnswer.archived_at.is_not(None)
    statement = statement.where(is_archived if archived else ~is_archived)
    if language is not None:
        statement = statement.where(CannedAnswer.language == language)
    async with reads() as session:
        return (await session.scalars(statement.limit(ANSWERS_LIMIT))).all()


class CannedAnswerLoaders:
    canned_answer = loader(CannedAnswerById)
