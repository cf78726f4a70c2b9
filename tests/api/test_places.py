"""Places over the API: found as they are typed, and stored as their countries write them."""

from typing import Any

import pytest

from tests.clients import Clients

SAVE = """
mutation ($input: AddressSaveInput!) {
  addressSave(input: $input) { address { province city district } userErrors { code field message } }
}
"""
BASE = {"recipient": "Ann Lee", "line1": "1 Main Street"}
COMPOSTELA = {"countryCode": "ES", "phone": "+34912345678", "postalCode": "15001"}
CAMPINAS = {"countryCode": "BR", "phone": "+551123456789", "postalCode": "01310-100"}
TAIPEI = {"countryCode": "TW", "phone": "+886221234567", "postalCode": "106"}
CHINA = {"countryCode": "CN", "phone": "13800138000"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (COMPOSTELA | {"province": "A CORUNA", "city": "A Coruna"}, ("C", "A Coruña", "")),
        (CAMPINAS | {"province": "Sao Paulo", "city": "SAO PAULO"}, ("SP", "São Paulo", "")),
        (TAIPEI | {"province": "臺北市", "city": "大安区"}, ("台北市", "大安區", "")),
        (CHINA | {"province": "广东", "city": "东莞"}, ("广东省", "东莞市", "")),
        (CHINA | {"province": "浙江", "city": "杭州", "district": "西湖"}, ("浙江省", "杭州市", "西湖区")),
    ],
)
async def test_a_place_is_stored_in_its_official_spelling(
    clients: Clients, typed: dict[str, Any], stored: tuple[str, str, str]
) -> None:
    customer = await clients.customer()

    payload = await customer.do(SAVE, address=BASE | typed)

    assert payload["userErrors"] == []
    assert tuple(payload["address"].values()) == stored


async def test_chinas_tree_is_complete_and_names_what_there_is(clients: Clients) -> None:
    customer = await clients.customer()
    wrong = BASE | CHINA | {"province": "广东", "city": "东莞县", "district": ""}

    payload = await customer.do(SAVE, address=wrong)

    assert payload["address"] is None
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["address", "city"])
    assert error["message"].startswith("广东省")
