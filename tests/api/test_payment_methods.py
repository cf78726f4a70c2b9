"""Which payment methods are possible for a cart, an amount and a place to pay, and why others are not."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.store_credit import find_balances
from events.shop import Shop
from models import CurrencyCode, Money, Order, PaymentChannel, PaymentMethod, Role, Variant
from resolvers.ids import global_id
from tests.api.order.documents import ADDRESS, PLACE, create_variant
from tests.clients import Client, Clients
from tests.factories.account import create_account
from tests.factories.payment import ScriptedProvider, connect_provider
from tests.factories.store_credit import give_credit
from tests.given import cny, id_of
from tests.observe import count_statements

METHODS = """
query ($input: PaymentMethodsInput, $currency: CurrencyCode) {
  paymentMethods(input: $input, currency: $currency) {
    method possible limit { amount } refusal { code message field }
  }
}
"""


async def ask_methods(client: Client, currency: str | None = None, **given: Any) -> dict[str, Any]:
    """The options by their method."""
    options = (await client.get(METHODS, input=given, currency=currency))["paymentMethods"]
    return {each.pop("method"): each for each in options}


def why(option: dict[str, Any]) -> tuple[str, str]:
    assert option["possible"] is False
    return option["refusal"]["code"], option["refusal"]["message"]


def quote_of(*variants: Variant) -> dict[str, Any]:
    return {"lines": [{"variantId": id_of(variant), "quantity": 1} for variant in variants]}


@pytest.fixture
def alipay(shop: Shop) -> ScriptedProvider:
    """A provider that takes CNY by a code to scan, and nothing else."""
    provider = ScriptedProvider(
        method=PaymentMethod.ALIPAY,
        channels=frozenset({PaymentChannel.SCAN}),
        currencies=frozenset({CurrencyCode.CNY}),
    )
    connect_provider(shop, provider)
    return provider


async def test_without_what_is_to_be_paid_only_possible_methods_are_listed(
    clients: Clients, alipay: ScriptedProvider
) -> None:
    options = (await clients.guest().get(METHODS))["paymentMethods"]

    assert [(each["method"], each["possible"], each["refusal"]) for each in options] == [
        ("ALIPAY", True, None),
        ("CASH_ON_DELIVERY", True, None),
        ("SANDBOX", True, None),
    ]


async def test_each_method_that_is_not_connected_says_so(clients: Clients) -> None:
    options = await ask_methods(clients.guest())

    assert list(options) == [method.value for method in PaymentMethod]
    assert why(options["WECHAT_PAY"]) == ("INVALID", "WECHAT_PAY is not offered here.")
    assert options["SANDBOX"] == {"possible": True, "limit": None, "refusal": None}


async def test_play_money_is_not_spoken_of_where_there_is_none(clients: Clients, shop: Shop) -> None:
    shop.payments = {}

    assert "SANDBOX" not in await ask_methods(clients.guest())


async def test_a_method_is_possible_where_its_provider_takes_money(
    clients: Clients, alipay: ScriptedProvider
) -> None:
    scanned = await ask_methods(clients.guest(), channel="SCAN")
    in_app = await ask_methods(clients.guest(), channel="APP")

    assert scanned["ALIPAY"]["possible"]
    assert why(in_app["ALIPAY"]) == ("INVALID", "ALIPAY cannot be used there.")
    assert in_app["ALIPAY"]["refusal"]["field"] == ["channel"]


async def test_a_method_is_possible_in_the_currencies_of_its_provider(
    clients: Clients, alipay: ScriptedProvider
) -> None:
    options = await ask_methods(clients.guest(), currency="EUR")

    assert why(options["ALIPAY"]) == ("INVALID", "ALIPAY takes no EUR.")
    assert why(options["CASH_ON_DELIVERY"])[0] == "LIMIT_REACHED"
    assert options["SANDBOX"]["possible"]


@pytest.mark.parametrize(("amount", "possible"), [("5000.00", True), ("5000.01", False)])
async def test_cash_has_a_limit(clients: Clients, amount: str, possible: bool) -> None:
    cash = (await ask_methods(clients.guest(), amount=cny(amount)))["CASH_ON_DELIVERY"]

    assert cash["limit"] == {"amount": "5000.00"}
    assert cash["possible"] is possible
    assert possible or cash["refusal"] == {
        "code": "LIMIT_REACHED",
        "message": "At most 5,000.00 CNY can be paid at the door.",
        "field": ["amount"],
    }


async def test_cash_pays_no_goods_that_do_not_come_to_a_door(clients: Clients, shop: Shop) -> None:
    card = await create_variant(shop, requires_shipping=False)
    tea = await create_variant(shop)

    download = await ask_methods(clients.guest(), quote=quote_of(card))
    mixed = await ask_methods(clients.guest(), quote=quote_of(card, tea))
    too_much = await ask_methods(clients.guest(), quote=quote_of(card, tea), amount=cny("99.01"))

    assert why(download["CASH_ON_DELIVERY"])[0] == "INVALID"
    assert "comes to a door" in why(download["CASH_ON_DELIVERY"])[1]
    assert mixed["CASH_ON_DELIVERY"] == {"possible": True, "limit": {"amount": "99.00"}, "refusal": None}
    assert "must be paid in advance" in why(too_much["CASH_ON_DELIVERY"])[1]


async def test_more_than_the_order_costs_is_possible_by_no_method(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop)

    exact = await ask_methods(clients.guest(), quote=quote_of(tea), amount=cny("99.00"))
    more = await ask_methods(clients.guest(), quote=quote_of(tea), amount=cny("99.01"))

    assert [exact[method]["possible"] for method in ("CASH_ON_DELIVERY", "SANDBOX")] == [True, True]
    assert why(more["SANDBOX"])[0] == why(more["CASH_ON_DELIVERY"])[0] == "AMOUNT_MISMATCH"


async def test_store_credit_is_possible_up_to_what_the_customer_has(
    clients: Clients, session: AsyncSession
) -> None:
    account = await create_account(session)
    await give_credit(session, account, 50_00)
    await session.commit()
    customer = await clients.customer(account)

    enough = await ask_methods(customer, amount=cny("50.00"))
    short = await ask_methods(customer, amount=cny("50.01"))
    guest = await ask_methods(clients.guest())

    assert enough["STORE_CREDIT"] == {"possible": True, "limit": {"amount": "50.00"}, "refusal": None}
    assert why(short["STORE_CREDIT"]) == ("AMOUNT_MISMATCH", "You have 50.00 CNY of store credit.")
    assert why(guest["STORE_CREDIT"])[0] == "AMOUNT_MISMATCH"
    assert guest["STORE_CREDIT"]["limit"] == {"amount": "0.00"}


async def test_staff_do_not_pay_with_the_store_credit_of_a_customer(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    tea = await create_variant(shop)
    account = await create_account(session)
    await give_credit(session, account, 200_00)
    await session.commit()
    clerk = await clients.staff(Role.SUPPORT)
    terms = quote_of(tea) | {
        "customerId": id_of(account),
        "deliveries": [{"address": {"postal": ADDRESS}}],
    }
    by_credit = {"payments": [{"method": "STORE_CREDIT", "amount": cny("99.00")}], "idempotencyKey": "call"}

    asked = await ask_methods(clerk, quote=terms)
    placed = await clerk.do(PLACE, **terms, **by_credit)

    refusal = "Only customers themselves pay with their store credit."
    assert why(asked["STORE_CREDIT"]) == ("INVALID", refusal)
    assert asked["STORE_CREDIT"]["limit"] == {"amount": "0.00"}
    assert [(each["code"], each["message"]) for each in placed["userErrors"]] == [("INVALID", refusal)]
    assert await find_balances(session, account.id) == [Money(200_00, CurrencyCode.CNY)]
    assert await session.scalar(select(Order.id)) is None


@pytest.mark.parametrize("amount", [cny("0.00"), cny("-1.00"), {"amount": "1.00", "currencyCode": "EUR"}])
async def test_what_is_no_amount_of_the_order_is_refused(clients: Clients, amount: dict[str, str]) -> None:
    response = await clients.guest().ask(METHODS, input={"amount": amount})

    assert [error["extensions"]["code"] for error in response["errors"]] == ["INVALID"]


async def test_who_may_not_order_gets_no_quote_this_way(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop)
    courier = await clients.staff(Role.COURIER)

    response = await courier.ask(METHODS, input={"quote": quote_of(tea)})

    assert [error["extensions"]["code"] for error in response["errors"]] == ["FORBIDDEN"]


async def test_an_address_that_is_not_ones_own_is_refused(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop)
    delivery = {"address": {"id": global_id("Address", 1)}, "method": "STANDARD"}
    customer = await clients.customer()

    response = await customer.ask(METHODS, input={"quote": quote_of(tea) | {"deliveries": [delivery]}})

    assert [error["extensions"]["code"] for error in response["errors"]] == ["NOT_FOUND"]


async def test_what_methods_are_possible_is_what_placing_says(clients: Clients, shop: Shop) -> None:
    card = await create_variant(shop, requires_shipping=False)
    asked = await ask_methods(clients.guest(), quote=quote_of(card), amount=cny("99.00"))
    customer = await clients.customer()
    place = """mutation ($input: OrderPlaceInput!) {
      orderPlace(input: $input) { order { id } userErrors { code message } } }"""

    refused = {}
    for method in ("CASH_ON_DELIVERY", "WECHAT_PAY", "STORE_CREDIT"):
        given = {**quote_of(card), "payments": [{"method": method, "amount": cny("99.00")}]}
        payload = await customer.do(place, **given, idempotencyKey=method)
        refused[method] = [(each["code"], each["message"]) for each in payload["userErrors"]]

    assert {method: [why(asked[method])] for method in refused} == refused


async def test_many_lines_take_no_further_statements(clients: Clients, shop: Shop) -> None:
    variants = [await create_variant(shop) for _ in range(5)]
    guest = clients.guest()
    await ask_methods(guest, quote=quote_of(*variants))

    with count_statements(shop) as one:
        await ask_methods(guest, quote=quote_of(variants[0]))
    with count_statements(shop) as five:
        await ask_methods(guest, quote=quote_of(*variants))

    assert len(one.texts) == len(five.texts)
