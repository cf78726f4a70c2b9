"""Mutations of clerks: products, variants, categories, attributes, imports and stock."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Product, ProductStatus, Role, StockMovement, Variant
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.catalog import (
    create_attribute,
    create_category,
    create_product,
    variant_of,
)
from tests.factories.stock import create_warehouse
from tests.given import cny, names_of_all_events, refusals

PRODUCT = "id slug title status version"


def mutation(name: str, shown: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input!"
    payload = f"{shown} userErrors {{ code message field }}"
    return f"mutation ($input: {kind}) {{ {name}(input: $input) {{ {payload} }} }}"


CREATE = mutation(
    "productCreate",
    "product { id slug title description status version tags category { name } media { url alt }"
    " attributes { attribute { code } text } translations { language title }"
    " variants { id sku name price { amount } compareAtPrice { amount } weightGrams } }",
)
UPDATE = mutation(
    "productUpdate", f"product {{ {PRODUCT} description brand category {{ name }} variants {{ id }} }}"
)
PUBLISH = mutation("productPublish", f"product {{ {PRODUCT} publishedAt }}")
ARCHIVE = mutation("productArchive", f"product {{ {PRODUCT} }}")
VARIANT = mutation(
    "variantSave", "variant { id sku name archivedAt price { amount } product { variants { id name } } }"
)
NO_VARIANT = mutation("variantArchive", "variant { id archivedAt product { variants { name } } }")
CATEGORY = mutation("categorySave", "category { id name slug depth parent { name } children { name } }")
ATTRIBUTE = mutation("attributeSave", "attribute { id code name type values { code name } }")
IMPORT = mutation(
    "productsImport",
    "result { created updated unchanged problems { file line column reason } notes { reason } }",
)
STOCK = mutation(
    "stockAdjust", "stockLevel { onHand reserved damaged available warehouse { code } variant { sku } }"
)


async def test_a_product_is_created_and_published(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    category = await create_category(session, name="Tea")
    await create_attribute(session, code="colour", values=("green",))
    await session.commit()
    payload = await clerk.do(
        CREATE,
        title=" Green Tea ",
        description="<p>Fresh</p><script>alert(1)</script>",
        categoryId=global_id("Category", category.id),
        tags=["spring", "spring"],
        translations=[{"language": "zh-CN", "title": "绿茶"}],
        attributes=[{"code": "colour", "values": ["Green"]}],
        pictures=[{"url": "/media/a.png", "alt": "A cup"}],
        variants=[
            {
                "options": [{"name": "Size", "value": "S"}],
                "sku": "G-S",
                "prices": [{"price": cny("10.50"), "compareAt": cny("12")}],
                "weightGrams": 100,
            }
        ],
    )

    assert payload["userErrors"] == []
    product = payload["product"]
    (variant,) = product.pop("variants")
    product_id = product.pop("id")
    assert product == {
        "slug": "green-tea",
        "title": "Green Tea",
        "description": "<p>Fresh</p>",
        "status": "DRAFT",
        "version": 1,
        "tags": ["spring"],
        "category": {"name": "Tea"},
        "media": [{"url": "http://shop.test/media/a.png", "alt": "A cup"}],
        "attributes": [{"attribute": {"code": "colour"}, "text": "Green"}],
        "translations": [{"language": "zh-CN", "title": "绿茶"}],
    }
    assert (variant["sku"], variant["name"], variant["weightGrams"]) == ("G-S", "S", 100)
    assert (variant["price"], variant["compareAtPrice"]) == ({"amount": "10.50"}, {"amount": "12.00"})

    assert await clients.guest().get("{ products { nodes { slug } } }") == {"products": {"nodes": []}}
    published = await clerk.do(PUBLISH, id=product_id)
    assert (published["product"]["status"], published["product"]["version"]) == ("ACTIVE", 2)
    assert published["product"]["publishedAt"] is not None
    seen = await clients.guest().get('{ products(query: "绿茶") { nodes { slug } } }')
    assert seen == {"products": {"nodes": [{"slug": "green-tea"}]}}
    assert await names_of_all_events(shop) == ["product.created", "product.published"]


async def test_an_invalid_product_is_refused_with_its_field(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    await create_product(session, slug="taken", sku="TAKEN")
    await create_attribute(session, code="colour", values=("red",))
    product_count = await session.scalar(select(func.count()).select_from(Product))
    await session.commit()
    negative = {"prices": [{"price": cny("-1")}]}
    small = {"options": [{"name": "Size", "value": "S"}]}
    many = {"options": [{"name": f"O{n}", "value": "x"} for n in range(6)]}
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"slug": "taken"}, "TAKEN", "slug"),
        ({"slug": "x" * 300}, "INVALID", "slug"),
        ({"slug": "a b"}, "INVALID", "slug"),
        ({"title": " "}, "INVALID", "title"),
        ({"title": "\u200b\u3000"}, "INVALID", "title"),
        ({"title": "🍵"}, "INVALID", "slug"),
        ({"title": "", "slug": "s"}, "INVALID", "title"),
        ({"title": "x" * 256, "slug": "s"}, "INVALID", "title"),
        ({"description": "x" * 600_000}, "INVALID", "description"),
        ({"tags": ["x"] * 251}, "LIMIT_REACHED", "tags"),
        ({"categoryId": global_id("Category", 999)}, "NOT_FOUND", "categoryId"),
        ({"categoryId": global_id("Product", 1)}, "NOT_FOUND", "categoryId"),
        ({"translations": [{"language": "?", "title": "x"}]}, "INVALID", "translations.0.language"),
        ({"translations": [{"language": "en"}, {"language": "EN"}]}, "INVALID", "translations.1.language"),
        ({"attributes": [{"code": "nope", "values": ["x"]}]}, "NOT_FOUND", "attributes"),
        ({"attributes": [{"code": "colour", "values": ["red"]}] * 2}, "INVALID", "attributes.1.code"),
        ({"attributes": [{"code": "colour", "values": ["blue"]}]}, "INVALID", "attributes"),
        ({"pictures": [{"url": "javascript:x"}]}, "INVALID", "pictures.0.url"),
        ({"pictures": [{"url": "/x.png"}] * 251}, "LIMIT_REACHED", "pictures"),
        ({"variants": [negative]}, "INVALID", "variants.0.prices.0.price"),
        ({"variants": [{"prices": [{"price": cny("0.001")}]}]}, "INVALID", "variants.0.prices.0.price"),
        ({"variants": [{"prices": [{"price": cny("1")}] * 2}]}, "INVALID", "variants.0.prices.1"),
        ({"variants": [small, small]}, "TAKEN", "variants.1.options"),
        ({"variants": [small, {}]}, "INVALID", "variants"),
        ({"variants": [many]}, "LIMIT_REACHED", "variants.0.options"),
        ({"variants": [{"sku": str(number)} for number in range(10_000)]}, "LIMIT_REACHED", "variants"),
        ({"variants": [{"weightGrams": -1}]}, "INVALID", "variants.0.weightGrams"),
        ({"variants": [{"sku": "TAKEN"}]}, "TAKEN", "variants.0.sku"),
    ]
    for given, code, field in wrong:
        payload = await clerk.do(CREATE, **({"title": "New"} | given))
        assert (payload["product"], refusals(payload)) == (None, [(code, field)]), given

    assert await session.scalar(select(func.count()).select_from(Product)) == product_count
    await session.commit()
    assert await names_of_all_events(shop) == []


async def test_a_change_names_the_version_it_is_based_on(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    product = await create_product(session, title="Tea", brand="Hill Farm")
    variant = await variant_of(session, product)
    await session.commit()
    product_id = global_id("Product", product.id)

    first = await clerk.do(UPDATE, id=product_id, version=0, title="Oolong")
    second = await clerk.do(UPDATE, id=product_id, version=0, title="Green")
    same = await clerk.do(UPDATE, id=product_id, version=1, title="Oolong")

    assert (first["product"]["title"], first["product"]["version"]) == ("Oolong", 1)
    assert (first["product"]["brand"], first["product"]["description"]) == (
        "Hill Farm",
        "<p>Picked in spring.</p>",
    )
    assert first["product"]["variants"] == [{"id": global_id("Variant", variant.id)}]
    assert refusals(second) == [("CONFLICT", "version")]
    assert (same["product"]["title"], same["product"]["version"]) == ("Oolong", 1)
    assert refusals(await clerk.do(UPDATE, id=global_id("Product", 99), version=0)) == [("NOT_FOUND", "id")]


async def test_changing_a_product_does_not_change_its_stock(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    product = await create_product(session, stock={"MAIN": 5, "SOUTH": 2})
    movements = await session.scalar(select(func.count()).select_from(StockMovement))
    await session.commit()

    await clerk.do(UPDATE, id=global_id("Product", product.id), version=0, title="New")

    assert await session.scalar(select(func.count()).select_from(StockMovement)) == movements
    await session.commit()


async def test_a_product_without_a_price_is_not_published(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    product = await create_product(session, status=ProductStatus.DRAFT, prices={})
    await session.commit()

    payload = await clerk.do(PUBLISH, id=global_id("Product", product.id))

    assert refusals(payload) == [("WRONG_STATE", "")]
    assert await names_of_all_events(shop) == []


async def test_an_archived_product_can_be_published_again(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    product = await create_product(session)
    await session.commit()
    product_id = global_id("Product", product.id)

    archived = await clerk.do(ARCHIVE, id=product_id)
    twice = await clerk.do(ARCHIVE, id=product_id)
    hidden = await clients.guest().get("query ($id: ID!) { product(id: $id) { id } }", id=product_id)
    again = await clerk.do(PUBLISH, id=product_id)

    assert (archived["product"]["status"], archived["product"]["version"]) == ("ARCHIVED", 1)
    assert refusals(twice) == [("WRONG_STATE", "")]
    assert hidden == {"product": None}
    assert (again["product"]["status"], again["product"]["version"]) == ("ACTIVE", 2)


async def test_variants_are_added_changed_and_archived(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    product = await create_product(session, options={"Size": "S"}, sku="T-S")
    small = await variant_of(session, product)
    await session.commit()
    product_id, small_id = global_id("Product", product.id), global_id("Variant", small.id)
    large = {"options": [{"name": "Size", "value": "L"}], "sku": "T-L", "prices": [{"price": cny("5")}]}

    added = await clerk.do(VARIANT, productId=product_id, variant=large)
    changed = await clerk.do(
        VARIANT,
        productId=product_id,
        id=small_id,
        version=1,
        variant={
            "options": [{"name": "Size", "value": "XS"}],
            "sku": "T-XS",
            "prices": [{"price": cny("4")}],
        },
    )
    archived = await clerk.do(NO_VARIANT, productId=product_id, id=small_id)

    assert [row["name"] for row in added["variant"]["product"]["variants"]] == ["S", "L"]
    assert (changed["variant"]["id"], changed["variant"]["sku"]) == (small_id, "T-XS")
    assert changed["variant"]["price"] == {"amount": "4.00"}
    assert archived["userErrors"] == []
    assert archived["variant"]["id"] == small_id
    assert archived["variant"]["archivedAt"] is not None
    assert [row["name"] for row in archived["variant"]["product"]["variants"]] == ["L"]


async def test_an_invalid_variant_is_refused_with_its_field(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    product = await create_product(session, options={"Size": "S"}, sku="T-S")
    other = await create_product(session, sku="OTHER")
    stranger = await variant_of(session, other)
    await session.commit()
    product_id = global_id("Product", product.id)
    options = [{"name": "Size", "value": "L"}]
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"variant": {"options": [{"name": "Size", "value": "S"}]}}, "TAKEN", "variant.options"),
        ({"variant": {"options": [{"name": "Colour", "value": "S"}]}}, "INVALID", "variant.options"),
        ({"variant": {}}, "INVALID", "variant.options"),
        ({"variant": {"options": options, "sku": "OTHER"}}, "TAKEN", "variant.sku"),
        (
            {"variant": {"options": options}, "id": global_id("Variant", stranger.id), "version": 0},
            "NOT_FOUND",
            "id",
        ),
        ({"variant": {"options": options}, "id": global_id("Variant", 1)}, "INVALID", "version"),
        ({"variant": {"options": options}, "productId": global_id("Product", 99)}, "NOT_FOUND", "productId"),
    ]
    for given, code, field in wrong:
        payload = await clerk.do(VARIANT, **({"productId": product_id} | given))
        assert refusals(payload) == [(code, field)], given

    assert await session.scalar(select(func.count()).select_from(Variant)) == 2
    await session.commit()


async def test_categories_are_added_and_moved(shop: Shop, clerk: Client) -> None:
    food = (await clerk.do(CATEGORY, name="Food"))["category"]
    tea = (await clerk.do(CATEGORY, name="Tea", parentId=food["id"]))["category"]
    gifts = (await clerk.do(CATEGORY, name="Gifts", slug="for-you"))["category"]

    moved = (await clerk.do(CATEGORY, id=tea["id"], version=1, name="Teas", parentId=gifts["id"]))["category"]
    loop = await clerk.do(CATEGORY, id=gifts["id"], version=1, name="Gifts", parentId=tea["id"])

    colour = (await clerk.do(ATTRIBUTE, code="colour", name="Colour", type="TEXT"))["attribute"]
    twice = [{"attributeId": colour["id"]}, {"attributeId": colour["id"], "required": True}]
    unclear = await clerk.do(CATEGORY, name="Unclear", attributes=twice)

    assert refusals(unclear) == [("INVALID", "attributes.1.attributeId")]
    assert moved == {
        "id": tea["id"],
        "name": "Teas",
        "slug": "tea",
        "depth": 1,
        "parent": {"name": "Gifts"},
        "children": [],
    }
    assert gifts["slug"] == "for-you"
    assert refusals(loop) == [("INVALID", "parentId")]


async def test_a_category_keeps_its_parent_unless_another_is_given(clerk: Client) -> None:
    food = (await clerk.do(CATEGORY, name="Food"))["category"]
    tea = (await clerk.do(CATEGORY, name="Tea", parentId=food["id"]))["category"]

    named = (await clerk.do(CATEGORY, id=tea["id"], version=1, name="Teas"))["category"]
    rooted = (await clerk.do(CATEGORY, id=tea["id"], version=2, name="Teas", parentId=None))["category"]
    nowhere = await clerk.do(CATEGORY, id=tea["id"], version=3, name="Teas", parentId="")

    assert (named["name"], named["parent"]) == ("Teas", {"name": "Food"})
    assert (rooted["parent"], rooted["depth"]) == (None, 0)
    assert refusals(nowhere) == [("NOT_FOUND", "parentId")]


async def test_attributes_are_added_and_changed_by_clerks(shop: Shop, clerk: Client) -> None:
    values = [{"code": "red", "name": "Red", "translations": [{"language": "zh", "name": "红"}]}]
    made = await clerk.do(
        ATTRIBUTE, code="colour", name="Colour", type="ENUM", filterable=True, values=values
    )
    taken = await clerk.do(ATTRIBUTE, code="colour", name="Again", type="TEXT")

    assert made["attribute"]["values"] == [{"code": "red", "name": "Red"}]
    assert refusals(taken) == [("TAKEN", "code")]
    assert await clerk.get("{ attributes { code } }") == {"attributes": [{"code": "colour"}]}


PRODUCT_FILE = """Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty
tea,Tea,T-1,10,5
jacket,Jacket,J-1,{price},1
"""


async def test_a_file_is_imported_after_a_dry_run(shop: Shop, clerk: Client) -> None:
    good, bad = PRODUCT_FILE.format(price="20"), PRODUCT_FILE.format(price="twenty")

    wrong = await clerk.do(IMPORT, content=bad, fileName="goods.csv")
    tried = await clerk.do(IMPORT, content=good, dryRun=True)
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Product)) == 0
    taken = await clerk.do(IMPORT, content=good, currency="USD")
    again = await clerk.do(IMPORT, content=good, currency="USD")

    assert wrong["userErrors"] == []
    reason = '"twenty" is not an amount such as 12.50'
    assert wrong["result"]["problems"] == [
        {"file": "goods.csv", "line": 3, "column": "Variant Price", "reason": reason}
    ]
    counts = [(r["result"]["created"], r["result"]["unchanged"]) for r in (wrong, tried, taken, again)]
    assert counts == [(0, 0), (2, 0), (2, 0), (0, 2)]
    prices = await clerk.get(
        "{ products(sort: PRICE_ASC) { nodes { variants { prices { price { currencyCode } } } } } }"
    )
    assert prices["products"]["nodes"][0]["variants"] == [{"prices": [{"price": {"currencyCode": "USD"}}]}]


async def test_stock_is_changed_with_a_reason(shop: Shop, session: AsyncSession, clients: Clients) -> None:
    keeper = await clients.staff(Role.WAREHOUSE)
    variant = await variant_of(session, await create_product(session, sku="T", stock={"MAIN": 5}))
    south = await create_warehouse(session, code="SOUTH", position=50)
    await session.commit()
    places = (await keeper.get("{ warehouses { id code } }"))["warehouses"]
    main = places[0]["id"]
    here = {"variantId": global_id("Variant", variant.id), "warehouseId": main, "reason": "truck"}

    async def change(**given: Any) -> Any:
        return (await keeper.do(STOCK, **(here | given)))["stockLevel"]

    assert [place["code"] for place in places] == ["MAIN", "SOUTH"]
    assert (await change(kind="RECEIVED", quantity=10))["onHand"] == 15
    assert (await change(kind="CORRECTED", quantity=-1))["onHand"] == 14
    damaged = await change(kind="DAMAGED", quantity=4)
    assert (damaged["onHand"], damaged["damaged"]) == (10, 4)
    sent = await change(kind="TRANSFERRED", quantity=3, toWarehouseId=global_id("Warehouse", south.id))
    assert sent == {
        "onHand": 7,
        "reserved": 0,
        "damaged": 4,
        "available": 7,
        "warehouse": {"code": "MAIN"},
        "variant": {"sku": "T"},
    }
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"kind": "RECEIVED", "quantity": 1, "reason": ""}, "INVALID", "reason"),
        ({"kind": "RECEIVED", "quantity": 1, "reason": "\u200b"}, "INVALID", "reason"),
        ({"kind": "RECEIVED", "quantity": 1, "toWarehouseId": main}, "INVALID", "toWarehouseId"),
        ({"kind": "DAMAGED", "quantity": 8}, "OUT_OF_STOCK", "quantity"),
        ({"kind": "TRANSFERRED", "quantity": 1}, "NOT_FOUND", "toWarehouseId"),
        ({"kind": "TRANSFERRED", "quantity": 1, "toWarehouseId": main}, "INVALID", "toWarehouseId"),
        ({"kind": "RESERVED", "quantity": 1}, "INVALID", "kind"),
        (
            {"kind": "RECEIVED", "quantity": 1, "variantId": global_id("Variant", 99)},
            "NOT_FOUND",
            "variantId",
        ),
        (
            {"kind": "RECEIVED", "quantity": 1, "warehouseId": global_id("Warehouse", 99)},
            "NOT_FOUND",
            "warehouseId",
        ),
    ]
    for given, code, field in wrong:
        assert refusals(await keeper.do(STOCK, **(here | given))) == [(code, field)], given


@pytest.mark.parametrize("role", [None, Role.CUSTOMER, Role.SUPPORT, Role.WAREHOUSE])
async def test_the_catalogue_is_changed_by_clerks_only(
    shop: Shop, clients: Clients, role: Role | None
) -> None:
    somebody = await clients.staff(role) if role else clients.guest()
    code = "FORBIDDEN" if role else "UNAUTHENTICATED"

    assert refusals(await somebody.do(CREATE, title="Mine")) == [(code, "")]
    assert refusals(await somebody.do(IMPORT, content="x")) == [(code, "")]
