"""Synonyms of the knowledge base."""

from collections.abc import Sequence

import strawberry

from domain.knowledge.synonym import remove_synonyms, save_synonyms
from loaders.knowledge import list_synonym_groups
from models import SynonymGroup
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id


async def synonym_groups(info: Info) -> Sequence[SynonymGroup]:
    """All groups of words that mean the same to whoever searches articles or products."""
    return await list_synonym_groups(info.context.shop.database.reads)


async def synonym_group_save(
    info: Info, terms: list[str], id: strawberry.ID | None = None, version: int | None = None
) -> SynonymGroup:
    """Adds a group of synonyms, or changes one; searches know it within seconds.

    terms: 2 to 20 words; none of another group
    id: the group to change; a new one is added without it
    version: the version you have read; CONFLICT when somebody changed it since
    """
    context = info.context
    group_id = row_id(id, "SynonymGroup") if id else None
    async with context.transaction() as session:
        return await save_synonyms(session, group_id, terms, version=version, cause=context.cause)


async def synonym_group_remove(info: Info, id: strawberry.ID) -> SynonymGroup:
    """Removes a group of synonyms.

    id: the group
    """
    async with info.context.transaction() as session:
        return await remove_synonyms(session, row_id(id, "SynonymGroup"))


async def find_synonym_group(info: Info, group_id: int) -> SynonymGroup | None:
    """The group, for who may read articles of the staff."""
    if not info.context.viewer.may(Permission.ARTICLE_VIEW):
        return None
    return next((group for group in await synonym_groups(info) if group.id == group_id), None)
