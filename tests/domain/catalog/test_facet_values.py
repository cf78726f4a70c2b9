"""The values of attributes by which products are counted in facets."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select, union_all
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
from loaders.search.fields import CHOICE
from models import Attribute, AttributeType, AttributeValue, Product
from tests.clients import Clients
from tests.factories.catalog import NOW
from tests.search import read_documents

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


async def stored_choices(shop: Shop) -> set[str]:
    (document,) = await read_documents(shop.database)
    return set(document.keywords[CHOICE])


async def test_a_value_of_each_type_is_stored_as_filters_give_it(shop: Shop) -> None:
    await save_attributes_and_products(shop, SHIRT)

    assert await stored_choices(shop) == {
        "colour=red",
        "colour=blue",
        "weight=2.5",
        "washable=true",
        "season=late: summer",
        "made=2026-03-01",
    }


async def test_an_import_replaces_the_facet_values(shop: Shop, session: AsyncSession) -> None:
    await save_attributes_and_products(shop, SHIRT)
    await save_products(session, [replace(SHIRT, attributes={"weight": ("3",)})], cause=Cause(NOW))
    await session.commit()

    assert await stored_choices(shop) == {"weight=3"}

    await save_products(session, [replace(SHIRT, attributes={})], cause=Cause(NOW))
    await session.commit()

    assert await stored_choices(shop) == set()


async def test_editing_a_product_changes_its_facet_values(shop: Shop, session: AsyncSession) -> None:
    await save_attributes_and_products(shop, SHIRT)
    product = (await session.scalars(select(Product))).one()
    changes = ProductChanges(attributes={"colour": ("blue",), "washable": ("no",)})
    await update_product(
        session, product.id, changes, category_id=None, version=product.version, cause=Cause(NOW, None)
    )
    await session.commit()

    assert await stored_choices(shop) == {"colour=blue", "washable=false"}


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
    assert await stored_choices(shop) == {"weight=2"}

    await choose_by_season(filterable=True)
    assert await stored_choices(shop) == {"weight=2", "season=summer"}


async def test_an_archived_product_keeps_its_facet_values_and_is_not_counted(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await save_attributes_and_products(shop, replace(SHIRT, attributes={"weight": ("2",)}))
    product = (await session.scalars(select(Product))).one()
    assert product.category_id is not None
    await save_category(
        session, CategoryDraft(name="Clothes", parent_id=None), category_id=product.category_id
    )
    await session.commit()
    assert await stored_choices(shop) == {"weight=2"}

    await archive_product(session, product.id, cause=Cause(NOW, None))
    await session.commit()

    assert await stored_choices(shop) == {"weight=2"}
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
