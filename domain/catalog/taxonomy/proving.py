"""What was loaded is read again: as many of everything as the edition has, each below its parent."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.taxonomy.edition import Taxonomy
from domain.errors import Invalid
from models import Attribute, AttributeType, AttributeValue, Category


class NotAsTheEdition(Invalid):
    """The database does not hold what was to be loaded: nothing of it may be kept."""


async def prove_tree(session: AsyncSession, taxonomy: Taxonomy, new: Mapping[str, int]) -> tuple[str, ...]:
    """Refuse unless every category is there below its parent; ids of those a clerk keeps somewhere else."""
    columns = (Category.id, Category.taxonomy_id, Category.parent_id, Category.path, Category.depth)
    rows = {row.id: row for row in await session.execute(select(*columns))}
    ids = {row.taxonomy_id: row.id for row in rows.values() if row.taxonomy_id}
    for row in rows.values():
        above = rows[row.parent_id] if row.parent_id else None
        place = (f"{above.path}{row.id}/", above.depth + 1) if above else (f"/{row.id}/", 0)
        if (row.path, row.depth) != place:
            raise NotAsTheEdition(f"Category {row.id} stands at {row.path}, but its parent at {place[0]}.")
    elsewhere = []
    for category in taxonomy.categories:
        if category.id not in ids:
            raise NotAsTheEdition(f"Category {category.id} is missing after loading.")
        parent_id = ids[category.parent_id] if category.parent_id else None
        if rows[ids[category.id]].parent_id != parent_id:
            elsewhere.append(category.id)
    if wrong := new.keys() & set(elsewhere):
        raise NotAsTheEdition(f"Category {min(wrong)} does not stand below {min(wrong).rpartition('-')[0]}.")
    return tuple(elsewhere)


async def prove_vocabulary(session: AsyncSession, taxonomy: Taxonomy) -> None:
    """Refuse unless every attribute is there with all its values."""
    attributes = {
        row.taxonomy_id: row
        for row in await session.execute(
            select(Attribute.id, Attribute.taxonomy_id, Attribute.type).where(
                Attribute.taxonomy_id.is_not(None)
            )
        )
    }
    values = {
        (attribute_id, code)
        for attribute_id, code in await session.execute(
            select(AttributeValue.attribute_id, AttributeValue.code)
        )
    }
    for attribute in taxonomy.attributes:
        row = attributes.get(attribute.id)
        if row is None:
            raise NotAsTheEdition(f"Attribute {attribute.id} is missing after loading.")
        missing = [value.code for value in attribute.values if (row.id, value.code) not in values]
        if missing and row.type is AttributeType.ENUM:
            raise NotAsTheEdition(f"Attribute {attribute.id} has no value {missing[0]} after loading.")
