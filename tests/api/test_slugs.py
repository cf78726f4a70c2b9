"""Slugs of products and categories: present and former ones."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Category, Product, Role
from resolvers.ids import global_id
from tests.api.test_catalog_editing import CREATE, IMPORT, mutation
from tests.clients import Client, Clients
from tests.factories.catalog import create_attribute, create_category, create_product
from tests.given import refusals
from tests.observe import count_statements

UPDATE = mutation("productUpdate", "product { slug title version }")
CATEGORY = mutation("categorySave", "category { id slug depth version parent { slug } }")
PRODUCT = "query ($slug: String!) { product(slug: $slug) { slug category { slug } } }"


async def test_a_moved_category_keeps_its_products_paths_and_slugs(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    food = await create_category(session, name="Food", slug="food")
    gifts = await create_category(session, name="Gifts", slug="gifts")
    tea = await create_category(session, name="Tea", slug="tea", parent=food)
    green = await create_category(session, name="Green", slug="green", parent=tea)
    await create_product(session, slug="longjing", category=green)
    await session.commit()

    moved = await clerk.do(
        CATEGORY,
        id=global_id("Category", tea.id),
        version=0,
        name="Tea",
        parentId=global_id("Category", gifts.id),
    )

    assert moved["category"]["slug"] == "tea"
    assert moved["category"]["parent"] == {"slug": "gifts"}
    document = """query ($in: String!) { products(filter: {category: $in}) { nodes { slug category {
        slug depth ancestors { slug } } } } }"""
    place = {"slug": "green", "depth": 2, "ancestors": [{"slug": "gifts"}, {"slug": "tea"}]}
    for name, found in (("gifts", 1), ("tea", 1), ("green", 1), ("food", 0)):
        nodes = (await clients.guest().get(document, **{"in": name}))["products"]["nodes"]
        assert nodes == [{"slug": "longjing", "category": place}] * found
    path = await session.scalar(select(Category.path).where(Category.slug == "green"))
    await session.commit()
    assert path == f"/{gifts.id}/{tea.id}/{green.id}/"


async def test_a_former_slug_leads_to_its_product_or_category(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    tea = await create_category(session, slug="tea")
    product = await create_product(session, slug="oolong", category=tea)
    await session.commit()
    product_id, guest = global_id("Product", product.id), clients.guest()

    renamed = await clerk.do(UPDATE, id=product_id, version=0, slug="dong-ding")
    again = await clerk.do(UPDATE, id=product_id, version=1, slug="da-hong-pao")
    category = await clerk.do(
        CATEGORY, id=global_id("Category", tea.id), version=0, name="Tea", slug="all-tea"
    )

    assert renamed["product"] == {"slug": "dong-ding", "title": "Oolong tea", "version": 1}
    assert again["product"]["version"] == 2
    assert category["category"]["slug"] == "all-tea"
    for slug in ("oolong", "dong-ding", "da-hong-pao"):
        found = await guest.get(PRODUCT, slug=slug)
        assert found == {"product": {"slug": "da-hong-pao", "category": {"slug": "all-tea"}}}
    assert await guest.get('{ category(slug: "tea") { slug } }') == {"category": {"slug": "all-tea"}}
    listed = await guest.get('{ products(filter: {category: "tea"}) { nodes { slug } } }')
    assert listed["products"]["nodes"] == [{"slug": "da-hong-pao"}]
    back = await clerk.do(UPDATE, id=product_id, version=2, slug="oolong")
    assert back["product"]["slug"] == "oolong"
    assert (await guest.get(PRODUCT, slug="da-hong-pao"))["product"]["slug"] == "oolong"


async def test_a_former_slug_is_taken_over_only_where_it_is_given(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    product = await create_product(session, slug="oolong")
    other = await create_product(session, slug="other")
    await session.commit()
    await clerk.do(UPDATE, id=global_id("Product", product.id), version=0, slug="dong-ding")
    file = "Handle,Title,Variant Price\noolong,Oolong,10\n"

    by_chance = await clerk.do(CREATE, title="Oolong")
    by_file = await clerk.do(IMPORT, content=file)
    taken = await clerk.do(UPDATE, id=global_id("Product", other.id), version=0, slug="dong-ding")
    on_purpose = await clerk.do(CREATE, title="Oolong", slug="oolong")

    assert refusals(by_chance) == [("TAKEN", "slug")]
    assert by_chance["userErrors"][0]["message"] == '"oolong" leads to "dong-ding" now.'
    assert [(each["column"], each["reason"]) for each in by_file["result"]["problems"]] == [
        ("Handle", '"oolong" leads to "dong-ding" now')
    ]
    assert refusals(taken) == [("TAKEN", "slug")]
    assert on_purpose["product"]["slug"] == "oolong"
    staff = await clients.staff(Role.CATALOGUE)
    assert (await staff.get(PRODUCT, slug="oolong"))["product"]["slug"] == "oolong"


@pytest.mark.parametrize("slug", ["x" * 300, "a b", "", "a/b"])
async def test_an_invalid_slug_is_refused(
    shop: Shop, session: AsyncSession, clerk: Client, slug: str
) -> None:
    product = await create_product(session, slug="oolong")
    category = await create_category(session, slug="tea")
    await session.commit()

    payload = await clerk.do(UPDATE, id=global_id("Product", product.id), version=0, slug=slug)
    made = await clerk.do(
        CATEGORY, id=global_id("Category", category.id), version=0, name="Tea", slug=slug or "-"
    )

    assert refusals(payload) == refusals(made) == [("INVALID", "slug")]
    assert await session.scalar(select(Product.slug)) == "oolong"
    assert await session.scalar(select(Category.slug)) == "tea"
    await session.commit()


async def test_a_slug_takes_one_statement_and_a_former_one_two(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    product = await create_product(session, slug="oolong")
    await session.commit()
    await clerk.do(UPDATE, id=global_id("Product", product.id), version=0, slug="dong-ding")
    document = "query ($slug: String!) { product(slug: $slug) { slug } }"

    for slug, expected in (("dong-ding", 1), ("oolong", 2), ("nothing", 2)):
        with count_statements(shop) as seen:
            await clients.guest().get(document, slug=slug)
        assert seen.total == expected, seen.texts


async def test_two_moves_at_once_never_make_a_cycle(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    rows = [await create_category(session, name=f"C{number}") for number in range(2)]
    await session.commit()
    clerks = [await clients.staff(Role.CATALOGUE) for _ in rows]
    ids = [global_id("Category", row.id) for row in rows]

    replies = await asyncio.gather(
        clerks[0].do(CATEGORY, id=ids[0], version=0, name="C0", parentId=ids[1]),
        clerks[1].do(CATEGORY, id=ids[1], version=0, name="C1", parentId=ids[0]),
    )

    assert sorted(refusals(each) for each in replies) == [[], [("INVALID", "parentId")]]
    depths = await session.scalars(select(Category.depth).order_by(Category.depth))
    assert depths.all() == [0, 1]
    await session.commit()


async def test_an_attribute_of_a_category_is_for_its_products_only(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    clothes = await create_category(session, name="Clothes")
    shirts = await create_category(session, name="Shirts", parent=clothes)
    tea = await create_category(session, name="Tea")
    await create_attribute(session, code="size", values=("s", "m"), category=clothes)
    await create_attribute(session, code="origin", values=("fujian",))
    await session.commit()
    values = [{"code": "size", "values": ["s"]}, {"code": "origin", "values": ["fujian"]}]

    inherited = await clerk.do(
        CREATE, title="Shirt", categoryId=global_id("Category", shirts.id), attributes=values
    )
    foreign = await clerk.do(CREATE, title="Tea", categoryId=global_id("Category", tea.id), attributes=values)
    nowhere = await clerk.do(CREATE, title="Thing", attributes=values)
    file = "Handle,Title,Product Category,Attribute / size\ncup,Cup,Tea,s\n"
    by_file = await clerk.do(IMPORT, content=file)

    assert inherited["userErrors"] == []
    assert refusals(foreign) == refusals(nowhere) == [("INVALID", "attributes")]
    assert foreign["userErrors"][0]["message"] == (
        'Size (size) is not for products of "Tea"; allowed: Clothes.'
    )
    assert by_file["result"]["problems"][0]["column"] == "Attribute / size"
    moved = await clerk.do(
        UPDATE, id=inherited["product"]["id"], version=1, categoryId=global_id("Category", tea.id)
    )
    assert refusals(moved) == [("INVALID", "attributes")]
    assert (await session.scalars(select(Product.slug))).all() == ["shirt"]
    await session.commit()
