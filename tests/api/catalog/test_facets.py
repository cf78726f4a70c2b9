"""Filters and facets of product lists."""

from typing import Any

from events.shop import Shop
from tests.api.catalog.sample import slugs
from tests.clients import Clients

FACETS = """
query ($query: String! = "", $filter: ProductFilter) {
  products(query: $query, filter: $filter) {
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


async def test_products_are_filtered(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()
    for filter_, expected in FILTERED:
        assert set(await slugs(guest, filter=filter_)) == expected, filter_


async def test_a_category_is_named_by_id_or_slug(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()
    data = await guest.get(
        '{ category(slug: "tea") { id name ancestors { name } parent { children { name } } } }'
    )
    by_id = await guest.get("query ($id: ID!) { category(id: $id) { slug } }", id=data["category"]["id"])

    assert data["category"]["ancestors"] == [{"name": "Food"}]
    assert data["category"]["parent"] == {"children": [{"name": "Tea"}]}
    assert by_id == {"category": {"slug": "tea"}}
    assert set(await slugs(guest, filter={"category": data["category"]["id"]})) == {"oolong", "green", "puer"}


async def test_facets_count_as_if_their_own_choice_were_not_made(catalogue: Shop, clients: Clients) -> None:
    filter_ = {"category": "tea", "attributes": [{"code": "origin", "values": ["fujian"]}]}
    data = await clients.guest(**{"Accept-Language": "en"}).get(FACETS, filter=filter_)

    assert data["products"]["totalCount"] == 1
    assert data["products"]["facets"] == {
        "categories": [],
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


async def test_facets_count_the_matches_of_a_query(catalogue: Shop, clients: Clients) -> None:
    data = await clients.guest(**{"Accept-Language": "zh-CN"}).get(FACETS, query="茶")

    facets = data["products"]["facets"]
    assert facets["brands"] == [{"brand": "Hill Farm", "count": 2}, {"brand": "Old Tree", "count": 1}]
    assert facets["price"] == {"min": {"amount": "30.00"}, "max": {"amount": "80.00"}}
    assert facets["attributes"][0] == {"attribute": {"code": "origin"}, "values": [
        value("fujian", "福建"), value("zhejiang", "浙江"), value("yunnan", "云南")
    ]}  # fmt: skip
    assert facets["attributes"][1]["values"] == [value("true", "是", count=2)]


def value(code: str, label: str, *, count: int = 1, selected: bool = False) -> dict[str, Any]:
    return {"value": code, "label": label, "count": count, "selected": selected}
