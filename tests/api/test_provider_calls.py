"""Calls to payment providers as the staff see them on orders; customers and strangers do not."""

from datetime import timedelta

from domain.cause import Cause
from domain.payment import record_dispute
from events.payment import query_attempt
from events.shop import Shop
from models import CurrencyCode, Order, PaymentStatus, Role
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.dispute import dispute_report
from tests.factories.order import SANDBOX, create_order
from tests.factories.payment import (
    attempt_of,
    pay_at_sandbox,
    payment_of,
    start_payment_at_provider,
)
from tests.given import id_of
from tests.observe import count_statements, run_until_idle

CALLS = """
providerCalls {
  method kind outcome answer reason calledAt lastCalledAt times actor { name }
  attempt { reference } refund { reference }
}
"""
ONE = f"query ($id: ID!) {{ order(id: $id) {{ number {CALLS} }} }}"
MANY = f"{{ orders {{ nodes {{ number {CALLS} }} }} }}"
TIMELINE = "query ($id: ID!) { order(id: $id) { timeline { name message reason } } }"
REFUND = """
mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { userErrors { code message } } }
"""


async def start_order(shop: Shop, customer: Client) -> Order:
    """An order whose customer has begun to pay it, and that was asked after once."""
    async with shop.database.writes.begin() as session:
        order = await create_order(session, account=customer.account, now=shop.clock())
    payment = await payment_of(shop, order)
    await start_payment_at_provider(shop, payment)
    await query_attempt(shop, (await attempt_of(shop, payment)).id)
    return order


async def test_the_staff_read_who_asked_a_provider_when_and_what_it_said(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    support, customer = await clients.staff(Role.SUPPORT), await clients.customer()
    assert customer.account is not None
    order = await start_order(shop, customer)
    begun_at = clock().isoformat()
    attempt = await attempt_of(shop, await payment_of(shop, order))

    clock.tick(timedelta(minutes=1))
    await query_attempt(shop, attempt.id)

    shown = (await support.get(ONE, id=id_of(order)))["order"]["providerCalls"]
    about: dict[str, object] = {
        "method": "SANDBOX",
        "outcome": "ANSWERED",
        "reason": None,
        "calledAt": begun_at,
    }
    about |= {"calledAt": begun_at, "attempt": {"reference": attempt.reference}, "refund": None}
    query = {"kind": "QUERY", "answer": "WAITING", "lastCalledAt": clock().isoformat(), "times": 2}
    start = {"kind": "START", "answer": "REDIRECT", "lastCalledAt": begun_at, "times": 1}
    assert shown == [
        about | query | {"actor": None},
        about | start | {"actor": {"name": customer.account.name}},
    ]


async def test_a_refund_shows_what_its_provider_was_asked(clients: Clients, shop: Shop) -> None:
    support, customer = await clients.staff(Role.SUPPORT), await clients.customer()
    order = await start_order(shop, customer)
    await pay_at_sandbox(shop, await payment_of(shop, order))
    amount = {"amount": "1.00", "currencyCode": CurrencyCode.CNY.value}
    request = {"orderId": id_of(order), "amount": amount, "reason": "A scratch.", "idempotencyKey": "k"}

    await support.do(REFUND, **request)
    await run_until_idle(shop)

    newest = (await support.get(ONE, id=id_of(order)))["order"]["providerCalls"][0]
    assert (newest["kind"], newest["answer"], newest["actor"]) == ("REFUND", "SUCCEEDED", None)
    assert (newest["refund"], newest["attempt"]) == ({"reference": f"{order.number}-R1"}, None)


async def test_neither_customers_nor_staff_who_give_no_refunds_see_calls(
    clients: Clients, shop: Shop
) -> None:
    customer, stranger = await clients.customer(), await clients.customer()
    keeper = await clients.staff(Role.WAREHOUSE)
    order = await start_order(shop, customer)

    for viewer in (customer, keeper):
        assert (await viewer.get(ONE, id=id_of(order)))["order"] == {
            "number": order.number,
            "providerCalls": None,
        }
    assert (await stranger.get(ONE, id=id_of(order)))["order"] is None
    refused = await clients.guest().ask(ONE, id=id_of(order))
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHENTICATED"]


async def test_the_calls_of_many_orders_take_as_many_statements_as_those_of_one(
    clients: Clients, shop: Shop
) -> None:
    support = await clients.staff(Role.SUPPORT)
    await start_order(shop, await clients.customer())
    await support.get(MANY)
    with count_statements(shop) as of_one:
        await support.get(MANY)
    for _ in range(5):
        await start_order(shop, await clients.customer())
    with count_statements(shop) as of_many:
        shown = (await support.get(MANY))["orders"]["nodes"]

    assert [len(each["providerCalls"]) for each in shown] == [2] * 6
    assert of_one.total == of_many.total


async def test_the_timeline_of_the_staff_has_disputes_and_reasons(clients: Clients, shop: Shop) -> None:
    support, customer = await clients.staff(Role.SUPPORT), await clients.customer()
    order = await start_order(shop, customer)
    await pay_at_sandbox(shop, await payment_of(shop, order))
    payment = await payment_of(shop, order)
    async with shop.database.writes.begin() as session:
        await record_dispute(session, SANDBOX, dispute_report(payment), Cause(shop.clock()))

    shown = (await support.get(TIMELINE, id=id_of(order)))["order"]["timeline"]
    seen = (await customer.get(TIMELINE, id=id_of(order)))["order"]["timeline"]

    opened = {"name": "dispute.opened", "message": "Payment disputed at the provider", "reason": None}
    assert opened in shown
    assert [each for each in shown if each["name"] != "dispute.opened"] == seen


async def test_only_the_staff_read_why_a_payment_failed(clients: Clients, shop: Shop) -> None:
    support, customer = await clients.staff(Role.SUPPORT), await clients.customer()
    order = await start_order(shop, customer)
    await pay_at_sandbox(shop, await payment_of(shop, order), PaymentStatus.FAILED)

    [shown] = [
        each["reason"]
        for each in (await support.get(TIMELINE, id=id_of(order)))["order"]["timeline"]
        if each["name"] == "payment.failed"
    ]
    seen = (await customer.get(TIMELINE, id=id_of(order)))["order"]["timeline"]
    assert shown
    assert {each["reason"] for each in seen} == {None}
