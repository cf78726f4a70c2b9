"""The facet values of products, stored as one short text each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alembic import command
from sqlalchemy import Connection, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import (
    ProductChanges,
    ProductDraft,
    archive_product,
    save_products,
    update_product,
)
from domain.catalog.taxonomy import AttributeDraft, CategoryDraft, ValueDraft, save_attribute, save_category
from domain.cause import Cause
from events.shop import Shop
from migrations.runner import alembic_config, upgrade
from models import Attribute, AttributeType, AttributeValue, Product, ProductFacetValues
from models.database import sqlite_file
from tests.clients import Clients
from tests.factories.catalog import NOW
from tests.test_migrations import ask, empty_url
from text.facet_values import SEPARATOR, count_choices, join_choices, most_frequent_choices

__all__ = ["empty_url"]

TYPES = {
    "colour": AttributeType.ENUM,
    "weight": AttributeType.NUMBER,
    "washable": AttributeType.BOOLEAN,
    "season": AttributeType.TEXT,
    "made": AttributeType.DATE,
}
ATTRIBUTES = {
    "colour": ("red", "blue"),
    "weight": ("2.50",),
    "washable": ("yes",),
    "season": ("late: summer",),
    "made": ("2026-03-01",),
}
SHIRT = ProductDraft(slug="shirt", title="Shirt", category_path=("Clothing",), attributes=ATTRIBUTES)

FACETS = """
query ($filter: ProductFilter) { products(filter: $filter) { totalCount facets {
  brands { brand count }
  attributes { attribute { code } values { value count selected } } } } }
"""


async def save_attributes_and_products(shop: Shop, *drafts: ProductDraft) -> dict[str, int]:
    """The ids of the attributes, and of the values of the colour."""
    async with shop.database.writes.begin() as session:
        for code, kind in TYPES.items():
            values = [ValueDraft("red", "Red"), ValueDraft("blue", "Blue")] if code == "colour" else []
            await save_attribute(
                session, AttributeDraft(code=code, name=code, type=kind, filterable=True, values=values)
            )
        await save_products(session, drafts, cause=Cause(NOW))
        rows = await session.execute(
            union_all(select(Attribute.code, Attribute.id), select(AttributeValue.code, AttributeValue.id))
        )
        return {row.code: row.id for row in rows}


async def stored_choices(shop: Shop, slug: str = "shirt") -> set[str]:
    async with shop.database.reads() as session:
        texts = await session.scalars(
            select(ProductFacetValues.facet_values).join(Product).where(Product.slug == slug)
        )
        return set(texts.one().split(SEPARATOR))


async def test_a_value_of_each_type_is_stored_as_filters_give_it(shop: Shop) -> None:
    ids = await save_attributes_and_products(shop, SHIRT)

    assert await stored_choices(shop) == {
        f"{ids['colour']}:{ids['red']}",
        f"{ids['colour']}:{ids['blue']}",
        f"{ids['weight']}:2.5",
        f"{ids['washable']}:true",
        f"{ids['season']}:late: summer",
        f"{ids['made']}:2026-03-01",
    }


async def test_an_import_replaces_the_facet_values(shop: Shop, session: AsyncSession) -> None:
    ids = await save_attributes_and_products(shop, SHIRT)
    await save_products(session, [replace(SHIRT, attributes={"weight": ("3",)})], cause=Cause(NOW))
    await session.commit()

    assert await stored_choices(shop) == {f"{ids['weight']}:3"}

    await save_products(session, [replace(SHIRT, attributes={})], cause=Cause(NOW))
    await session.commit()

    assert await stored_choices(shop) == {""}


async def test_editing_a_product_changes_its_facet_values(shop: Shop, session: AsyncSession) -> None:
    ids = await save_attributes_and_products(shop, SHIRT)
    product = (await session.scalars(select(Product))).one()
    changes = ProductChanges(attributes={"colour": ("blue",), "washable": ("no",)})
    await update_product(
        session, product.id, changes, category_id=None, version=product.version, cause=Cause(NOW, None)
    )
    await session.commit()

    assert await stored_choices(shop) == {f"{ids['colour']}:{ids['blue']}", f"{ids['washable']}:false"}


async def test_an_attribute_gives_facet_values_while_it_is_filterable(shop: Shop) -> None:
    ids = await save_attributes_and_products(
        shop, replace(SHIRT, attributes={"season": ("summer",), "weight": ("2",)})
    )

    async def choose_by_season(*, filterable: bool) -> None:
        async with shop.database.writes.begin() as session:
            draft = AttributeDraft(
                code="season", name="Season", type=AttributeType.TEXT, filterable=filterable
            )
            await save_attribute(session, draft, attribute_id=ids["season"])

    await choose_by_season(filterable=False)
    assert await stored_choices(shop) == {f"{ids['weight']}:2"}

    await choose_by_season(filterable=True)
    assert await stored_choices(shop) == {f"{ids['weight']}:2", f"{ids['season']}:summer"}


async def test_an_archived_product_keeps_its_facet_values_and_is_not_counted(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    ids = await save_attributes_and_products(shop, replace(SHIRT, attributes={"weight": ("2",)}))
    product = (await session.scalars(select(Product))).one()
    assert product.category_id is not None
    await save_category(
        session, CategoryDraft(name="Clothes", parent_id=None), category_id=product.category_id
    )
    await session.commit()
    assert await stored_choices(shop) == {f"{ids['weight']}:2"}

    await archive_product(session, product.id, cause=Cause(NOW, None))
    await session.commit()

    assert await stored_choices(shop) == {f"{ids['weight']}:2"}
    data = await clients.guest().get(FACETS)
    assert data["products"] == {"totalCount": 0, "facets": {"brands": [], "attributes": []}}


async def test_a_facet_is_counted_without_its_own_filter_and_with_all_others(
    shop: Shop, clients: Clients
) -> None:
    def shirt(slug: str, brand: str, colour: str, weight: str) -> ProductDraft:
        return ProductDraft(
            slug=slug, title=slug, brand=brand, attributes={"colour": (colour,), "weight": (weight,)}
        )

    await save_attributes_and_products(
        shop,
        shirt("a", "Loom", "red", "1"),
        shirt("b", "Loom", "blue", "1"),
        shirt("c", "Wool", "red", "1"),
        shirt("d", "Wool", "blue", "2"),
    )
    chosen = {"brands": ["Loom"], "attributes": [{"code": "colour", "values": ["red"]}]}

    found = (await clients.guest().get(FACETS, filter=chosen))["products"]

    assert found["totalCount"] == 1
    assert found["facets"]["brands"] == [{"brand": "Loom", "count": 1}, {"brand": "Wool", "count": 1}]
    assert found["facets"]["attributes"] == [
        {"attribute": {"code": "colour"}, "values": [value_count("red", selected=True), value_count("blue")]},
        {"attribute": {"code": "weight"}, "values": [value_count("1")]},
    ]


def value_count(value: str, *, selected: bool = False) -> dict[str, Any]:
    return {"value": value, "count": 1, "selected": selected}


def test_the_most_frequent_choices_do_not_depend_on_the_order_of_products() -> None:
    products: Sequence[str] = [
        join_choices([(2, "10"), (1, "b"), (1, "a: b")]),
        join_choices([(2, "9"), (2, "10"), (1, "c")]),
        "",
    ]
    expected = [(2, "10", 2), (1, "a: b", 1), (1, "b", 1)]

    assert most_frequent_choices(count_choices(products), 3) == expected
    assert most_frequent_choices(count_choices([SEPARATOR.join(reversed(products))]), 3) == expected
    assert most_frequent_choices(count_choices([""]), 3) == []


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


def insert_rows(connection: Connection) -> None:
    yes, no = ("TRUE", "FALSE") if connection.dialect.name == "postgresql" else ("1", "0")
    for row in ROWS:
        connection.exec_driver_sql(row.format(yes=yes, no=no) if "{no}" in row else row)
    connection.commit()


def select_facet_values(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(text("SELECT product_id, facet_values FROM product_facet_values"))
    return [(row.product_id, row.facet_values) for row in rows]


def test_the_migration_fills_the_facet_values(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(alembic_config(empty_url), "0014")
    ask(empty_url, insert_rows)

    upgrade(empty_url)

    assert ask(empty_url, select_facet_values) == [
        (1001, SEPARATOR.join(["1:12", "2:2.5", "3:false", "4:green", "5:2026-03-01"]))
    ]
