"""Shipping zones and options over the API."""

from typing import Any

from models import Role
from resolvers.ids import global_id
from tests.clients import Clients
from tests.factories.order import a_variant

ZONES = """{ shippingZones { id name version regions { countryCode province }
  rates { method currencyCode firstGrams first { amount } furtherGrams further { amount }
          freeFrom { amount } limitGrams } } }"""
SAVE = """mutation($input: ShippingZoneSaveInput!) { shippingZoneSave(input: $input) {
  shippingZone { id version regions { countryCode province } rates { method first { amount } } }
  userErrors { code field message } } }"""
REMOVE = """mutation($input: ShippingZoneRemoveInput!) { shippingZoneRemove(input: $input) {
  shippingZones { name } userErrors { code } } }"""
QUOTE = """query($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) {
  shipping { amount } deliveries { method fee { amount } options { method fee { amount } } }
  problems { code field message } } }"""

HOME = {
    "recipient": "林梅",
    "phone": "13800138000",
    "province": "浙江",
    "city": "杭州",
    "district": "西湖",
    "line1": "文三路 100 号",
}
PARIS = {
    "recipient": "Ann",
    "phone": "01 42 68 53 00",
    "countryCode": "FR",
    "city": "Paris",
    "postalCode": "75001",
    "line1": "1 rue de Rivoli",
}


async def order_lines(clients: Clients) -> list[dict[str, Any]]:
    async with clients.shop.database.writes.begin() as session:
        variant = await a_variant(session, weight_grams=1_500)
    return [{"variantId": global_id("Variant", variant.id), "quantity": 1}]


async def test_a_quote_shows_the_fee_of_each_shipping_method(clients: Clients) -> None:
    customer = await clients.customer()
    quote = await customer.get(
        QUOTE, input={"lines": await order_lines(clients), "deliveries": [{"address": {"postal": HOME}}]}
    )

    assert quote["checkoutQuote"] == {
        "shipping": {"amount": "0.00"},
        "deliveries": [
            {
                "method": "STANDARD",
                "fee": {"amount": "0.00"},
                "options": [
                    {"method": "STANDARD", "fee": {"amount": "0.00"}},
                    {"method": "EXPRESS", "fee": {"amount": "14.00"}},
                ],
            }
        ],
        "problems": [],
    }


async def test_a_changed_shipping_zone_decides_the_next_quote(clients: Clients) -> None:
    clerk, customer = await clients.staff(Role.WAREHOUSE), await clients.customer()
    request = {"lines": await order_lines(clients), "deliveries": [{"address": {"postal": PARIS}}]}
    before = await customer.get(QUOTE, input=request)
    europe = {
        "name": "Europe",
        "regions": [{"countryCode": "fr"}, {"countryCode": "GB", "province": "England"}],
        "rates": [{"method": "EXPRESS", "first": "45.50", "further": "10"}],
    }

    saved = await clerk.do(SAVE, **europe)

    assert before["checkoutQuote"]["shipping"] == {"amount": "90.00"}
    assert saved["shippingZone"] | {"id": ""} == {
        "id": "",
        "version": 1,
        "regions": [
            {"countryCode": "FR", "province": None},
            {"countryCode": "GB", "province": "England"},
        ],
        "rates": [{"method": "EXPRESS", "first": {"amount": "45.50"}}],
    }
    refused = (await customer.get(QUOTE, input=request))["checkoutQuote"]["problems"]
    assert refused == [
        {
            "code": "NOT_DELIVERABLE",
            "field": ["deliveries", "0", "method"],
            "message": "STANDARD is not offered for this to FR, but EXPRESS.",
        }
    ]
    request["deliveries"] = [{"address": {"postal": PARIS}, "method": "EXPRESS"}]
    after = await customer.get(QUOTE, input=request)
    assert after["checkoutQuote"]["shipping"] == {"amount": "55.50"}


async def test_a_zone_is_read_and_saved(clients: Clients) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    zones = (await clerk.get(ZONES))["shippingZones"]
    near = zones[0]

    assert [zone["name"] for zone in zones] == ["Near", "China", "Remote", "Abroad"]
    assert near["regions"][2] == {"countryCode": "CN", "province": "浙江省"}
    assert zones[3]["regions"] == [{"countryCode": None, "province": None}]
    assert {
        "method": "STANDARD",
        "currencyCode": "CNY",
        "firstGrams": 1000,
        "first": {"amount": "6.00"},
        "furtherGrams": 1000,
        "further": {"amount": "1.00"},
        "freeFrom": {"amount": "99.00"},
        "limitGrams": None,
    } in near["rates"]
    fields = {"id": near["id"], "name": "Near", "regions": near["regions"], "rates": []}
    again = await clerk.do(SAVE, **fields, version=1)
    late = await clerk.do(SAVE, **fields, version=1)
    assert (again["shippingZone"]["version"], late["userErrors"][0]["code"]) == (2, "CONFLICT")
    left = await clerk.do(REMOVE, id=near["id"], version=2)
    assert [zone["name"] for zone in left["shippingZones"]] == ["China", "Remote", "Abroad"]
