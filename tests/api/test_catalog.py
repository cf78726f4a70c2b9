"""The shelves as customers walk along them."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.attributes import ValueDraft, save_attribute
from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.saving import import_products
from domain.catalog.tree import AttributeOfCategory, save_category
from domain.stock import Allocation, main_warehouse, reserve
from events.sales import count_sales
from events.shop import Shop
from models import AttributeType, CurrencyCode, Money, ProductStatus, Role, Variant
from resolvers.ids import global_id
from tests.factories.catalog import NOW, create_product
from tests.factories.order import create_order
from tests.front import Client, Front
from tests.observe import statements

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD

PAGE = """
query ($first: Int!, $currency: CurrencyCode) {
  products(first: $first) {
    nodes {
      id slug title
      category { name }
      media { url alt }
      availability { inStock }
      variants {
        name
        price(currency: $currency) { amount }
        availability { quantity }
        stock { onHand warehouse { code } }
      }
    }
  }
}
"""

SLUGS = """
query (
  $search: String! = "", $filter: ProductFilter, $sort: ProductSort! = RELEVANCE
  $first: Int! = 20, $after: String
) {
  products(search: $search, filter: $filter, sort: $sort, first: $first, after: $after) {
    nodes { slug }
    pageInfo { hasNextPage endCursor }
  }
}
"""

FACETS = """
query ($search: String! = "", $filter: ProductFilter) {
  products(search: $search, filter: $filter) {
    totalCount
    facets {
      categories { category { name } count }
      brands { brand count }
      price { min { amount } max { amount } }
      attributes { attribute { code } values { value label count selected } }
    }
  }
}
"""


def tea(slug: str, title: str, price: int, **given: Any) -> ProductDraft:
    """A product of one variant; price in fen, stock in pieces."""
    stock = given.pop("stock", 10)
    given.setdefault("category_path", ("Food", "Tea"))
    given.setdefault("brand", "Hill Farm")
    variant = VariantDraft(
        sku=slug.upper(),
        prices={CNY: PriceDraft(Money(price, CNY))} if price else {},
        stock={"": stock},
        weight_grams=100,
    )
    return ProductDraft(slug=slug, title=title, variants=(variant,), **given)


SHELF = [
    tea("oolong", "高山乌龙茶", 5_000, attributes={"origin": ("fujian",), "organic": ("true",)},
        translations={"en": {"title": "Mountain oolong tea"}}),
    tea("green", "龙井绿茶", 8_000, attributes={"origin": ("zhejiang",)}, stock=0),
    tea("puer", "普洱茶", 3_000, attributes={"origin": ("yunnan",), "organic": ("true",)}, brand="Old Tree"),
    tea("jacket", "Rain jacket", 20_000, category_path=("Clothing",), brand="Loom",
        description="<p>For running in the rain</p>"),
    tea("jacket-blue", "Blue jackets", 15_000, category_path=("Clothing",), brand="Loom",
        attributes={"organic": ("false",)}),
    tea("hidden", "秘密茶", 1_000, status=ProductStatus.DRAFT),
    tea("gone", "过季茶", 1_000, status=ProductStatus.ARCHIVED),
]  # fmt: skip


@pytest.fixture
async def shelf(shop: Shop) -> Shop:
    async with shop.database.writes.begin() as session:
        values = [
            ValueDraft("fujian", "福建", {"en": {"name": "Fujian"}}),
            ValueDraft("zhejiang", "浙江", {"en": {"name": "Zhejiang"}}),
            ValueDraft("yunnan", "云南", {"en": {"name": "Yunnan"}}),
        ]
        await save_attribute(
            session, code="origin", name="产地", type=AttributeType.ENUM, filterable=True, values=values
        )
        await save_attribute(
            session, code="organic", name="有机", type=AttributeType.BOOLEAN, filterable=True
        )
        for days, draft in enumerate(SHELF):
            await import_products(session, [draft], now=NOW + timedelta(days=days))
    return shop


async def variant_named(session: AsyncSession, sku: str) -> Variant:
    return (await session.scalars(select(Variant).where(Variant.sku == sku))).one()


async def slugs(client: Client, **variables: Any) -> list[str]:
    data = await client.get(SLUGS, **variables)
    return [node["slug"] for node in data["products"]["nodes"]]


async def refused(client: Client, document: str, **variables: Any) -> tuple[str, str]:
    reply = await client.ask(document, **variables)
    (error,) = reply["errors"]
    return error["extensions"]["code"], error["message"]


FOUND: dict[str, set[str]] = {
    "茶": {"oolong", "green", "puer"},
    "乌龙": {"oolong"},
    "龙": {"oolong", "green"},
    "oolong": {"oolong"},
    "jacket": {"jacket", "jacket-blue"},
    "JACKETS": {"jacket", "jacket-blue"},
    "jack": {"jacket", "jacket-blue"},
    "blue jacket": {"jacket-blue"},
    "run": {"jacket"},
    "fujian": {"oolong"},
    "福建": {"oolong"},
    "loom": {"jacket", "jacket-blue"},
    "PUER": {"puer"},
    "茶 jacket": {"oolong", "green", "puer", "jacket", "jacket-blue"},
    "秘密": set(),
}
"""What somebody types -> the products they see."""


async def test_products_are_found_in_both_languages(shelf: Shop, front: Front) -> None:
    guest = front.guest()

    assert {asked: set(await slugs(guest, search=asked)) for asked in FOUND} == FOUND


async def test_what_fits_best_comes_first(shelf: Shop, front: Front) -> None:
    async with shelf.database.writes.begin() as session:
        aside = tea(
            "pot", "A pot", 100, description="<p>" + "For many things, and also for tea. " * 5 + "</p>"
        )
        best = tea("tea", "Tea", 100)
        await import_products(session, [aside, best], now=NOW)

    assert (await slugs(front.guest(), search="tea"))[0] == "tea"


async def test_every_order_goes_on_where_a_page_ends(shelf: Shop, front: Front) -> None:
    async with shelf.database.writes.begin() as session:
        puer = await variant_named(session, "PUER")
        await create_order(session, lines=[(puer, 3)], now=shelf.clock())
    await count_sales(shelf)
    guest = front.guest()
    expected = {
        "RELEVANCE": ["jacket-blue", "jacket", "puer", "green", "oolong"],
        "NEWEST": ["jacket-blue", "jacket", "puer", "green", "oolong"],
        "PRICE_ASC": ["puer", "oolong", "green", "jacket-blue", "jacket"],
        "PRICE_DESC": ["jacket", "jacket-blue", "green", "oolong", "puer"],
        "BEST_SELLING": ["puer", "jacket-blue", "jacket", "green", "oolong"],
    }

    assert {sort: await paged(guest, sort=sort) for sort in expected} == expected
    assert sorted(await paged(guest, search="茶")) == ["green", "oolong", "puer"]


async def paged(client: Client, **variables: Any) -> list[str]:
    """All slugs, two by two."""
    found: list[str] = []
    after = None
    while True:
        data = await client.get(SLUGS, first=2, after=after, **variables)
        found += [node["slug"] for node in data["products"]["nodes"]]
        if not data["products"]["pageInfo"]["hasNextPage"]:
            return found
        after = data["products"]["pageInfo"]["endCursor"]


FILTERED: list[tuple[dict[str, Any], set[str]]] = [
    ({"category": "food"}, {"oolong", "green", "puer"}),
    ({"category": "clothing"}, {"jacket", "jacket-blue"}),
    ({"brands": ["Loom", "Old Tree"]}, {"jacket", "jacket-blue", "puer"}),
    (
        {"price": {"min": {"amount": "50", "currencyCode": "CNY"}}},
        {"oolong", "green", "jacket", "jacket-blue"},
    ),
    (
        {
            "price": {
                "min": {"amount": "50", "currencyCode": "CNY"},
                "max": {"amount": "80", "currencyCode": "CNY"},
            }
        },
        {"oolong", "green"},
    ),
    ({"inStock": True}, {"oolong", "puer", "jacket", "jacket-blue"}),
    ({"attributes": [{"code": "origin", "values": ["fujian", "yunnan"]}]}, {"oolong", "puer"}),
    ({"attributes": [{"code": "organic", "values": ["false"]}]}, {"jacket-blue"}),
    (
        {
            "attributes": [
                {"code": "organic", "values": ["true"]},
                {"code": "origin", "values": ["yunnan", "zhejiang"]},
            ]
        },
        {"puer"},
    ),
    ({"category": "tea", "brands": ["Hill Farm"], "inStock": True}, {"oolong"}),
    ({"status": ["ACTIVE"], "brands": []}, {"oolong", "green", "puer", "jacket", "jacket-blue"}),
]


async def test_products_are_chosen_by_what_they_are(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    for filter_, expected in FILTERED:
        assert set(await slugs(guest, filter=filter_)) == expected, filter_


async def test_a_category_is_named_by_id_or_slug(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    data = await guest.get(
        '{ category(slug: "tea") { id name ancestors { name } parent { children { name } } } }'
    )
    by_id = await guest.get("query ($id: ID!) { category(id: $id) { slug } }", id=data["category"]["id"])

    assert data["category"]["ancestors"] == [{"name": "Food"}]
    assert data["category"]["parent"] == {"children": [{"name": "Tea"}]}
    assert by_id == {"category": {"slug": "tea"}}
    assert set(await slugs(guest, filter={"category": data["category"]["id"]})) == {"oolong", "green", "puer"}


async def test_facets_count_as_if_their_own_choice_were_not_made(shelf: Shop, front: Front) -> None:
    filter_ = {"category": "tea", "attributes": [{"code": "origin", "values": ["fujian"]}]}
    data = await front.guest(**{"Accept-Language": "en"}).get(FACETS, filter=filter_)

    assert data["products"]["totalCount"] == 1
    assert data["products"]["facets"] == {
        "categories": [{"category": {"name": "Food"}, "count": 1}, {"category": {"name": "Tea"}, "count": 1}],
        "brands": [{"brand": "Hill Farm", "count": 1}],
        "price": {"min": {"amount": "50.00"}, "max": {"amount": "50.00"}},
        "attributes": [
            {
                "attribute": {"code": "origin"},
                "values": [
                    value("fujian", "Fujian", selected=True),
                    value("zhejiang", "Zhejiang"),
                    value("yunnan", "Yunnan"),
                ],
            },
            {"attribute": {"code": "organic"}, "values": [value("true", "yes")]},
        ],
    }


async def test_facets_tell_what_a_search_found(shelf: Shop, front: Front) -> None:
    data = await front.guest(**{"Accept-Language": "zh-CN"}).get(FACETS, search="茶")

    facets = data["products"]["facets"]
    assert facets["brands"] == [{"brand": "Hill Farm", "count": 2}, {"brand": "Old Tree", "count": 1}]
    assert facets["price"] == {"min": {"amount": "30.00"}, "max": {"amount": "80.00"}}
    assert facets["attributes"][0] == {"attribute": {"code": "origin"}, "values": [
        value("fujian", "福建"), value("zhejiang", "浙江"), value("yunnan", "云南")
    ]}  # fmt: skip
    assert facets["attributes"][1]["values"] == [value("true", "是", count=2)]


def value(code: str, label: str, *, count: int = 1, selected: bool = False) -> dict[str, Any]:
    return {"value": code, "label": label, "count": count, "selected": selected}


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


async def test_suggestions_name_categories_and_products(shelf: Shop, front: Front) -> None:
    document = """query ($text: String!) { searchSuggestions(text: $text) {
        text product { slug } category { slug } } }"""
    cloth = await front.guest().get(document, text="cloth")
    nothing = await front.guest().get(document, text="?")

    assert cloth["searchSuggestions"][0] == {
        "text": "Clothing",
        "product": None,
        "category": {"slug": "clothing"},
    }
    assert {row["product"]["slug"] for row in cloth["searchSuggestions"][1:]} == {"jacket", "jacket-blue"}
    assert nothing == {"searchSuggestions": []}


async def test_what_cannot_be_asked_is_refused_by_name(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    dollars = {"price": {"min": {"amount": "1", "currencyCode": "USD"}}}

    assert await refused(guest, SLUGS, first=0) == ("INVALID", "A page has 1 to 100 entries.")
    assert await refused(guest, SLUGS, first=101) == ("INVALID", "A page has 1 to 100 entries.")
    for cursor in (
        "x",
        cursor_of("NEWEST", "?", 1),
        cursor_of("PRICE_ASC", 1, 1),
        cursor_of("NEWEST", 2**70, 1),
    ):
        assert (await refused(guest, SLUGS, after=cursor))[0] == "INVALID"
    for amount in ("NaN", "1e400", "1e999999999", "0.001"):
        endless = {"price": {"max": {"amount": amount, "currencyCode": "CNY"}}}
        assert (await refused(guest, SLUGS, filter=endless))[0] == "INVALID"
    assert await refused(guest, SLUGS, filter=dollars) == ("INVALID", "Prices are shown in CNY.")
    assert await refused(guest, SLUGS, filter={"brands": ["x"] * 51}) == (
        "LIMIT_REACHED",
        "At most 50 at once.",
    )
    assert await refused(guest, "{ product { id } }") == (
        "INVALID",
        "Name a product by its id or by its slug.",
    )
    assert await refused(guest, '{ category(id: "x", slug: "y") { id } }') == (
        "INVALID",
        "Name a category by its id or by its slug.",
    )


def cursor_of(*values: object) -> str:
    """What somebody may make up."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


async def test_ids_of_other_things_are_ids_of_nothing(shelf: Shop, front: Front) -> None:
    document = "query ($id: ID!) { product(id: $id) { id } category(id: $id) { id } node(id: $id) { id } }"
    for wrong in (global_id("Order", 1), global_id("Product", 999), global_id("Warehouse", 1), "x", ""):
        assert await front.guest().get(document, id=wrong) == {
            "product": None,
            "category": None,
            "node": None,
        }


async def test_a_page_of_products_takes_six_statements(shop: Shop, front: Front) -> None:
    clerk = await front.staff(Role.CATALOGUE)
    async with shop.database.writes.begin() as session:
        await import_products(session, [rich(number) for number in range(40)], now=NOW)

    counts = []
    for client, first in ((front.guest(), 20), (front.guest(), 40), (clerk, 5), (clerk, 20), (clerk, 40)):
        with statements(shop) as counted:
            data = await client.get(PAGE, first=first)
        assert len(data["products"]["nodes"]) == first
        counts.append(counted.total)

    assert counts == [6, 6, 6, 6, 6]


def rich(number: int) -> ProductDraft:
    """A product with everything a page shows."""
    variants = tuple(
        VariantDraft(
            options=(("Size", size),),
            sku=f"{number}-{size}",
            prices={CNY: PriceDraft(Money(100 * number + 1, CNY)), USD: PriceDraft(Money(number, USD))},
            stock={"": 7, "SOUTH": number},
        )
        for size in ("S", "M", "L")
    )
    pictures = tuple(
        PictureDraft(f"https://pictures.test/{number}-{place}.jpg", "", place) for place in (1, 2, 3)
    )
    return ProductDraft(
        slug=f"p-{number}",
        title=f"Product {number}",
        category_path=("All", f"Kind {number % 7}"),
        pictures=pictures,
        variants=variants,
    )
