"""What customers can choose a product by stands in one short text, whoever has changed what it comes from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alembic import command
from sqlalchemy import Connection, select, text, union_all

from domain.catalog.attributes import ValueDraft, save_attribute
from domain.catalog.drafts import ProductDraft
from domain.catalog.product import ProductChanges, archive_product, update_product
from domain.catalog.saving import import_products
from domain.catalog.tree import save_category
from events.shop import Shop
from migrations.runner import configured, upgrade
from models import Attribute, AttributeType, AttributeValue, Product, ProductChoices
from models.database import sqlite_file
from tests.factories.catalog import NOW
from tests.front import Front
from tests.test_migrations import ask, empty_url
from words.choices import BETWEEN, counted, most_frequent, written

__all__ = ["empty_url"]

KINDS = {
    "colour": AttributeType.ENUM,
    "weight": AttributeType.NUMBER,
    "washable": AttributeType.BOOLEAN,
    "season": AttributeType.TEXT,
    "made": AttributeType.DATE,
}
SAID = {
    "colour": ("red", "blue"),
    "weight": ("2.50",),
    "washable": ("yes",),
    "season": ("late: summer",),
    "made": ("2026-03-01",),
}
SHIRT = ProductDraft(slug="shirt", title="Shirt", category_path=("Clothing",), attributes=SAID)

FACETS = """
query ($filter: ProductFilter) { products(filter: $filter) { totalCount facets {
  brands { brand count }
  attributes { attribute { code } values { value count selected } } } } }
"""


async def prepared(shop: Shop, *drafts: ProductDraft) -> dict[str, int]:
    """The ids of the attributes, and of the values of the colour."""
    async with shop.database.writes.begin() as session:
        for code, kind in KINDS.items():
            values = [ValueDraft("red", "Red"), ValueDraft("blue", "Blue")] if code == "colour" else []
            await save_attribute(session, code=code, name=code, type=kind, filterable=True, values=values)
        await import_products(session, drafts, now=NOW)
        rows = await session.execute(
            union_all(select(Attribute.code, Attribute.id), select(AttributeValue.code, AttributeValue.id))
        )
        return {row.code: row.id for row in rows}


async def held(shop: Shop, slug: str = "shirt") -> set[str]:
    async with shop.database.reads() as session:
        texts = await session.scalars(
            select(ProductChoices.choices).join(Product).where(Product.slug == slug)
        )
        return set(texts.one().split(BETWEEN))


async def test_a_value_of_each_kind_is_held_as_filters_spell_it(shop: Shop) -> None:
    ids = await prepared(shop, SHIRT)

    assert await held(shop) == {
        f"{ids['colour']}:{ids['red']}",
        f"{ids['colour']}:{ids['blue']}",
        f"{ids['weight']}:2.5",
        f"{ids['washable']}:true",
        f"{ids['season']}:late: summer",
        f"{ids['made']}:2026-03-01",
    }


async def test_a_file_read_again_leaves_what_it_says_now(shop: Shop) -> None:
    ids = await prepared(shop, SHIRT)
    async with shop.database.writes.begin() as session:
        await import_products(session, [replace(SHIRT, attributes={"weight": ("3",)})], now=NOW)

    assert await held(shop) == {f"{ids['weight']}:3"}

    async with shop.database.writes.begin() as session:
        await import_products(session, [replace(SHIRT, attributes={})], now=NOW)

    assert await held(shop) == {""}


async def test_a_clerk_who_changes_a_product_changes_what_it_is_chosen_by(shop: Shop) -> None:
    ids = await prepared(shop, SHIRT)
    async with shop.database.writes.begin() as session:
        product = (await session.scalars(select(Product))).one()
        changes = ProductChanges(attributes={"colour": ("blue",), "washable": ("no",)})
        await update_product(
            session, product.id, changes, category_id=None, version=product.version, now=NOW, by=None
        )

    assert await held(shop) == {f"{ids['colour']}:{ids['blue']}", f"{ids['washable']}:false"}


async def test_an_attribute_is_a_choice_from_when_it_is_made_one_until_it_is_none(shop: Shop) -> None:
    ids = await prepared(shop, replace(SHIRT, attributes={"season": ("summer",), "weight": ("2",)}))

    async def choose_by_season(*, filterable: bool) -> None:
        async with shop.database.writes.begin() as session:
            await save_attribute(
                session, attribute_id=ids["season"], code="season", name="Season", type=AttributeType.TEXT,
                filterable=filterable,
            )  # fmt: skip

    await choose_by_season(filterable=False)
    assert await held(shop) == {f"{ids['weight']}:2"}

    await choose_by_season(filterable=True)
    assert await held(shop) == {f"{ids['weight']}:2", f"{ids['season']}:summer"}


async def test_a_product_that_moves_or_is_not_sold_keeps_its_choices_and_is_not_counted(
    shop: Shop, front: Front
) -> None:
    ids = await prepared(shop, replace(SHIRT, attributes={"weight": ("2",)}))
    async with shop.database.writes.begin() as session:
        product = (await session.scalars(select(Product))).one()
        assert product.category_id is not None
        await save_category(session, category_id=product.category_id, name="Clothes", parent_id=None)
    assert await held(shop) == {f"{ids['weight']}:2"}

    async with shop.database.writes.begin() as session:
        await archive_product(session, product.id, now=NOW, by=None)

    assert await held(shop) == {f"{ids['weight']}:2"}
    data = await front.guest().get(FACETS)
    assert data["products"] == {"totalCount": 0, "facets": {"brands": [], "attributes": []}}


async def test_each_choice_is_counted_as_if_it_were_not_made_whatever_else_is_chosen(
    shop: Shop, front: Front
) -> None:
    def shirt(slug: str, brand: str, colour: str, weight: str) -> ProductDraft:
        return ProductDraft(
            slug=slug, title=slug, brand=brand, attributes={"colour": (colour,), "weight": (weight,)}
        )

    await prepared(
        shop,
        shirt("a", "Loom", "red", "1"),
        shirt("b", "Loom", "blue", "1"),
        shirt("c", "Wool", "red", "1"),
        shirt("d", "Wool", "blue", "2"),
    )
    chosen = {"brands": ["Loom"], "attributes": [{"code": "colour", "values": ["red"]}]}

    found = (await front.guest().get(FACETS, filter=chosen))["products"]

    assert found["totalCount"] == 1
    assert found["facets"]["brands"] == [{"brand": "Loom", "count": 1}, {"brand": "Wool", "count": 1}]
    assert found["facets"]["attributes"] == [
        {"attribute": {"code": "colour"}, "values": [told("red", selected=True), told("blue")]},
        {"attribute": {"code": "weight"}, "values": [told("1")]},
    ]


def told(value: str, *, selected: bool = False) -> dict[str, Any]:
    return {"value": value, "count": 1, "selected": selected}


def test_the_most_frequent_are_the_same_ones_in_whatever_order_they_are_read() -> None:
    products: Sequence[str] = [
        written([(2, "10"), (1, "b"), (1, "a: b")]),
        written([(2, "9"), (2, "10"), (1, "c")]),
        "",
    ]
    expected = [(2, "10", 2), (1, "a: b", 1), (1, "b", 1)]

    assert most_frequent(counted(products), 3) == expected
    assert most_frequent(counted([BETWEEN.join(reversed(products))]), 3) == expected
    assert most_frequent(counted([""]), 3) == []


ROWS = [
    "INSERT INTO products (id, slug, title, description, brand, product_type, status, tags, seo_title,"
    " seo_description, translations, columns, version, created_at, updated_at) VALUES (1001, 'tea', 'Tea',"
    " '', '', '', 'ACTIVE', '[]', '', '', '{}', '{}', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    "INSERT INTO attributes (id, code, name, type, filterable, translations, version) VALUES"
    " (1, 'a', 'A', 'ENUM', {yes}, '{{}}', 1), (2, 'b', 'B', 'NUMBER', {yes}, '{{}}', 1),"
    " (3, 'c', 'C', 'BOOLEAN', {yes}, '{{}}', 1), (4, 'd', 'D', 'TEXT', {yes}, '{{}}', 1),"
    " (5, 'e', 'E', 'DATE', {yes}, '{{}}', 1), (6, 'f', 'F', 'TEXT', {no}, '{{}}', 1)",
    "INSERT INTO attribute_values (id, attribute_id, code, name, position, translations)"
    " VALUES (12, 1, 'x', 'X', 1, '{}')",
    "INSERT INTO product_attributes (product_id, attribute_id, position, value_id, number, boolean, text,"
    " date) VALUES (1001, 1, 1, 12, NULL, NULL, NULL, NULL), (1001, 2, 1, NULL, 2.5, NULL, NULL, NULL),"
    " (1001, 3, 1, NULL, NULL, {no}, NULL, NULL), (1001, 4, 1, NULL, NULL, NULL, 'green', NULL),"
    " (1001, 5, 1, NULL, NULL, NULL, NULL, '2026-03-01'), (1001, 6, 1, NULL, NULL, NULL, 'loose', NULL)",
]


def fill(connection: Connection) -> None:
    yes, no = ("TRUE", "FALSE") if connection.dialect.name == "postgresql" else ("1", "0")
    for row in ROWS:
        connection.exec_driver_sql(row.format(yes=yes, no=no) if "{no}" in row else row)
    connection.commit()


def choices(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(text("SELECT product_id, choices FROM product_choices"))
    return [(row.product_id, row.choices) for row in rows]


def test_a_shop_there_was_before_has_its_choices(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(configured(empty_url), "0014")
    ask(empty_url, fill)

    upgrade(empty_url)

    assert ask(empty_url, choices) == [
        (1001, BETWEEN.join(["1:12", "2:2.5", "3:false", "4:green", "5:2026-03-01"]))
    ]
