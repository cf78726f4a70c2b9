"""What customers and staff see of a product and of the tree of categories."""

from domain.catalog.attributes import save_attribute
from domain.catalog.saving import import_products
from domain.catalog.tree import AttributeOfCategory, save_category
from domain.stock import Allocation, main_warehouse, reserve
from events.shop import Shop
from models import AttributeType, Role
from tests.api.catalog.shelf import CNY, SLUGS, USD, refused, slugs, tea, variant_named
from tests.factories.catalog import NOW, create_product
from tests.front import Front


async def test_customers_see_what_is_active_and_staff_see_all(shelf: Shop, front: Front) -> None:
    document = "query ($slug: String) { product(slug: $slug) { id title status } }"
    guest, clerk = front.guest(), await front.staff(Role.CATALOGUE)
    hidden = (await clerk.get(document, slug="hidden"))["product"]
    node = "query ($id: ID!) { node(id: $id) { id } product(id: $id) { id } }"

    assert hidden["status"] == "DRAFT"
    assert await guest.get(document, slug="hidden") == {"product": None}
    assert await guest.get(document, slug="gone") == {"product": None}
    assert await guest.get(document, slug="missing") == {"product": None}
    assert await guest.get(node, id=hidden["id"]) == {"node": None, "product": None}
    assert (await clerk.get(node, id=hidden["id"]))["node"] == {"id": hidden["id"]}
    assert await slugs(clerk, filter={"status": ["DRAFT", "ARCHIVED"]}) == ["gone", "hidden"]
    code, _ = await refused(guest, SLUGS, filter={"status": ["DRAFT"]})
    assert code == "FORBIDDEN"


async def test_the_number_of_units_is_told_to_staff_and_when_few_are_left(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        await import_products(session, [tea("a", "A", 100, stock=9), tea("b", "B", 100, stock=7)], now=NOW)
        await import_products(session, [tea("c", "C", 100, stock=0)], now=NOW)
        variant, main = await variant_named(session, "B"), await main_warehouse(session)
        await reserve(session, [Allocation(variant.id, main.id, 3)], order_id=None, now=NOW)
    document = """{ products(sort: PRICE_ASC) { nodes { slug availability { inStock quantity level }
        variants { availability { quantity } stock { onHand reserved available warehouse { code } } } } } }"""

    seen = (await front.guest().get(document))["products"]["nodes"]
    known = (await (await front.staff(Role.WAREHOUSE)).get(document))["products"]["nodes"]

    assert [node["availability"] for node in seen] == [
        {"inStock": True, "quantity": None, "level": "PLENTY"},
        {"inStock": True, "quantity": 4, "level": "FEW"},
        {"inStock": False, "quantity": 0, "level": "SOLD_OUT"},
    ]
    assert [node["variants"][0]["stock"] for node in seen] == [None] * 3
    assert [node["availability"]["quantity"] for node in known] == [9, 4, 0]
    assert known[1]["variants"][0]["stock"] == [
        {"onHand": 7, "reserved": 3, "available": 4, "warehouse": {"code": "MAIN"}}
    ]


async def test_what_has_no_limit_is_always_there(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        await create_product(session, slug="free", tracked=False, stock={})
        await create_product(session, slug="later", sells_when_out=True, stock={"MAIN": 0})
    nodes = await front.guest().get("{ products { nodes { availability { inStock quantity level } } } }")

    always = {"inStock": True, "quantity": None, "level": "PLENTY"}
    assert nodes["products"]["nodes"] == [{"availability": always}] * 2


async def test_prices_are_told_in_the_currency_asked_for(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        await create_product(session, slug="both", prices={CNY: 990, USD: 150})
        await create_product(session, slug="one", prices={CNY: 500})
    document = """query ($currency: CurrencyCode) { products(sort: PRICE_ASC) { nodes { slug
        priceRange(currency: $currency) { min { amount currencyCode } max { amount } }
        variants { price(currency: $currency) { amount } compareAtPrice { amount } } } } }"""
    abroad = await front.guest(**{"X-Currency": "USD"}).get(document)
    asked = await front.guest().get(document, currency="USD")

    dollars = {"min": {"amount": "1.50", "currencyCode": "USD"}, "max": {"amount": "1.50"}}
    assert [(node["slug"], node["priceRange"]) for node in abroad["products"]["nodes"]] == [
        ("both", dollars),
        ("one", None),
    ]
    assert [(node["slug"], node["priceRange"]) for node in asked["products"]["nodes"]] == [
        ("one", None),
        ("both", dollars),
    ]
    assert asked["products"]["nodes"][0]["variants"][0]["price"] is None


async def test_texts_are_told_in_the_language_of_the_viewer(shelf: Shop, front: Front) -> None:
    document = """{ product(slug: "oolong") { title translations { language title }
        attributes { text value { code name } boolean attribute { name code } } } }"""
    english = (await front.guest(**{"Accept-Language": "en-GB"}).get(document))["product"]
    chinese = (await front.guest(**{"Accept-Language": "zh-CN"}).get(document))["product"]

    assert (english["title"], chinese["title"]) == ("Mountain oolong tea", "高山乌龙茶")
    assert {row["text"] for row in english["attributes"]} == {"Fujian", "yes"}
    assert {row["text"] for row in chinese["attributes"]} == {"福建", "是"}
    assert english["translations"] == [{"language": "en", "title": "Mountain oolong tea"}]


async def test_a_category_inherits_attributes(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        a = await save_attribute(session, code="a", name="A", type=AttributeType.TEXT)
        b = await save_attribute(session, code="b", name="B", type=AttributeType.NUMBER, unit="g")
        food = await save_category(
            session, name="Food", attributes=[AttributeOfCategory(a.id), AttributeOfCategory(b.id)]
        )
        await save_category(
            session, name="Tea", parent_id=food.id, attributes=[AttributeOfCategory(b.id, required=True)]
        )
    document = '{ category(slug: "tea") { attributes { attribute { code type unit } required inherited } } }'
    data = await front.guest().get(document)

    assert data["category"]["attributes"] == [
        {"attribute": {"code": "a", "type": "TEXT", "unit": None}, "required": False, "inherited": True},
        {"attribute": {"code": "b", "type": "NUMBER", "unit": "g"}, "required": True, "inherited": False},
    ]


async def test_the_tree_is_shown_from_the_roots_or_whole(shelf: Shop, front: Front) -> None:
    data = await front.guest().get(
        "{ roots: categories { name children { name } } all: categories(roots: false) { name } }"
    )

    assert data["roots"] == [
        {"name": "Food", "children": [{"name": "Tea"}]},
        {"name": "Clothing", "children": []},
    ]
    assert [row["name"] for row in data["all"]] == ["Food", "Clothing", "Tea"]
