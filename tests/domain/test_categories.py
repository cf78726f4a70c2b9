"""The tree of categories, and the attributes that hang on it."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.attributes import ValueDraft, save_attribute
from domain.catalog.drafts import ProductDraft
from domain.catalog.lock import CatalogueBusy, alone
from domain.catalog.saving import import_products
from domain.catalog.tree import DEPTH_LIMIT, AttributeOfCategory, save_category
from domain.errors import DomainError, ErrorCode
from events.shop import Shop
from models import Attribute, AttributeType, AttributeValue, Category, CategoryAttribute, ProductWords
from models.database import Database
from tests.factories.catalog import NOW, create_attribute, create_product, give_attribute


async def branch(session: AsyncSession, *names: str) -> list[Category]:
    """Categories below each other."""
    made: list[Category] = []
    for name in names:
        made.append(await save_category(session, name=name, parent_id=made[-1].id if made else None))
    return made


async def paths(session: AsyncSession) -> dict[str, tuple[str, int]]:
    rows = await session.scalars(select(Category).execution_options(populate_existing=True))
    return {row.name: (row.path, row.depth) for row in rows}


async def test_a_category_knows_the_way_from_the_root(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        food, tea, green = await branch(session, "Food", "Tea", "Green tea")

        assert (food.path, tea.path) == (f"/{food.id}/", f"/{food.id}/{tea.id}/")
        assert green.line == [food.id, tea.id, green.id]
        assert (green.slug, green.depth, green.position) == ("green-tea", 2, 1)


async def test_a_category_moves_with_all_below_it(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        _, tea, green = await branch(session, "Food", "Tea", "Green tea")
        (gifts,) = await branch(session, "Gifts")

        await save_category(session, category_id=tea.id, name="Tea", parent_id=gifts.id)
        assert (await paths(session))["Green tea"] == (f"/{gifts.id}/{tea.id}/{green.id}/", 2)

        await save_category(session, category_id=tea.id, name="Tea")
        assert (await paths(session))["Green tea"] == (f"/{tea.id}/{green.id}/", 1)


async def test_products_are_found_by_the_new_name_of_their_category(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        draft = ProductDraft(slug="a", title="Sencha", category_path=("Food", "Tea"))
        await import_products(session, [draft], now=NOW)
        food = (await session.scalars(select(Category).where(Category.name == "Food"))).one()

        await save_category(
            session, category_id=food.id, name="Pantry", translations={"zh": {"name": "食品"}}
        )

        words = (await session.scalars(select(ProductWords.words))).one().split()
        assert {"pantry", "食品", "tea"} <= set(words)
        assert "food" not in words


NO_TREE: Sequence[tuple[dict[str, object], ErrorCode, tuple[object, ...]]] = [
    ({"name": " "}, ErrorCode.INVALID, ("name",)),
    ({"name": "x" * 256}, ErrorCode.INVALID, ("name",)),
    ({"name": "Food"}, ErrorCode.TAKEN, ("name",)),
    ({"name": "New", "slug": "food"}, ErrorCode.TAKEN, ("slug",)),
    ({"name": "New", "slug": "Not so"}, ErrorCode.INVALID, ("slug",)),
    ({"name": "New", "slug": "x" * 300}, ErrorCode.INVALID, ("slug",)),
    ({"name": "New", "parent_id": 999}, ErrorCode.NOT_FOUND, ("parent_id",)),
    ({"name": "New", "category_id": 999}, ErrorCode.NOT_FOUND, ("id",)),
    ({"name": "New", "position": -1}, ErrorCode.INVALID, ("position",)),
    ({"name": "Food", "category_id": 1, "parent_id": 1}, ErrorCode.INVALID, ("parent_id",)),
    ({"name": "Food", "category_id": 1, "parent_id": 2}, ErrorCode.INVALID, ("parent_id",)),
    (
        {"name": "New", "attributes": [AttributeOfCategory(999)]},
        ErrorCode.NOT_FOUND,
        ("attributes", 0, "attribute_id"),
    ),
]


async def test_the_tree_stays_a_tree(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await branch(session, "Food", "Tea")
        before = await paths(session)

    for given, code, field in NO_TREE:
        with pytest.raises(DomainError) as refused:
            async with shop.database.writes.begin() as session:
                await save_category(session, **given)  # type: ignore[arg-type]

        assert (refused.value.code, refused.value.field) == (code, field)
        async with shop.database.reads() as session:
            assert await paths(session) == before


async def test_the_tree_has_a_depth(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        *_, last = await branch(session, *(f"Level {number}" for number in range(DEPTH_LIMIT)))
        _, low = await branch(session, "High", "Low")

        with pytest.raises(DomainError, match="12 levels deep"):
            await branch_below(session, last)
        with pytest.raises(DomainError, match="12 levels deep"):
            await save_category(session, category_id=low.parent_id, name="High", parent_id=last.id)


async def branch_below(session: AsyncSession, parent: Category) -> Category:
    return await save_category(session, name="Too deep", parent_id=parent.id)


async def test_a_category_says_what_its_products_must_have(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        colour, size = await create_attribute(session), await create_attribute(session, code="size")
        wanted = [AttributeOfCategory(colour.id, required=True), AttributeOfCategory(size.id)]
        category = await save_category(session, name="Food", attributes=wanted)
        await save_category(session, category_id=category.id, name="Food", attributes=wanted[:1])

        rows = (await session.scalars(select(CategoryAttribute))).all()
        assert [(row.category_id, row.attribute_id, row.required) for row in rows] == [
            (category.id, colour.id, True)
        ]


async def test_an_attribute_lists_what_it_allows(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        drafts = [ValueDraft("red", "Red"), ValueDraft("blue", "Blue", {"zh": {"name": "蓝"}})]
        colour = await save_attribute(
            session, code="colour", name="Colour", type=AttributeType.ENUM, values=drafts
        )
        await save_attribute(
            session,
            attribute_id=colour.id,
            code="colour",
            name="Shade",
            type=AttributeType.ENUM,
            values=[drafts[1], ValueDraft("green", "Green")],
        )

        values = await session.scalars(select(AttributeValue).order_by(AttributeValue.position))
        assert colour.name == "Shade"
        assert [(value.code, value.translations) for value in values] == [
            ("blue", {"zh": {"name": "蓝"}}),
            ("green", {}),
        ]


NO_ATTRIBUTE: Sequence[tuple[dict[str, object], ErrorCode, tuple[object, ...]]] = [
    ({"type": AttributeType.TEXT, "values": ()}, ErrorCode.WRONG_STATE, ("type",)),
    ({"values": (ValueDraft("blue", "Blue"),)}, ErrorCode.WRONG_STATE, ("values",)),
    ({"values": ()}, ErrorCode.INVALID, ("values",)),
    ({"values": (ValueDraft("red", "Red"),) * 2}, ErrorCode.TAKEN, ("values", 1, "code")),
    ({"values": (ValueDraft("r d", "Red"),)}, ErrorCode.INVALID, ("values", 0, "code")),
    ({"values": (ValueDraft("red", ""),)}, ErrorCode.INVALID, ("values", 0, "name")),
    ({"code": "size"}, ErrorCode.TAKEN, ("code",)),
    ({"code": ""}, ErrorCode.INVALID, ("code",)),
    ({"name": ""}, ErrorCode.INVALID, ("name",)),
    ({"attribute_id": None, "code": "x", "type": AttributeType.NUMBER}, ErrorCode.INVALID, ("values",)),
]


async def test_what_products_say_of_an_attribute_still_holds(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        colour = await create_attribute(session, values=("red",))
        await create_attribute(session, code="size", values=("m",))
        await give_attribute(session, await create_product(session), colour, "red")
    unchanged: dict[str, object] = {
        "attribute_id": colour.id,
        "code": "colour",
        "name": "Colour",
        "type": AttributeType.ENUM,
        "values": (ValueDraft("red", "Red"),),
    }

    for given, code, field in NO_ATTRIBUTE:
        with pytest.raises(DomainError) as refused:
            async with shop.database.writes.begin() as session:
                await save_attribute(session, **(unchanged | given))  # type: ignore[arg-type]

        assert (refused.value.code, refused.value.field) == (code, field)
        async with shop.database.reads() as session:
            codes = await session.scalars(select(Attribute.code).order_by(Attribute.id))
            values = await session.scalars(select(AttributeValue.code).order_by(AttributeValue.id))
            assert (codes.all(), values.all()) == (["colour", "size"], ["red", "m"])


async def test_who_waits_too_long_for_a_large_import_is_told_so(postgres_url: str) -> None:
    database = Database.open(postgres_url, pool_size=2)
    async with database.writes.begin() as importing, database.writes.begin() as session:
        await alone(importing)
        await session.execute(text("SET LOCAL lock_timeout = '50ms'"))

        with pytest.raises(CatalogueBusy, match="Try again in a moment"):
            await alone(session)
        await session.rollback()
    await database.close()
