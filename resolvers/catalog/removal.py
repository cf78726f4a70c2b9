"""Removing categories and attributes, and offering archived ones again."""

from dataclasses import dataclass

import strawberry

from domain.catalog.taxonomy import remove_attribute, remove_category, restore_attribute, restore_category
from domain.removal import RemovalOutcome
from models import Attribute, Category
from resolvers.context import Info
from resolvers.ids import row_id


@dataclass(frozen=True, slots=True)
class CategoryRemoval:
    """What became of a category: the archived one, or none where it is gone."""

    category: Category | None
    outcome: RemovalOutcome


@dataclass(frozen=True, slots=True)
class AttributeRemoval:
    """What became of an attribute: the archived one, or none where it is gone."""

    attribute: Attribute | None
    outcome: RemovalOutcome


async def category_remove(info: Info, id: strawberry.ID, version: int | None = None) -> CategoryRemoval:
    """Removes a category that nothing needs. One with products, categories below it or promotions is archived
    with all below it: it is not listed and not offered any more, and products show it still.

    id: the category
    version: the version you have read; CONFLICT when somebody changed it since
    """
    category_id = row_id(id, "Category")
    async with info.context.transaction() as session:
        row, outcome = await remove_category(session, category_id, version=version, now=info.context.now)
    return CategoryRemoval(row if outcome is RemovalOutcome.ARCHIVED else None, outcome)


async def category_restore(info: Info, id: strawberry.ID, version: int | None = None) -> Category:
    """Offers an archived category again, with all below it that was archived together with it.

    id: the category
    version: the version you have read; CONFLICT when somebody changed it since
    """
    async with info.context.transaction() as session:
        return await restore_category(session, row_id(id, "Category"), version=version)


async def attribute_remove(info: Info, id: strawberry.ID, version: int | None = None) -> AttributeRemoval:
    """Removes an attribute that nothing needs. One that products or categories have is archived: it is not
    listed and not offered any more, and products keep their values.

    id: the attribute
    version: the version you have read; CONFLICT when somebody changed it since
    """
    attribute_id = row_id(id, "Attribute")
    async with info.context.transaction() as session:
        row, outcome = await remove_attribute(session, attribute_id, version=version, now=info.context.now)
    return AttributeRemoval(row if outcome is RemovalOutcome.ARCHIVED else None, outcome)


async def attribute_restore(info: Info, id: strawberry.ID, version: int | None = None) -> Attribute:
    """Offers an archived attribute again.

    id: the attribute
    version: the version you have read; CONFLICT when somebody changed it since
    """
    async with info.context.transaction() as session:
        return await restore_attribute(session, row_id(id, "Attribute"), version=version)
