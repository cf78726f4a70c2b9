"""What customers and staff see of products and categories."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import save_products
from domain.catalog.taxonomy import (
    AttributeDraft,
    CategoryAttributeDraft,
    CategoryDraft,
    save_attribute,
    save_category,
)
from domain.cause import Cause
from domain.stock import Allocation, ensure_main_warehouse, reserve_stock
from events.shop import Shop
from models import AttributeType, Role
from tests.api.catalog.sample import CNY, SLUGS, USD, refusal_of, slugs, tea, variant_named
from tests.clients import Clients
from tests.factories.catalog import NOW, create_product


async def test_customers_see_active_products_and_staff_see_all(catalogue: Shop, clients: Clients) -> None:
    document = "query ($slug: String) { product(slug: $slug) { id title status } }"
    guest, clerk = clients.guest(), await clients.staff(Role.CATALOGUE)
    hidden = (await clerk.get(document, slug="hidden"))["product"]
    node = "query ($id: ID!) { node(id: $id) { id } product(id: $id) { id } }"

    assert hidden["status"] == "DRAFT"
    assert await guest.get(document, slug="hidden") == {"product": None}
    assert await guest.get(document, slug="gone") == {"product": None}
    assert await guest.get(document, slug="missing") == {"product": None}
    assert await guest.get(node, id=hidden["id"]) == {"node": None, "product": None}
    assert (await clerk.get(node, id=hidden["id"]))["node"] == {"id": hidden["id"]}
    assert await slugs(clerk, filter={"status": ["DRAFT", "ARCHIVED"]}) == ["gone", "hidden"]
    code, _ = await refusal_of(guest, SLUGS, filter={"status": ["DRAFT"]})
    assert code == "FORBIDDEN"


async def test_the_number_of_units_is_shown_to_staff_and_when_few_are_left(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await save_products(session, [tea("a", "A", 100, stock=9), tea("b", "B", 100, stock=7)], cause=Cause(NOW))
    await save_products(session, [tea("c", "C", 100, stock=0)], cause=Cause(NOW))
    variant, main = await variant_named(session, "B"), await ensure_main_warehouse(session)
    await reserve_stock(session, [Allocation(variant.id, main.id, 3)], order_id=None, cause=Cause(NOW))
    await session.commit()
    document = """{ products(sort: PRICE_ASC, first: 3) { nodes { slug availability { inStock quantity level }
        variants { availability { quantity } stock { onHand reserved available warehouse { code } } } } } }"""

    seen = (await clients.guest().get(document))["products"]["nodes"]
    known = (await (await clients.staff(Role.WAREHOUSE)).get(document))["products"]["nodes"]

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


async def test_a_variant_without_a_limit_is_always_available(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await create_product(session, slug="free", tracked=False, stock={})
    await create_product(session, slug="later", sells_when_out=True, stock={"MAIN": 0})
    await session.commit()
    nodes = await clients.guest().get("{ products { nodes { availability { inStock quantity level } } } }")

    always = {"inStock": True, "quantity": None, "level": "PLENTY"}
    assert nodes["products"]["nodes"] == [{"availability": always}] * 2


async def test_prices_are_shown_in_the_requested_currency(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await create_product(session, slug="both", prices={CNY: 990, USD: 150})
    await create_product(session, slug="one", prices={CNY: 500})
    await session.commit()
    document = """query ($currency: CurrencyCode) { products(sort: PRICE_ASC) { nodes { slug
        priceRange(currency: $currency) { min { amount currencyCode } max { amount } }
        variants { price(currency: $currency) { amount } compareAtPrice { amount } } } } }"""
    abroad = await clients.guest(**{"X-Currency": "USD"}).get(document)
    asked = await clients.guest().get(document, currency="USD")

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


async def test_texts_are_shown_in_the_language_of_the_viewer(catalogue: Shop, clients: Clients) -> None:
    document = """{ product(slug: "oolong") { title translations { language title }
        attributes { text value { code name } boolean attribute { name code } } } }"""
    english = (await clients.guest(**{"Accept-Language": "en-GB"}).get(document))["product"]
    chinese = (await clients.guest(**{"Accept-Language": "zh-CN"}).get(document))["product"]

    assert (english["title"], chinese["title"]) == ("Mountain oolong tea", "高山乌龙茶")
    assert {row["text"] for row in english["attributes"]} == {"Fujian", "yes"}
    assert {row["text"] for row in chinese["attributes"]} == {"福建", "是"}
    assert english["translations"] == [{"language": "en", "title": "Mountain oolong tea"}]


async def test_a_category_inherits_attributes(shop: Shop, session: AsyncSession, clients: Clients) -> None:
    a = await save_attribute(session, AttributeDraft(code="a", name="A", type=AttributeType.TEXT))
    b = await save_attribute(session, AttributeDraft(code="b", name="B", type=AttributeType.NUMBER, unit="g"))
    food = await save_category(
        session,
        CategoryDraft(name="Food", attributes=[CategoryAttributeDraft(a.id), CategoryAttributeDraft(b.id)]),
    )
    await save_category(
        session,
        CategoryDraft(
            name="Tea", parent_id=food.id, attributes=[CategoryAttributeDraft(b.id, required=True)]
        ),
    )
    await session.commit()
    document = '{ category(slug: "tea") { attributes { attribute { code type unit } required inherited } } }'
    data = await clients.guest().get(document)

    assert data["category"]["attributes"] == [
        {"attribute": {"code": "a", "type": "TEXT", "unit": None}, "required": False, "inherited": True},
        {"attribute": {"code": "b", "type": "NUMBER", "unit": "g"}, "required": True, "inherited": False},
    ]


async def test_categories_are_listed_from_the_roots_or_all(catalogue: Shop, clients: Clients) -> None:
    data = await clients.guest().get(
        "{ roots: categories { name children { name } } all: categories(roots: false) { name } }"
    )

    assert data["roots"] == [
        {"name": "Food", "children": [{"name": "Tea"}]},
        {"name": "Clothing", "children": []},
    ]
    assert [row["name"] for row in data["all"]] == ["Food", "Clothing", "Tea"]
