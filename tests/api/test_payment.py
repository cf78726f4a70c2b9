"""Starting payments, collecting cash and listing payment methods, through the API."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.circuit import FAILURES_LIMIT
from gateways.payment.provider import ProviderError, ProviderRefused
from models import Account, AttemptStatus, Event, Order, OrderStatus, Payment, PaymentStatus, Role
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.order import CASH, arrive, create_order, dispatch
from tests.factories.payment import (
    ScriptedProvider,
    attempt_of,
    connect_provider,
    event_names_of,
    pay_at_sandbox,
    payment_of,
    refuse_connection,
    reload_order,
    sandbox_of,
)
from tests.given import cny, id_of
from tests.observe import assert_books_agree, run_until_idle

Tick = Callable[[timedelta], None]

START = """
mutation ($input: PaymentStartInput!) {
  paymentStart(input: $input) {
    payment { status startedAt order { status } }
    attempt { number status channel expiresAt }
    action { __typename ... on Redirect { url expiresAt } ... on ScanCode { code } }
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


async def create_new_order(shop: Shop, account: Account | None = None, **given: Any) -> Order:
    async with shop.database.writes.begin() as session:
        return await create_order(session, account=account, now=shop.clock(), **given)


async def start_new_payment(clients: Clients, shop: Shop, **given: Any) -> tuple[Client, Order, Payment, str]:
    """An order whose customer has started its payment; the URL of the pay page comes last."""
    customer = await clients.customer()
    order = await create_new_order(shop, customer.account)
    payment = await payment_of(shop, order)
    done = await customer.do(START, id=id_of(payment), **given)
    assert done["userErrors"] == []
    return customer, order, payment, done["nextAction"]["value"]


async def test_a_pay_page_is_valid_no_longer_than_the_order(clients: Clients, shop: Shop) -> None:
    customer, order, payment, page = await start_new_payment(clients, shop)

    again = await customer.do(START, id=id_of(payment))

    assert order.payment_due_at == shop.clock() + timedelta(minutes=30)
    assert page.startswith("http://127.0.0.1:8000/sandbox/pay/")
    assert again["nextAction"] == {
        "kind": "REDIRECT",
        "value": page,
        "expiresAt": (shop.clock() + timedelta(minutes=30)).isoformat(),
    }
    assert again["payment"] == {
        "status": "STARTED",
        "startedAt": shop.clock().isoformat(),
        "order": {"status": "PENDING"},
    }


async def test_a_declined_payment_can_be_started_again(clients: Clients, shop: Shop) -> None:
    customer, order, payment, _ = await start_new_payment(clients, shop)

    await pay_at_sandbox(shop, payment, PaymentStatus.FAILED)
    failed = await payment_of(shop, order)
    assert (failed.status, failed.failure) == (PaymentStatus.FAILED, "Declined by the payer.")
    again = await customer.do(START, id=id_of(payment))
    assert [again["attempt"][each] for each in ("number", "status")] == [2, "STARTED"]
    await pay_at_sandbox(shop, payment)

    assert (await reload_order(shop, order)).status is OrderStatus.CONFIRMED
    await assert_books_agree(shop)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://x.test", "/orders", "https://", "h" * 3_000]
)
async def test_the_return_url_is_a_web_address(clients: Clients, shop: Shop, address: str) -> None:
    customer = await clients.customer()
    payment = await payment_of(shop, await create_new_order(shop, customer.account))

    done = await customer.do(START, id=id_of(payment), returnUrl=address)

    assert [(error["code"], error["field"]) for error in done["userErrors"]] == [("INVALID", ["returnUrl"])]
    assert done["nextAction"] is None


async def test_a_foreign_payment_does_not_exist(clients: Clients, shop: Shop) -> None:
    order, other = await create_new_order(shop), await clients.customer()
    payment = await payment_of(shop, order)

    done = await other.do(START, id=id_of(payment))
    missing = await other.do(START, id=global_id("Payment", 999_999))

    assert done == missing
    assert done["userErrors"][0]["message"] == "There is no such payment."
    assert (await payment_of(shop, order)).status is PaymentStatus.PENDING


async def test_after_a_lost_notification_a_query_finds_the_outcome(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    _, order, payment, _ = await start_new_payment(clients, shop)
    unreachable = replace(
        sandbox_of(shop), client=httpx.AsyncClient(transport=httpx.MockTransport(refuse_connection))
    )

    await unreachable.settle((await attempt_of(shop, payment)).reference, PaymentStatus.CAPTURED)
    await run_until_idle(shop)
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED
    tick(shop.settings.payments.query_interval)
    await run_until_idle(shop)

    assert (await reload_order(shop, order)).status is OrderStatus.CONFIRMED
    await assert_books_agree(shop)


async def test_a_provider_that_has_not_answered_for_some_time_is_not_called_for_a_customer(
    clients: Clients, shop: Shop
) -> None:
    customer = await clients.customer()
    order = await create_new_order(shop, customer.account)
    payment = await payment_of(shop, order)
    provider = ScriptedProvider()
    connect_provider(shop, provider)
    breaker = shop.calls.breakers[provider.method.value]
    for _ in range(FAILURES_LIMIT):
        assert breaker.enter()
        breaker.leave(answered=False)

    refused = await customer.do(START, id=id_of(payment))

    assert [error["code"] for error in refused["userErrors"]] == ["PROVIDER_UNAVAILABLE"]
    assert provider.started == []
    breaker.paused_until = 0.0
    started = await customer.do(START, id=id_of(payment))
    assert (started["userErrors"], len(provider.started)) == ([], 1)


async def test_a_provider_that_does_not_answer_can_be_asked_again(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order = await create_new_order(shop, customer.account)
    payment = await payment_of(shop, order)
    connect_provider(shop, ScriptedProvider(errors=[ProviderError("down")]))

    silent = await customer.do(START, id=id_of(payment))
    again = await customer.do(START, id=id_of(payment))

    assert [error["code"] for error in silent["userErrors"]] == ["PROVIDER_UNAVAILABLE"]
    assert again["nextAction"]["value"] == "weixin://pay"
    assert await event_names_of(shop, order) == ["order.placed", "payment.started"]


async def test_a_payment_the_provider_refuses_fails(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order = await create_new_order(shop, customer.account)
    connect_provider(shop, ScriptedProvider(errors=[ProviderRefused("card expired")]))

    done = await customer.do(START, id=id_of(await payment_of(shop, order)))

    assert [(error["code"], error["message"]) for error in done["userErrors"]] == [
        ("PROVIDER_REFUSED", "SANDBOX said no: card expired")
    ]
    payment = await payment_of(shop, order)
    assert (payment.status, payment.failure) == (PaymentStatus.FAILED, "card expired")


async def test_a_payment_the_provider_has_captured_already_is_captured(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order = await create_new_order(shop, customer.account)
    provider = ScriptedProvider(errors=[ProviderRefused("paid already")], status=AttemptStatus.CAPTURED)
    connect_provider(shop, provider)

    await customer.do(START, id=id_of(await payment_of(shop, order)))

    assert (await reload_order(shop, order)).status is OrderStatus.CONFIRMED


async def test_staff_record_the_cash_that_a_carrier_hands_over(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    order = await create_new_order(shop, payments={CASH: None})
    cash = await payment_of(shop, order, CASH)
    early = await clerk.do(COLLECT, id=id_of(cash), amount=cny("99.00"))
    [parcel] = await dispatch(session, order, now=shop.clock())
    await arrive(session, parcel, now=shop.clock())
    await session.commit()

    foreign = await courier.do(COLLECT, id=id_of(cash), amount=cny("99.00"))
    short = await clerk.do(COLLECT, id=id_of(cash), amount=cny("90.00"))
    done = await clerk.do(COLLECT, id=id_of(cash), amount=cny("99.00"), shipmentId=id_of(parcel))

    assert [error["code"] for error in early["userErrors"]] == ["WRONG_STATE"]
    assert [error["code"] for error in foreign["userErrors"]] == ["NOT_FOUND"]
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
    event = (await session.scalars(select(Event).where(Event.name == "cash.collected"))).one()
    assert clerk.account
    assert event.actor_id == clerk.account.id
    await session.commit()


async def test_the_payment_methods_on_offer_are_listed_with_their_limits(clients: Clients) -> None:
    guest = clients.guest()

    assert (await guest.get(METHODS))["paymentMethods"] == [
        {"method": "CASH_ON_DELIVERY", "limit": {"amount": "5000.00"}},
        {"method": "SANDBOX", "limit": None},
    ]
    assert (await guest.get(METHODS, currency="EUR"))["paymentMethods"] == [
        {"method": "SANDBOX", "limit": None}
    ]
