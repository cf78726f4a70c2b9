"""Saving categories and attributes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.lock import CatalogueBusy, lock_catalogue
from domain.catalog.product import ProductDraft, save_products
from domain.catalog.taxonomy import (
    AttributeDraft,
    CategoryAttributeDraft,
    CategoryDraft,
    ValueDraft,
    save_attribute,
    save_category,
)
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from events.shop import Shop
from models import CATEGORY_DEPTH_LIMIT, Attribute, AttributeType, AttributeValue, Category, CategoryAttribute
from models.database import Database
from tests.factories.catalog import NOW, create_attribute, create_product, give_attribute
from tests.search import indexed_words


async def create_branch(session: AsyncSession, *names: str) -> list[Category]:
    """Categories below each other."""
    created: list[Category] = []
    for name in names:
        created.append(
            await save_category(
                session, CategoryDraft(name=name, parent_id=created[-1].id if created else None)
            )
        )
    return created


async def paths_by_name(session: AsyncSession) -> dict[str, tuple[str, int]]:
    rows = await session.scalars(select(Category).execution_options(populate_existing=True))
    return {row.name: (row.path, row.depth) for row in rows}


async def test_the_path_of_a_category_begins_at_the_root(shop: Shop, session: AsyncSession) -> None:
    food, tea, green = await create_branch(session, "Food", "Tea", "Green tea")

    assert (food.path, tea.path) == (f"/{food.id}/", f"/{food.id}/{tea.id}/")
    assert green.path_ids == [food.id, tea.id, green.id]
    assert (green.slug, green.depth, green.position) == ("green-tea", 2, 1)
    await session.commit()


async def test_a_category_moves_with_all_below_it(shop: Shop, session: AsyncSession) -> None:
    _, tea, green = await create_branch(session, "Food", "Tea", "Green tea")
    (gifts,) = await create_branch(session, "Gifts")

    await save_category(session, CategoryDraft(name="Tea", parent_id=gifts.id), category_id=tea.id)
    assert (await paths_by_name(session))["Green tea"] == (f"/{gifts.id}/{tea.id}/{green.id}/", 2)

    await save_category(session, CategoryDraft(name="Tea"), category_id=tea.id)
    assert (await paths_by_name(session))["Green tea"] == (f"/{tea.id}/{green.id}/", 1)
    await session.commit()


async def test_products_are_found_by_the_new_name_of_their_category(
    shop: Shop, session: AsyncSession
) -> None:
    draft = ProductDraft(slug="a", title="Sencha", category_path=("Food", "Tea"))
    await save_products(session, [draft], cause=Cause(NOW))
    food = (await session.scalars(select(Category).where(Category.name == "Food"))).one()

    await save_category(
        session, CategoryDraft(name="Pantry", translations={"zh": {"name": "食品"}}), category_id=food.id
    )

    await session.commit()
    words = await indexed_words(shop.database)
    assert {"pantry", "食品", "tea"} <= words
    assert "food" not in words


NEW = CategoryDraft(name="New")
FOOD = CategoryDraft(name="Food")
REFUSED_CATEGORIES: Sequence[tuple[CategoryDraft, int | None, ErrorCode, tuple[object, ...]]] = [
    (CategoryDraft(name=" "), None, ErrorCode.INVALID, ("name",)),
    (CategoryDraft(name="x" * 256), None, ErrorCode.INVALID, ("name",)),
    (FOOD, None, ErrorCode.TAKEN, ("name",)),
    (replace(NEW, slug="food"), None, ErrorCode.TAKEN, ("slug",)),
    (replace(NEW, slug="Not so"), None, ErrorCode.INVALID, ("slug",)),
    (replace(NEW, slug="x" * 300), None, ErrorCode.INVALID, ("slug",)),
    (replace(NEW, parent_id=999), None, ErrorCode.NOT_FOUND, ("parent_id",)),
    (NEW, 999, ErrorCode.NOT_FOUND, ("id",)),
    (replace(NEW, position=-1), None, ErrorCode.INVALID, ("position",)),
    (replace(FOOD, parent_id=1), 1, ErrorCode.INVALID, ("parent_id",)),
    (replace(FOOD, parent_id=2), 1, ErrorCode.INVALID, ("parent_id",)),
    (
        replace(NEW, attributes=[CategoryAttributeDraft(999)]),
        None,
        ErrorCode.NOT_FOUND,
        ("attributes", 0, "attribute_id"),
    ),
]


async def test_a_refused_category_leaves_the_tree_unchanged(shop: Shop, session: AsyncSession) -> None:
    await create_branch(session, "Food", "Tea")
    before = await paths_by_name(session)
    await session.commit()

    for draft, category_id, code, field in REFUSED_CATEGORIES:
        with pytest.raises(DomainError) as refused:
            await save_category(session, draft, category_id=category_id)
        await session.rollback()

        assert (refused.value.code, refused.value.field) == (code, field)
        assert await paths_by_name(session) == before
        await session.commit()


async def test_the_depth_of_the_tree_is_limited(shop: Shop, session: AsyncSession) -> None:
    *_, last = await create_branch(session, *(f"Level {number}" for number in range(CATEGORY_DEPTH_LIMIT)))
    _, low = await create_branch(session, "High", "Low")

    with pytest.raises(DomainError, match="12 levels deep"):
        await create_below(session, last)
    with pytest.raises(DomainError, match="12 levels deep"):
        await save_category(session, CategoryDraft(name="High", parent_id=last.id), category_id=low.parent_id)
    await session.commit()


async def create_below(session: AsyncSession, parent: Category) -> Category:
    return await save_category(session, CategoryDraft(name="Too deep", parent_id=parent.id))


async def test_a_category_defines_the_attributes_of_its_products(shop: Shop, session: AsyncSession) -> None:
    colour, size = await create_attribute(session), await create_attribute(session, code="size")
    attributes = [CategoryAttributeDraft(colour.id, required=True), CategoryAttributeDraft(size.id)]
    category = await save_category(session, CategoryDraft(name="Food", attributes=attributes))
    await save_category(
        session, CategoryDraft(name="Food", attributes=attributes[:1]), category_id=category.id
    )

    rows = (await session.scalars(select(CategoryAttribute))).all()
    assert [(row.category_id, row.attribute_id, row.required) for row in rows] == [
        (category.id, colour.id, True)
    ]
    await session.commit()


async def test_an_attribute_lists_what_it_allows(shop: Shop, session: AsyncSession) -> None:
    drafts = [ValueDraft("red", "Red"), ValueDraft("blue", "Blue", {"zh": {"name": "蓝"}})]
    colour = await save_attribute(
        session, AttributeDraft(code="colour", name="Colour", type=AttributeType.ENUM, values=drafts)
    )
    await save_attribute(
        session,
        AttributeDraft(
            code="colour",
            name="Shade",
            type=AttributeType.ENUM,
            values=[drafts[1], ValueDraft("green", "Green")],
        ),
        attribute_id=colour.id,
    )

    values = await session.scalars(select(AttributeValue).order_by(AttributeValue.position))
    assert colour.name == "Shade"
    assert [(value.code, value.translations) for value in values] == [
        ("blue", {"zh": {"name": "蓝"}}),
        ("green", {}),
    ]
    await session.commit()


COLOUR = AttributeDraft(
    code="colour", name="Colour", type=AttributeType.ENUM, values=(ValueDraft("red", "Red"),)
)
REFUSED_ATTRIBUTES: Sequence[tuple[AttributeDraft, ErrorCode, tuple[object, ...]]] = [
    (replace(COLOUR, type=AttributeType.TEXT, values=()), ErrorCode.WRONG_STATE, ("type",)),
    (replace(COLOUR, values=(ValueDraft("blue", "Blue"),)), ErrorCode.WRONG_STATE, ("values",)),
    (replace(COLOUR, values=()), ErrorCode.INVALID, ("values",)),
    (replace(COLOUR, values=(ValueDraft("red", "Red"),) * 2), ErrorCode.TAKEN, ("values", 1, "code")),
    (replace(COLOUR, values=(ValueDraft("r d", "Red"),)), ErrorCode.INVALID, ("values", 0, "code")),
    (replace(COLOUR, values=(ValueDraft("red", ""),)), ErrorCode.INVALID, ("values", 0, "name")),
    (replace(COLOUR, code="size"), ErrorCode.TAKEN, ("code",)),
    (replace(COLOUR, code=""), ErrorCode.INVALID, ("code",)),
    (replace(COLOUR, name=""), ErrorCode.INVALID, ("name",)),
]


async def test_an_attribute_that_lists_values_is_an_enum(shop: Shop, session: AsyncSession) -> None:
    with pytest.raises(DomainError) as refused:
        await save_attribute(session, replace(COLOUR, type=AttributeType.NUMBER))
    await session.commit()

    assert (refused.value.code, refused.value.field) == (ErrorCode.INVALID, ("values",))


async def test_values_that_products_have_stay_valid_when_their_attribute_changes(
    shop: Shop, session: AsyncSession
) -> None:
    colour = await create_attribute(session, values=("red",))
    await create_attribute(session, code="size", values=("m",))
    await give_attribute(session, await create_product(session), colour, "red")
    await session.commit()

    for draft, code, field in REFUSED_ATTRIBUTES:
        with pytest.raises(DomainError) as refused:
            await save_attribute(session, draft, attribute_id=colour.id)
        await session.rollback()

        assert (refused.value.code, refused.value.field) == (code, field)
        codes = await session.scalars(select(Attribute.code).order_by(Attribute.id))
        values = await session.scalars(select(AttributeValue.code).order_by(AttributeValue.id))
        assert (codes.all(), values.all()) == (["colour", "size"], ["red", "m"])
        await session.commit()


async def test_an_edit_during_a_large_import_is_refused_after_a_while(postgres_url: str) -> None:
    database = Database.open(postgres_url, pool_size=2)
    async with database.writes.begin() as importing, database.writes.begin() as session:
        await lock_catalogue(importing)
        await session.execute(text("SET LOCAL lock_timeout = '50ms'"))

        with pytest.raises(CatalogueBusy, match="Try again in a moment"):
            await lock_catalogue(session)
        await session.rollback()
    await database.close()
