"""Verifying that the database holds an edition after it was loaded."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.taxonomy.standard.edition import Taxonomy
from domain.errors import Invalid
from models import Attribute, AttributeType, AttributeValue, Category


class EditionMismatch(Invalid):
    """The database does not hold the edition; the caller rolls the loading back."""


async def verify_tree(session: AsyncSession, taxonomy: Taxonomy, new: Mapping[str, int]) -> tuple[str, ...]:
    """The ids of categories that staff have moved.

    EditionMismatch when a category is missing or a new one is not below its parent.
    """
    columns = (Category.id, Category.taxonomy_id, Category.parent_id, Category.path, Category.depth)
    rows = {row.id: row for row in await session.execute(select(*columns))}
    ids = {row.taxonomy_id: row.id for row in rows.values() if row.taxonomy_id}
    for row in rows.values():
        above = rows[row.parent_id] if row.parent_id else None
        place = (f"{above.path}{row.id}/", above.depth + 1) if above else (f"/{row.id}/", 0)
        if (row.path, row.depth) != place:
            raise EditionMismatch(
                "Category {category} stands at {path}, but its parent at {expected}.",
                category=str(row.id),
                path=row.path,
                expected=place[0],
            )
    moved = []
    for category in taxonomy.categories:
        if category.id not in ids:
            raise EditionMismatch("Category {category} is missing after loading.", category=str(category.id))
        parent_id = ids[category.parent_id] if category.parent_id else None
        if rows[ids[category.id]].parent_id != parent_id:
            moved.append(category.id)
    if wrong := new.keys() & set(moved):
        first = min(wrong)
        raise EditionMismatch(
            "Category {category} does not stand below {parent}.",
            category=first,
            parent=first.rpartition("-")[0],
        )
    return tuple(moved)


async def verify_vocabulary(session: AsyncSession, taxonomy: Taxonomy) -> None:
    """EditionMismatch when an attribute or one of its values is missing."""
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
            raise EditionMismatch(
                "Attribute {attribute} is missing after loading.", attribute=str(attribute.id)
            )
        missing = [value.code for value in attribute.values if (row.id, value.code) not in values]
        if missing and row.type is AttributeType.ENUM:
            raise EditionMismatch(
                "Attribute {attribute} has no value {value} after loading.",
                attribute=str(attribute.id),
                value=missing[0],
            )
