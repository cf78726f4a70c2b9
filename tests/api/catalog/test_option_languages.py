"""Options and pictures of products are written in several languages, and read in the reader's."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from tests.api.order.documents import ADDRESS, PLACE
from tests.clients import Client, Clients
from tests.given import cny, refusals

CREATE = """
mutation ($input: ProductCreateInput!) {
  productCreate(input: $input) { product { id version variants { id } } userErrors { code field } }
}
"""
PUBLISH = """
mutation ($input: ProductPublishInput!) { productPublish(input: $input) { userErrors { code field } } }
"""
SHOWN = """
query ($id: ID!, $language: String) {
  product(id: $id, language: $language) {
    media { alt translations { language alt } }
    variants { name options { name value translations { language name value } } }
  }
}
"""
SEARCH = "query ($query: String!) { products(query: $query) { nodes { id } } }"
LINES = "query ($id: ID!) { order(id: $id) { lines { options { name value } } } }"

NAMES = {"颜色": "Color", "尺码": "Size", "内胆": "Liner", "帽型": "Hood", "长度": ""}
RED = {"颜色": ("红色", "Red"), "尺码": ("M", ""), "内胆": ("抓绒", "Fleece"), "帽型": ("连帽", "Attached")}


def option(name: str, value: str, english: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "translations": [{"language": "en", "name": NAMES[name], "value": english}],
    }


JACKET: dict[str, Any] = {
    "title": "冲锋衣",
    "slug": "jacket",
    "pictures": [
        {"url": "https://a.test/1.jpg", "alt": "正面", "translations": [{"language": "en", "alt": "Front"}]}
    ],
    "variants": [
        {
            "options": [option(name, *values) for name, values in (RED | {"长度": ("短", "")}).items()],
            "prices": [{"price": cny("99.00")}],
            "tracked": False,
        }
    ],
}


@pytest.fixture
async def jacket(clients: Clients, clerk: Client) -> dict[str, Any]:
    created = await clerk.do(CREATE, **JACKET)
    assert created["userErrors"] == []
    product: dict[str, Any] = created["product"]
    assert (await clerk.do(PUBLISH, id=product["id"]))["userErrors"] == []
    return product


async def test_five_options_and_a_picture_are_read_in_the_language_of_the_reader(
    clients: Clients, jacket: dict[str, Any]
) -> None:
    english = (await clients.guest().get(SHOWN, id=jacket["id"], language="en"))["product"]
    chinese = (await clients.guest().get(SHOWN, id=jacket["id"], language="zh-CN"))["product"]

    assert english["media"] == [{"alt": "Front", "translations": [{"language": "en", "alt": "Front"}]}]
    assert english["variants"][0]["name"] == "Red / M / Fleece / Attached / 短"
    assert [(each["name"], each["value"]) for each in english["variants"][0]["options"]] == [
        ("Color", "Red"),
        ("Size", "M"),
        ("Liner", "Fleece"),
        ("Hood", "Attached"),
        ("长度", "短"),
    ]
    assert chinese["media"][0]["alt"] == "正面"
    assert chinese["variants"][0]["options"][0] == {
        "name": "颜色",
        "value": "红色",
        "translations": [{"language": "en", "name": "Color", "value": "Red"}],
    }


async def test_what_was_bought_is_read_in_the_language_of_the_reader_as_it_was_then(
    clients: Clients, shop: Shop, clerk: Client, jacket: dict[str, Any], session: AsyncSession
) -> None:
    customer = await clients.customer()
    variant = jacket["variants"][0]["id"]
    placed = await customer.do(
        PLACE,
        lines=[{"variantId": variant, "quantity": 1}],
        deliveries=[{"address": {"postal": ADDRESS}}],
        payments=[{"method": "SANDBOX", "amount": cny("99.00")}],
        idempotencyKey="k",
    )
    order = placed["order"]["id"]
    save = "mutation ($input: VariantSaveInput!) { variantSave(input: $input) { userErrors { code field } } }"
    changed = {"options": [option("颜色", "蓝色", "Blue")], "prices": [{"price": cny("99.00")}]}
    read = "query ($id: ID!) { product(id: $id) { version } }"
    version = (await clerk.get(read, id=jacket["id"]))["product"]["version"]
    terms = {"productId": jacket["id"], "id": variant, "variant": changed, "version": version}
    assert refusals(await clerk.do(save, **terms)) == []

    customer.headers["Accept-Language"] = "en"
    english = (await customer.get(LINES, id=order))["order"]["lines"][0]["options"]
    customer.headers["Accept-Language"] = "zh-CN"
    chinese = (await customer.get(LINES, id=order))["order"]["lines"][0]["options"]

    assert english[:2] == [{"name": "Color", "value": "Red"}, {"name": "Size", "value": "M"}]
    assert chinese[0] == {"name": "颜色", "value": "红色"}
    assert len(english) == 5


async def test_a_product_is_found_by_a_translated_option(clients: Clients, jacket: dict[str, Any]) -> None:
    for query in ("红色", "fleece"):
        assert (await clients.guest().get(SEARCH, query=query))["products"]["nodes"] == [{"id": jacket["id"]}]


async def test_a_sixth_option_and_wrong_languages_are_refused(clerk: Client) -> None:
    six = [{"name": str(place), "value": "x"} for place in range(6)]
    odd = {"name": "Size", "value": "M", "translations": [{"language": "no tag", "name": "x"}]}
    twice = {"name": "Size", "value": "M", "translations": [{"language": "en"}, {"language": "en"}]}

    async def submit(**change: Any) -> list[tuple[str, str]]:
        return refusals(await clerk.do(CREATE, **(JACKET | change)))

    assert await submit(variants=[{"options": six}]) == [("LIMIT_REACHED", "variants.0.options")]
    assert await submit(variants=[{"options": [odd]}]) == [("INVALID", "variants.0.options")]
    assert await submit(variants=[{"options": [twice]}]) == [
        ("INVALID", "variants.0.options.0.translations.1.language")
    ]
    picture = {"url": "https://a.test/1.jpg", "translations": [{"language": "no tag", "alt": "x"}]}
    assert await submit(pictures=[picture]) == [("INVALID", "pictures.0.translations")]
