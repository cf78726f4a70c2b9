"""Removing categories and attributes, or archiving those that something needs."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.lock import lock_catalogue
from domain.errors import NotFound, WrongState
from domain.removal import RemovalOutcome, delete_with_owned, is_referenced
from domain.versions import check_version
from models import (
    Attribute,
    AttributeValue,
    Category,
    CategoryAttribute,
    CategorySlug,
    Promotion,
    PromotionScopeKind,
)

OWNED_BY_CATEGORY = (CategoryAttribute, CategorySlug)
OWNED_BY_ATTRIBUTE = (AttributeValue,)


async def remove_category(
    session: AsyncSession, category_id: int, *, version: int | None, now: datetime
) -> tuple[Category, RemovalOutcome]:
    """Remove a category, or archive it with all below it where products, promotions or others need it.

    Nobody saves a product into it meanwhile: both lock the catalogue.
    """
    category = await lock_category(session, category_id)
    check_version(category, version)
    if category.archived_at is not None:
        raise WrongState("This category is archived already.", field=("id",))
    needed = await is_referenced(session, category, row_id=category_id, owned=OWNED_BY_CATEGORY)
    if not needed and not await has_promotion(session, category_id):
        await delete_with_owned(session, category, row_id=category_id, owned=OWNED_BY_CATEGORY)
        return category, RemovalOutcome.REMOVED
    below = Category.path.startswith(category.path), Category.archived_at.is_(None)
    await session.execute(update(Category).where(*below).values(archived_at=now))
    await session.refresh(category)
    category.version += 1
    await session.flush()
    return category, RemovalOutcome.ARCHIVED


async def restore_category(session: AsyncSession, category_id: int, *, version: int | None) -> Category:
    """Offer an archived category again, with all below it that was archived together with it."""
    category = await lock_category(session, category_id)
    check_version(category, version)
    if category.archived_at is None:
        raise WrongState("This category is not archived.", field=("id",))
    parent = await session.get(Category, category.parent_id) if category.parent_id else None
    if parent and parent.archived_at is not None:
        raise WrongState("Restore the category above it first.", field=("id",))
    together = Category.path.startswith(category.path), Category.archived_at == category.archived_at
    await session.execute(update(Category).where(*together).values(archived_at=None))
    await session.refresh(category)
    category.version += 1
    await session.flush()
    return category


async def reopen_category(session: AsyncSession, category: Category) -> None:
    """Offer an archived category, and those above it, since a file puts products into it again."""
    ids = category.path_ids
    await session.execute(update(Category).where(Category.id.in_(ids)).values(archived_at=None))
    await session.refresh(category)


async def remove_attribute(
    session: AsyncSession, attribute_id: int, *, version: int | None, now: datetime
) -> tuple[Attribute, RemovalOutcome]:
    """Remove an attribute, or archive it where products or categories have it."""
    attribute = await lock_attribute(session, attribute_id)
    check_version(attribute, version)
    if attribute.archived_at is not None:
        raise WrongState("This attribute is archived already.", field=("id",))
    if not await is_referenced(session, attribute, row_id=attribute_id, owned=OWNED_BY_ATTRIBUTE):
        await delete_with_owned(session, attribute, row_id=attribute_id, owned=OWNED_BY_ATTRIBUTE)
        return attribute, RemovalOutcome.REMOVED
    attribute.archived_at = now
    attribute.version += 1
    await session.flush()
    return attribute, RemovalOutcome.ARCHIVED


async def restore_attribute(session: AsyncSession, attribute_id: int, *, version: int | None) -> Attribute:
    """Offer an archived attribute again."""
    attribute = await lock_attribute(session, attribute_id)
    check_version(attribute, version)
    if attribute.archived_at is None:
        raise WrongState("This attribute is not archived.", field=("id",))
    attribute.archived_at = None
    attribute.version += 1
    await session.flush()
    return attribute


async def lock_category(session: AsyncSession, category_id: int) -> Category:
    await lock_catalogue(session)
    category = await session.get(Category, category_id, with_for_update=True, populate_existing=True)
    if category is None:
        raise NotFound("category", field=("id",))
    return category


async def lock_attribute(session: AsyncSession, attribute_id: int) -> Attribute:
    await lock_catalogue(session)
    attribute = await session.get(Attribute, attribute_id, with_for_update=True, populate_existing=True)
    if attribute is None:
        raise NotFound("attribute", field=("id",))
    return attribute


async def has_promotion(session: AsyncSession, category_id: int) -> bool:
    """Whether a promotion is, or was, for this category."""
    scopes = await session.scalars(
        select(Promotion.scope_ids).where(Promotion.scope == PromotionScopeKind.CATEGORIES)
    )
    return any(category_id in ids for ids in scopes)
