"""Loading the categories of the standard taxonomy."""

import os
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from domain.catalog.taxonomy import CategoryDraft, ensure_taxonomy_categories, save_category
from domain.catalog.taxonomy.standard import (
    TaxonomyLoadResult,
    WriteCount,
    load_taxonomy,
    read_taxonomy,
    taxonomy_files,
)
from domain.catalog.taxonomy.standard.places import CategoryPlace, merge_siblings, place_categories
from domain.errors import Invalid
from models import Attribute, AttributeValue, Category, ProductAttribute
from models.database import Database
from tests.domain.catalog.taxonomy.loading import find_category, load_edition
from tests.factories.catalog import create_category, create_product
from tests.factories.taxonomy import (
    EN,
    ZH,
    attribute_file,
    category_lines,
    colour_attribute,
    edition_files,
    fabric_attribute,
    link_file,
)
from tests.search import indexed_words

REAL = os.environ.get("CARTWHEEL_TAXONOMY", "")
"""A folder with an edition of the standard taxonomy, where somebody has one."""


async def tree_by_slug(database: Database) -> dict[str, tuple[str, str, int, int]]:
    """Name, parent, depth and position by slug; every path is checked on the way."""
    async with database.reads() as session:
        rows = {row.id: row for row in await session.scalars(select(Category).order_by(Category.id))}
    for row in rows.values():
        above = rows[row.parent_id].path if row.parent_id else "/"
        assert row.path == f"{above}{row.id}/"
        assert row.depth == row.path.count("/") - 2
    return {
        row.slug: (row.name, rows[row.parent_id].slug if row.parent_id else "", row.depth, row.position)
        for row in rows.values()
    }


async def test_an_edition_is_loaded_in_the_language_of_the_shop(database: Database) -> None:
    counts: list[int] = []
    taxonomy = read_taxonomy(edition_files())

    async with database.writes.begin() as session:
        loaded = await load_taxonomy(session, taxonomy, language="zh-CN", progress=counts.append)

    assert loaded == TaxonomyLoadResult(
        WriteCount(7, 0, 0), WriteCount(2, 0, 0), WriteCount(3, 0, 0), attached=0
    )
    assert sum(counts) == taxonomy.size
    assert await tree_by_slug(database) == {
        "clothes": ("服装", "", 0, 1),
        "clothes-trousers-co": ("裤子", "clothes", 1, 1),
        "clothes-trousers-co-joggers": ("慢跑裤", "clothes-trousers-co", 2, 1),
        "clothes-shirts": ("衬衫", "clothes", 1, 2),
        "clothes-shirts-joggers": ("慢跑衫", "clothes-shirts", 2, 1),
        "food": ("食品", "", 0, 2),
        "food-tea": ("茶", "food", 1, 1),
    }
    assert (await find_category(database, "fb-1")).translations == {"en": {"name": "Tea"}}


@pytest.mark.parametrize(
    ("language", "name", "translations"),
    [
        ("en", "Tea", {"zh-CN": {"name": "茶"}}),
        ("en-GB", "Tea", {"zh-CN": {"name": "茶"}}),
        ("zh", "茶", {"en": {"name": "Tea"}}),
        ("fr", "Tea", {"zh-CN": {"name": "茶"}}),
    ],
)
async def test_the_language_nearest_to_the_shops_is_used(
    database: Database, language: str, name: str, translations: dict[str, dict[str, str]]
) -> None:
    await load_edition(database, read_taxonomy(edition_files()), language=language)

    tea = await find_category(database, "fb-1")
    assert (tea.name, tea.slug, tea.translations) == (name, "food-tea", translations)


async def test_a_shop_that_changes_its_language_keeps_no_old_names(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()), language="en")

    await load_edition(
        database,
        read_taxonomy(edition_files(zh_lines=category_lines(ZH | {"fb-1": "食品 > 茶叶"}))),
        language="zh-CN",
    )

    tea = await find_category(database, "fb-1")
    assert (tea.name, tea.translations) == ("茶叶", {"en": {"name": "Tea"}, "zh-CN": {"name": "茶叶"}})


async def test_loading_again_writes_nothing(database: Database) -> None:
    taxonomy = read_taxonomy(edition_files(links=link_file(aa=[1, 2], aa_1=[1])))
    await load_edition(database, taxonomy)
    written: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if not statement.startswith(("SELECT", "BEGIN", "PRAGMA")):
            written.append(statement)

    event.listen(database.writers.sync_engine, "before_cursor_execute", note)
    loaded = await load_edition(database, taxonomy)

    assert loaded == TaxonomyLoadResult(
        WriteCount(0, 0, 7), WriteCount(0, 0, 2), WriteCount(0, 0, 3), attached=0
    )
    assert written == []


async def test_a_newer_edition_renames_and_adds_categories_and_removes_none(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()))
    newer = {
        "aa": "Apparel",
        "aa-3": "Apparel > Hats",
        "aa-1": "Apparel > Trousers",
        "fb": "Food",
        "fb-2": "Food > Nuts",
    }
    newer_zh = {
        "aa": "服饰",
        "aa-3": "服饰 > 帽子",
        "aa-1": "服饰 > 裤子",
        "fb": "食品",
        "fb-2": "食品 > 坚果",
    }

    loaded = await load_edition(
        database,
        read_taxonomy(
            edition_files(
                en_lines=category_lines(newer),
                zh_lines=category_lines(newer_zh),
                en_attributes=attribute_file(colour_attribute("Color", "Red", "Navy")),
                zh_attributes=attribute_file(colour_attribute("颜色", "红色", "藏青")),
            )
        ),
    )

    assert loaded == TaxonomyLoadResult(
        WriteCount(2, 2, 1, obsolete=("aa-1-1", "aa-2", "aa-2-1", "fb-1")),
        WriteCount(0, 1, 0, obsolete=("2",)),
        WriteCount(0, 1, 1),
        attached=0,
    )
    assert await tree_by_slug(database) == {
        "clothes": ("服饰", "", 0, 1),
        "apparel-hats": ("帽子", "clothes", 1, 1),
        "clothes-trousers-co": ("裤子", "clothes", 1, 2),
        "clothes-trousers-co-joggers": ("慢跑裤", "clothes-trousers-co", 2, 1),
        "clothes-shirts": ("衬衫", "clothes", 1, 3),
        "clothes-shirts-joggers": ("慢跑衫", "clothes-shirts", 2, 1),
        "food": ("食品", "", 0, 2),
        "food-tea": ("茶", "food", 1, 1),
        "food-nuts": ("坚果", "food", 1, 2),
    }


async def test_a_category_stays_where_staff_have_moved_it(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()))
    async with database.writes.begin() as session:
        food = (await session.scalars(select(Category).where(Category.slug == "food"))).one()
        shirts = (await session.scalars(select(Category).where(Category.slug == "clothes-shirts"))).one()
        await save_category(
            session, CategoryDraft(name="衬衫", parent_id=food.id, position=9), category_id=shirts.id
        )
    more = {"aa-2-2": ("Clothes > Shirts > Polos", "服装 > 衬衫 > 马球衫")}

    loaded = await load_edition(
        database,
        read_taxonomy(
            edition_files(
                en_lines=category_lines(EN | {id: names[0] for id, names in more.items()}),
                zh_lines=category_lines(ZH | {id: names[1] for id, names in more.items()}),
            )
        ),
    )

    assert (loaded.categories.created, loaded.categories.updated) == (1, 0)
    found = await tree_by_slug(database)
    assert found["clothes-shirts"] == ("衬衫", "food", 1, 9)
    assert found["clothes-shirts-joggers"] == ("慢跑衫", "clothes-shirts", 2, 1)
    assert found["clothes-shirts-polos"] == ("马球衫", "clothes-shirts", 2, 2)


async def test_categories_of_the_shop_keep_their_slugs_and_come_first(database: Database) -> None:
    async with database.writes.begin() as session:
        own = await create_category(session, name="茶叶", slug="food-tea")

    await load_edition(database, read_taxonomy(edition_files()))

    found = await tree_by_slug(database)
    assert found["food-tea"] == ("茶叶", "", 0, 1)
    assert found["clothes"] == ("服装", "", 0, 2)
    assert found["food"] == ("食品", "", 0, 3)
    assert found["food-tea-fb-1"] == ("茶", "food", 1, 1)
    assert (await find_category(database, "fb-1")).id != own.id


async def test_a_category_created_for_a_taxonomy_id_gets_its_name_and_place(database: Database) -> None:
    async with database.writes.begin() as session:
        tea = (await ensure_taxonomy_categories(session, {"fb-1"}))["fb-1"]
        below = await create_category(session, name="乌龙茶", slug="oolong", parent=tea)
        await create_product(session, category=below)

    loaded = await load_edition(database, read_taxonomy(edition_files()))

    assert loaded.categories == WriteCount(created=6, updated=1, unchanged=0)
    found = await tree_by_slug(database)
    assert found["fb-1"] == ("茶", "food", 1, 1)
    assert found["oolong"][:3] == ("乌龙茶", "fb-1", 2)
    assert {"food", "tea", "食品", "乌龙茶"} <= await indexed_words(database)


async def test_products_are_found_by_the_new_names_of_their_categories_and_values(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()))
    async with database.writes.begin() as session:
        tea = (await session.scalars(select(Category).where(Category.taxonomy_id == "fb-1"))).one()
        red = (await session.scalars(select(AttributeValue).where(AttributeValue.code == "red"))).one()
        product = await create_product(session, title="Dong Ding", category=tea)
        session.add(
            ProductAttribute(
                product_id=product.id, attribute_id=red.attribute_id, position=1, value_id=red.id
            )
        )

    await load_edition(
        database,
        read_taxonomy(
            edition_files(
                en_lines=category_lines(EN | {"fb": "Groceries", "fb-1": "Groceries > Tea"}),
                en_attributes=attribute_file(
                    colour_attribute("Colour", "Crimson", "Blue"), fabric_attribute("Fabric", "Wool")
                ),
            )
        ),
    )

    words = await indexed_words(database)
    assert {"groceries", "crimson"} <= words
    assert not {"food", "red"} & words


async def test_siblings_with_the_same_name_get_the_english_one_behind_it(database: Database) -> None:
    await load_edition(
        database,
        read_taxonomy(
            edition_files(
                zh_lines=category_lines(
                    ZH
                    | {"aa-1": "服装 > 衣", "aa-2": "服装 > 衣"}
                    | {"aa-1-1": "服装 > 衣 > 慢跑裤", "aa-2-1": "服装 > 衣 > 慢跑衫"}
                )
            )
        ),
    )

    found = await tree_by_slug(database)
    assert found["clothes-trousers-co"][0] == "衣 (Trousers & Co)"
    assert found["clothes-shirts"][0] == "衣 (Shirts)"


async def test_an_edition_that_would_put_a_category_below_itself_changes_nothing(database: Database) -> None:
    async with database.writes.begin() as session:
        tea = (await ensure_taxonomy_categories(session, {"fb-1"}))["fb-1"]
        food = await create_category(session, name="食品", slug="food", parent=tea)
        food.taxonomy_id = "fb"
        before = [tea.id, food.id]

    with pytest.raises(Invalid, match=f"Category {before[0]} would stand below itself"):
        await load_edition(database, read_taxonomy(edition_files()))

    async with database.reads() as session:
        assert (await session.scalars(select(Category.id).order_by(Category.id))).all() == before
        assert await session.scalar(select(func.count()).select_from(Attribute)) == 0


def test_new_siblings_follow_the_one_before_them_in_the_edition() -> None:
    assert merge_siblings([], [1, 2, 3]) == [1, 2, 3]
    assert merge_siblings([9, 8], [1, 2]) == [9, 8, 1, 2]
    assert merge_siblings([2, 9, 1], [1, 2, 3]) == [2, 3, 9, 1]
    assert merge_siblings([2, 3], [1, 2, 4, 3]) == [1, 2, 4, 3]


def test_siblings_get_new_positions_only_where_one_is_added() -> None:
    current = {
        1: CategoryPlace(None, "/1/", 0, 10),
        2: CategoryPlace(1, "/1/2/", 1, 20),
        3: CategoryPlace(1, "/1/3/", 1, 30),
        4: CategoryPlace(3, "/1/3/4/", 2, 40),
    }

    assert place_categories(current, {1: None, 2: 1, 5: 1, 3: 1}, {5}) == {
        1: CategoryPlace(None, "/1/", 0, 10),
        2: CategoryPlace(1, "/1/2/", 1, 1),
        5: CategoryPlace(1, "/1/5/", 1, 2),
        3: CategoryPlace(1, "/1/3/", 1, 3),
        4: CategoryPlace(3, "/1/3/4/", 2, 40),
    }


@pytest.mark.skipif(not REAL, reason="CARTWHEEL_TAXONOMY names no folder with an edition")
async def test_the_real_taxonomy_is_loaded_whole(database: Database) -> None:
    taxonomy = read_taxonomy(taxonomy_files(Path(REAL)))
    values = sum(len(attribute.values) for attribute in taxonomy.attributes)

    loaded = await load_edition(database, taxonomy)

    assert loaded.categories == WriteCount(len(taxonomy.categories), 0, 0)
    assert loaded.attributes == WriteCount(len(taxonomy.attributes), 0, 0)
    assert loaded.values == WriteCount(values, 0, 0)
    assert len(await tree_by_slug(database)) == len(taxonomy.categories)
    again = await load_edition(database, taxonomy)
    assert (again.categories.unchanged, again.attributes.unchanged, again.values.unchanged) == (
        len(taxonomy.categories),
        len(taxonomy.attributes),
        values,
    )
