"""Quoting and placing orders through the API."""

import asyncio

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Event, Order, StockLevel
from tests.api.order.documents import ADDRESS, PLACE, create_variant
from tests.clients import Clients
from tests.factories.account import create_address
from tests.factories.cart import create_cart, create_coupon
from tests.given import cny, id_of

QUOTE = """
query ($input: CheckoutQuoteInput!) {
  checkoutQuote(input: $input) {
    lines { quantity unitPrice { amount } discount { amount } total { amount } variant { id } }
    deliveries { method fee { amount } }
    subtotal { amount } discount { amount } shipping { amount } total { amount currencyCode }
    problems { code message field }
  }
}
"""


async def test_an_order_goes_to_two_addresses_and_is_paid_in_two_ways(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    tea, cup = await create_variant(shop, title="Tea"), await create_variant(shop, title="Cup")
    assert customer.account
    book = await create_address(session, customer.account, city="宁波市")
    coupon = await create_coupon(session, amount=1_000)
    await create_cart(session, customer.account, lines={tea: 3, cup: 1})
    await session.commit()
    request = {
        "deliveries": [
            {"address": {"id": id_of(book)}, "lines": [{"variantId": id_of(tea), "quantity": 2}]},
            {
                "address": {"postal": ADDRESS},
                "method": "EXPRESS",
                "lines": [
                    {"variantId": id_of(tea), "quantity": 1},
                    {"variantId": id_of(cup), "quantity": 1},
                ],
            },
        ],
        "couponCodes": [coupon.code],
    }
    quote = (await customer.get(QUOTE, input=request))["checkoutQuote"]
    assert quote == {
        "lines": [
            {
                "quantity": 3,
                "unitPrice": {"amount": "99.00"},
                "discount": {"amount": "7.50"},
                "total": {"amount": "289.50"},
                "variant": {"id": id_of(tea)},
            },
            {
                "quantity": 1,
                "unitPrice": {"amount": "99.00"},
                "discount": {"amount": "2.50"},
                "total": {"amount": "96.50"},
                "variant": {"id": id_of(cup)},
            },
        ],
        "deliveries": [
            {"method": "STANDARD", "fee": {"amount": "0.00"}},
            {"method": "EXPRESS", "fee": {"amount": "12.00"}},
        ],
        "subtotal": {"amount": "396.00"},
        "discount": {"amount": "10.00"},
        "shipping": {"amount": "12.00"},
        "total": {"amount": "398.00", "currencyCode": "CNY"},
        "problems": [],
    }

    payments = [
        {"method": "SANDBOX", "amount": cny("300.00")},
        {"method": "CASH_ON_DELIVERY", "amount": cny("98.00")},
    ]
    placed = await customer.do(PLACE, **request, payments=payments, idempotencyKey="k1", note="Ring twice.")

    assert placed["userErrors"] == []
    order = placed["order"]
    assert (order["status"], order["paymentStatus"], order["displayStatus"]) == (
        "PENDING",
        "UNPAID",
        "AWAITING_PAYMENT",
    )
    assert (order["total"], order["version"], order["note"]) == (cny("398.00"), 1, "Ring twice.")
    assert [(each["address"]["city"], each["fee"]["amount"]) for each in order["deliveries"]] == [
        ("宁波市", "0.00"),
        ("杭州市", "12.00"),
    ]
    assert [[line["quantity"] for line in each["lines"]] for each in order["deliveries"]] == [[2], [1, 1]]
    assert [(each["method"], each["status"]) for each in order["payments"]] == [
        ("SANDBOX", "PENDING"),
        ("CASH_ON_DELIVERY", "PENDING"),
    ]
    again = await customer.do(PLACE, **request, payments=payments, idempotencyKey="k1", note="Ring twice.")
    assert again == placed


async def test_a_refusal_names_the_argument_and_leaves_nothing_behind(clients: Clients, shop: Shop) -> None:
    customer, tea = await clients.customer(), await create_variant(shop, stock={"MAIN": 1})
    request = {
        "lines": [{"variantId": id_of(tea), "quantity": 1}],
        "deliveries": [{"address": {"postal": ADDRESS}}],
    }

    short = await customer.do(
        PLACE, **request, payments=[{"method": "SANDBOX", "amount": cny("98.00")}], idempotencyKey="k"
    )
    fine = [{"method": "SANDBOX", "amount": cny("99.00")}]
    closed = await customer.do(
        PLACE, **request, payments=[{"method": "ALIPAY", "amount": cny("99.00")}], idempotencyKey="k"
    )
    odd = await customer.do(
        PLACE, **request, payments=[{"method": "SANDBOX", "amount": cny("99.001")}], idempotencyKey="k"
    )
    bare = {**ADDRESS, "city": " "}
    nowhere = await customer.do(
        PLACE,
        **(request | {"deliveries": [{"address": {"postal": bare}}]}),
        payments=fine,
        idempotencyKey="k",
    )

    assert short["userErrors"] == [
        {
            "code": "AMOUNT_MISMATCH",
            "message": "99.00 CNY is due, not 98.00 CNY: 1.00 CNY is missing.",
            "field": ["payments"],
        }
    ]
    assert closed["userErrors"][0]["field"] == ["payments", "0", "method"]
    assert odd["userErrors"][0]["field"] == ["payments", "0", "amount"]
    assert nowhere["userErrors"][0]["field"] == ["deliveries", "0", "address", "postal", "city"]
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Order)) == 0
        assert await session.scalar(select(func.count()).select_from(Event)) == 0
    placed = await customer.do(PLACE, **request, payments=fine, idempotencyKey="k")
    assert placed["userErrors"] == []


async def test_two_buyers_at_once_both_get_what_two_warehouses_have(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop, stock={"MAIN": 1, "WEST": 1})
    request = {
        "lines": [{"variantId": id_of(tea), "quantity": 1}],
        "deliveries": [{"address": {"postal": ADDRESS}}],
        "payments": [{"method": "SANDBOX", "amount": cny("99.00")}],
        "idempotencyKey": "k",
    }
    buyers = [await clients.customer() for _ in range(4)]

    done = await asyncio.gather(*(buyer.do(PLACE, **request) for buyer in buyers))

    refused = [error["code"] for each in done for error in each["userErrors"]]
    assert refused == ["OUT_OF_STOCK", "OUT_OF_STOCK"]
    async with shop.database.reads() as session:
        assert (await session.scalars(select(StockLevel.reserved))).all() == [1, 1]


async def test_a_guest_may_ask_for_a_quote_and_needs_a_contact_to_order(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop, stock={"MAIN": 1})
    lines = [{"variantId": id_of(tea), "quantity": 2}]

    quote = (await clients.guest().get(QUOTE, input={"lines": lines}))["checkoutQuote"]
    placed = await clients.guest().do(PLACE, lines=lines, deliveries=[], payments=[], idempotencyKey="k")

    assert (quote["total"], quote["deliveries"]) == (cny("198.00"), [])
    assert quote["problems"] == [
        {
            "code": "OUT_OF_STOCK",
            "message": "Only 1 of Oolong tea left.",
            "field": ["lines", "0", "quantity"],
        }
    ]
    assert [error["code"] for error in placed["userErrors"]] == ["INVALID"]


async def test_an_empty_cart_is_quoted_as_nothing_to_order(clients: Clients) -> None:
    quote = (await clients.guest().get(QUOTE, input={}))["checkoutQuote"]

    assert (quote["lines"], quote["total"]["amount"]) == ([], "0.00")
    assert [problem["code"] for problem in quote["problems"]] == ["EMPTY"]
