"""Paying, refunding and what providers say, through the front door."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from events.shop import Shop
from gateways.payment import (
    ProviderError,
    ProviderRefused,
    ProviderStatus,
)
from models import (
    Account,
    Event,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Role,
)
from resolvers.ids import global_id
from tests.factories.order import CASH, create_order, dispatch
from tests.factories.payment import (
    Moody,
    connect,
    names,
    no_answer,
    order_now,
    pay_at_sandbox,
    payment_of,
    sandbox_of,
)
from tests.front import Client, Front
from tests.observe import settle, sound

Tick = Callable[[timedelta], None]

START = """
mutation ($input: PaymentStartInput!) {
  paymentStart(input: $input) {
    payment { status startedAt order { status } }
    nextAction { kind value expiresAt }
    userErrors { code message field }
  }
}
"""
COLLECT = """
mutation ($input: CashCollectInput!) {
  cashCollect(input: $input) {
    payment { status captured { amount } order { paymentStatus } } userErrors { code message field }
  }
}
"""
METHODS = (
    "query ($currency: CurrencyCode) { paymentMethods(currency: $currency) { method limit { amount } } }"
)


def id_of(row: Any) -> str:
    return global_id(type(row).__name__, row.id)


def cny(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "CNY"}


async def ordered(shop: Shop, account: Account | None = None, **given: Any) -> Order:
    async with shop.database.writes.begin() as session:
        return await create_order(session, account=account, now=shop.clock(), **given)


async def began(front: Front, shop: Shop, **given: Any) -> tuple[Client, Order, Payment, str]:
    """An order whose payment its customer has begun; the address of the pay page comes last."""
    customer = await front.customer()
    order = await ordered(shop, customer.account)
    payment = await payment_of(shop, order)
    done = await customer.do(START, id=id_of(payment), **given)
    assert done["userErrors"] == []
    return customer, order, payment, done["nextAction"]["value"]


async def test_starting_says_where_to_pay_and_twice_is_the_same(front: Front, shop: Shop) -> None:
    customer, _, payment, page = await began(front, shop)

    again = await customer.do(START, id=id_of(payment))

    assert page.startswith("http://127.0.0.1:8000/sandbox/pay/")
    assert again["nextAction"] == {
        "kind": "REDIRECT",
        "value": page,
        "expiresAt": (shop.clock() + timedelta(hours=2)).isoformat(),
    }
    assert again["payment"] == {
        "status": "STARTED",
        "startedAt": shop.clock().isoformat(),
        "order": {"status": "PENDING"},
    }


async def test_a_declined_payment_can_be_started_again(front: Front, shop: Shop) -> None:
    customer, order, payment, page = await began(front, shop)

    await pay_at_sandbox(shop, payment, PaymentStatus.FAILED)
    failed = await payment_of(shop, order)
    assert (failed.status, failed.failure) == (PaymentStatus.FAILED, "Declined by the payer.")
    again = await customer.do(START, id=id_of(payment))
    assert again["nextAction"]["value"] == page
    await pay_at_sandbox(shop, payment)

    assert (await order_now(shop, order)).status is OrderStatus.CONFIRMED
    await sound(shop)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://x.test", "/orders", "https://", "h" * 3_000]
)
async def test_the_way_back_is_an_address_of_the_web(front: Front, shop: Shop, address: str) -> None:
    customer = await front.customer()
    payment = await payment_of(shop, await ordered(shop, customer.account))

    done = await customer.do(START, id=id_of(payment), returnUrl=address)

    assert [(error["code"], error["field"]) for error in done["userErrors"]] == [("INVALID", ["returnUrl"])]
    assert done["nextAction"] is None


async def test_a_foreign_payment_does_not_exist(front: Front, shop: Shop) -> None:
    order, other = await ordered(shop), await front.customer()
    payment = await payment_of(shop, order)

    done = await other.do(START, id=id_of(payment))
    missing = await other.do(START, id=global_id("Payment", 999_999))

    assert done == missing
    assert done["userErrors"][0]["message"] == "There is no such payment."
    assert (await payment_of(shop, order)).status is PaymentStatus.PENDING


async def test_a_lost_notification_is_made_up_for_by_a_query(front: Front, shop: Shop, tick: Tick) -> None:
    _, order, payment, _ = await began(front, shop)
    deaf = replace(sandbox_of(shop), client=httpx.AsyncClient(transport=httpx.MockTransport(no_answer)))

    await deaf.settle(payment.reference, PaymentStatus.CAPTURED)
    await settle(shop)
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED
    tick(shop.settings.payment_query_every)
    await settle(shop)

    assert (await order_now(shop, order)).status is OrderStatus.CONFIRMED
    await sound(shop)


async def test_a_provider_that_does_not_answer_can_be_asked_again(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account)
    payment = await payment_of(shop, order)
    connect(shop, Moody(moods=[ProviderError("down")]))

    silent = await customer.do(START, id=id_of(payment))
    again = await customer.do(START, id=id_of(payment))

    assert [error["code"] for error in silent["userErrors"]] == ["PROVIDER_UNAVAILABLE"]
    assert again["nextAction"]["value"] == "weixin://pay"
    assert await names(shop, order) == ["order.placed", "payment.started"]


async def test_a_provider_that_says_no_fails_the_payment(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account)
    connect(shop, Moody(moods=[ProviderRefused("card expired")]))

    done = await customer.do(START, id=id_of(await payment_of(shop, order)))

    assert [(error["code"], error["message"]) for error in done["userErrors"]] == [
        ("PROVIDER_REFUSED", "SANDBOX said no: card expired")
    ]
    payment = await payment_of(shop, order)
    assert (payment.status, payment.failure) == (PaymentStatus.FAILED, "card expired")


async def test_a_provider_that_has_the_money_already_is_believed(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account)
    moody = Moody(moods=[ProviderRefused("paid already")], status=ProviderStatus.CAPTURED)
    connect(shop, moody)

    await customer.do(START, id=id_of(await payment_of(shop, order)))

    assert (await order_now(shop, order)).status is OrderStatus.CONFIRMED


async def test_a_courier_collects_the_cash(front: Front, shop: Shop) -> None:
    courier = await front.staff(Role.COURIER)
    order = await ordered(shop, payments={CASH: None})
    cash = await payment_of(shop, order, CASH)
    early = await courier.do(COLLECT, paymentId=id_of(cash), amount=cny("99.00"))
    async with shop.database.writes.begin() as session:
        await dispatch(session, order, now=shop.clock())

    short = await courier.do(COLLECT, paymentId=id_of(cash), amount=cny("90.00"))
    done = await courier.do(COLLECT, paymentId=id_of(cash), amount=cny("99.00"))

    assert [error["code"] for error in early["userErrors"]] == ["WRONG_STATE"]
    assert short["userErrors"] == [
        {
            "code": "AMOUNT_MISMATCH",
            "message": "99.00 CNY is due, not 90.00 CNY: 9.00 CNY is missing.",
            "field": ["amount"],
        }
    ]
    assert done["payment"] == {
        "status": "CAPTURED",
        "captured": {"amount": "99.00"},
        "order": {"paymentStatus": "PAID"},
    }
    async with shop.database.reads() as session:
        event = (await session.scalars(select(Event).where(Event.name == "cash.collected"))).one()
        assert courier.account
        assert event.actor_id == courier.account.id


async def test_the_shop_says_how_it_can_be_paid(front: Front) -> None:
    guest = front.guest()

    assert (await guest.get(METHODS))["paymentMethods"] == [
        {"method": "CASH_ON_DELIVERY", "limit": {"amount": "5000.00"}},
        {"method": "SANDBOX", "limit": None},
    ]
    assert (await guest.get(METHODS, currency="EUR"))["paymentMethods"] == [
        {"method": "SANDBOX", "limit": None}
    ]
