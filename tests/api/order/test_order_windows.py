"""An order keeps where its deliveries go on the map and when they are wished."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Order
from tests.api.order.documents import ADDRESS, create_variant
from tests.clients import Clients
from tests.conftest import STARTED_AT
from tests.given import cny, id_of, refusals

PLACE = """
mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) {
    order { deliveries {
      window { begins ends }
      address { latitude longitude coordinateSource preferredFrom preferredUntil }
    } }
    userErrors { code field }
  }
}
"""
SAVE = """
mutation ($input: AddressSaveInput!) {
  addressSave(input: $input) {
    address { id line2 latitude longitude coordinateSource preferredFrom preferredUntil }
    userErrors { code field }
  }
}
"""
HOUR = timedelta(hours=1)


def window_of(begins: timedelta, ends: timedelta) -> dict[str, str]:
    return {"begins": (STARTED_AT + begins).isoformat(), "ends": (STARTED_AT + ends).isoformat()}


async def place(shop: Shop, clients: Clients, delivery: dict[str, Any]) -> dict[str, Any]:
    customer, tea = await clients.customer(), await create_variant(shop, title="Tea")
    quote = await customer.get(
        "query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) { total { amount } } }",
        input={
            "lines": [{"variantId": id_of(tea), "quantity": 1}],
            "deliveries": [{"address": {"postal": ADDRESS}}],
        },
    )
    total = quote["checkoutQuote"]["total"]["amount"]
    payload: dict[str, Any] = await customer.do(
        PLACE,
        lines=[{"variantId": id_of(tea), "quantity": 1}],
        deliveries=[delivery],
        payments=[{"method": "SANDBOX", "amount": cny(total)}],
        idempotencyKey="first",
    )
    return payload


async def test_an_order_keeps_the_pin_and_the_window(shop: Shop, clients: Clients) -> None:
    postal = ADDRESS | {
        "latitude": 30.2777,
        "longitude": 120.1222,
        "preferredFrom": "18:00",
        "preferredUntil": "21:00",
    }
    window = window_of(2 * HOUR, 4 * HOUR)

    placed = await place(shop, clients, {"address": {"postal": postal}, "window": window})

    assert placed["userErrors"] == []
    assert placed["order"]["deliveries"] == [
        {
            "window": window,
            "address": {
                "latitude": 30.2777,
                "longitude": 120.1222,
                "coordinateSource": "CLIENT",
                "preferredFrom": "18:00",
                "preferredUntil": "21:00",
            },
        }
    ]


@pytest.mark.parametrize(
    ("window", "code"),
    [
        (window_of(4 * HOUR, 2 * HOUR), "WINDOW_REVERSED"),
        (window_of(-4 * HOUR, -2 * HOUR), "WINDOW_PAST"),
        (window_of(HOUR, HOUR + timedelta(minutes=30)), "WINDOW_TOO_SHORT"),
        (window_of(timedelta(days=40), timedelta(days=41)), "WINDOW_TOO_FAR"),
    ],
)
async def test_an_order_with_a_window_in_which_nothing_can_come_is_not_placed(
    shop: Shop, clients: Clients, session: AsyncSession, window: dict[str, str], code: str
) -> None:
    payload = await place(shop, clients, {"address": {"postal": ADDRESS}, "window": window})

    assert payload["order"] is None
    assert (code, "deliveries.0.window") in refusals(payload)
    assert await session.scalar(select(func.count()).select_from(Order)) == 0


async def test_an_address_saved_again_by_an_app_that_knows_no_pins_keeps_its_pin(clients: Clients) -> None:
    customer = await clients.customer()
    pinned = ADDRESS | {"latitude": 30.2777, "longitude": 120.1222}
    first = (await customer.do(SAVE, address=pinned))["address"]

    same_place = await customer.do(SAVE, id=first["id"], address=ADDRESS | {"line2": "3 楼"})
    moved = await customer.do(SAVE, id=first["id"], address=ADDRESS | {"line1": "天目山路 1 号"})

    assert first["coordinateSource"] == "CLIENT"
    kept = {name: same_place["address"][name] for name in ("latitude", "coordinateSource", "line2")}
    assert kept == {"latitude": 30.2777, "coordinateSource": "CLIENT", "line2": "3 楼"}
    assert (moved["address"]["latitude"], moved["address"]["coordinateSource"]) == (30.259, "DISTRICT")


async def test_a_pin_in_another_city_is_refused_by_name(clients: Clients) -> None:
    customer = await clients.customer()

    payload = await customer.do(SAVE, address=ADDRESS | {"latitude": 39.9, "longitude": 116.4})

    assert refusals(payload) == [("FAR_FROM_ADDRESS", "address.latitude")]
    assert payload["address"] is None
