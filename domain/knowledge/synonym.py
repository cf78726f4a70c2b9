"""Words that mean the same to whoever searches the knowledge base."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, Taken, collect_refusals
from domain.versions import check_version
from models import SynonymGroup
from models.sql.dialects import dialect_of
from text.question import fold_words

GROUPS_LIMIT = 500
WORDS_LIMIT = 20
WORD_LIMIT = 50


async def save_synonyms(
    session: AsyncSession, group_id: int | None, words: Sequence[str], *, version: int | None, cause: Cause
) -> SynonymGroup:
    """Add a group of synonyms, or change one; a word belongs to one group, so that none leads to another."""
    if dialect_of(session) == "postgresql":  # SQLite has one writer
        await session.execute(text("LOCK TABLE synonym_groups IN SHARE ROW EXCLUSIVE MODE"))
    cleaned = list(dict.fromkeys(word.strip() for word in words))
    groups = {group.id: group for group in await session.scalars(select(SynonymGroup).with_for_update())}
    check_words(cleaned, [group for group in groups.values() if group.id != group_id])
    if group_id is None:
        if len(groups) >= GROUPS_LIMIT:
            raise LimitReached("There are {limit} groups of synonyms at most.", limit=GROUPS_LIMIT)
        group = SynonymGroup(terms=cleaned, version=1, updated_at=cause.now)
        session.add(group)
    else:
        if group_id not in groups:
            raise NotFound("group of synonyms", field=("id",))
        group = groups[group_id]
        check_version(group, version)
        group.terms, group.version, group.updated_at = cleaned, group.version + 1, cause.now
    await session.flush()
    return group


async def remove_synonyms(session: AsyncSession, group_id: int) -> SynonymGroup:
    """Remove a group of synonyms."""
    group = await session.get(SynonymGroup, group_id, with_for_update=True)
    if group is None:
        raise NotFound("group of synonyms", field=("id",))
    await session.delete(group)
    return group


def check_words(words: Sequence[str], others: Sequence[SynonymGroup]) -> None:
    """Raise a refusal for every word that is wrong, and for a word of another group."""
    taken = {fold_words(word) for group in others for word in group.terms}
    with collect_refusals() as check:
        if not len({fold_words(word) for word in words}) >= 2 or len(words) > WORDS_LIMIT:
            check.add(Invalid("Give 2 to {limit} different words.", limit=WORDS_LIMIT, field=("terms",)))
        for place, word in enumerate(words[:WORDS_LIMIT]):
            if not fold_words(word).strip() or len(word) > WORD_LIMIT:
                check.add(Invalid("Write 1 to {limit} characters.", limit=WORD_LIMIT, field=("terms", place)))
            elif fold_words(word) in taken:
                check.add(Taken("Another group has this word.", field=("terms", place)))
