"""Refunds: requested through the API, sent to providers, retried and confirmed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import cancel_order, lock_order
from domain.payment import request_refund
from domain.payment.approval_limit import APPROVAL_LIMITS_KEY
from domain.payment.due import due_refund_calls
from events.payment import look_after_refund
from events.shop import Shop
from gateways.payment.provider import ProviderError, ProviderRefused
from models import CurrencyCode, Money, Order, OrderStatus, PaymentStatus, RefundStatus, Role
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.order import CASH, SANDBOX, create_order, deliver
from tests.factories.payment import (
    ScriptedProvider,
    attempt_of,
    connect_provider,
    event_names_of,
    pay_at_sandbox,
    payment_of,
    refunds_of,
    refuse_connection,
    reload_order,
    sandbox_of,
    start_new_payment,
    start_payment_at_provider,
)
from tests.observe import assert_books_agree, run_until_idle

Tick = Callable[[timedelta], None]

REFUND = """
mutation ($input: PaymentRefundInput!) {
  paymentRefund(input: $input) {
    order { paymentStatus payments { refunded { amount } refunds { status total { amount } reason } } }
    userErrors { code message field }
  }
}
"""
CONFIRM = """
mutation ($input: RefundConfirmInput!) {
  refundConfirm(input: $input) {
    refund { status providerReference order { paymentStatus } } userErrors { code field }
  }
}
"""
TO_TRANSFER = """
{
  refunds(status: [PENDING], method: [CASH_ON_DELIVERY]) {
    totalCount nodes { id total { amount } payment { method } order { number } }
  }
}
"""


async def test_a_cancelled_order_is_refunded(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    order, payment, _ = await start_new_payment(shop)
    await pay_at_sandbox(shop, payment)
    await cancel_order(session, order.id, reason="late", cause=Cause(shop.clock()))
    await session.commit()
    await run_until_idle(shop)

    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.amount, refund.provider_reference) == (
        RefundStatus.SUCCEEDED,
        9_900,
        f"SANDBOX-{order.number}-R1",
    )
    charge = await sandbox_of(shop).find_charge((await attempt_of(shop, payment)).reference)
    assert charge is not None
    assert charge.refunded_amount == 9_900
    assert (await reload_order(shop, order)).payment_status.value == "REFUNDED"
    await run_until_idle(shop)
    assert len(await refunds_of(shop, order)) == 1
    await assert_books_agree(shop)


async def test_a_payment_made_just_before_it_is_closed_at_the_provider_is_refunded(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    order, payment, _ = await start_new_payment(shop)
    unreachable = replace(
        sandbox_of(shop), client=httpx.AsyncClient(transport=httpx.MockTransport(refuse_connection))
    )
    await cancel_order(session, order.id, reason="late", cause=Cause(shop.clock()))
    await session.commit()
    await unreachable.settle((await attempt_of(shop, payment)).reference, PaymentStatus.CAPTURED)
    await run_until_idle(shop)

    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, 9_900)
    after = await reload_order(shop, order)
    assert (after.status.value, after.payment_status.value) == ("CANCELLED", "REFUNDED")
    await assert_books_agree(shop)


async def request_new_refund(shop: Shop) -> Order:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED, now=shop.clock())
        locked = await lock_order(session, order.id)
        await request_refund(
            session, locked, Money(500, CurrencyCode.CNY), reason="sorry", cause=Cause(shop.clock())
        )
    return order


async def test_a_refund_is_sent_again_until_the_provider_answers(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    provider = ScriptedProvider(errors=[ProviderError("down"), ProviderError("down")])
    connect_provider(shop, provider)
    order = await request_new_refund(shop)

    for _ in range(3):
        await run_until_idle(shop)
        tick(timedelta(minutes=2))

    assert [refund.status for refund in await refunds_of(shop, order)] == [RefundStatus.SUCCEEDED]
    assert provider.refunds == [f"{order.number}-R1"]
    await assert_books_agree(shop)


async def test_a_refused_refund_is_retried_later(clients: Clients, shop: Shop, tick: Tick) -> None:
    provider = ScriptedProvider(errors=[ProviderRefused("account frozen")])
    connect_provider(shop, provider)
    order = await request_new_refund(shop)
    await run_until_idle(shop)
    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.failure, provider.refunds) == (RefundStatus.FAILED, "account frozen", [])

    tick(shop.settings.payments.refund_retry_after)
    await run_until_idle(shop)

    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.failure) == (RefundStatus.SUCCEEDED, None)
    assert (await event_names_of(shop, order))[-5:] == [
        "refund.requested",
        "refund.failed",
        "refund.requested",
        "refund.succeeded",
        "order.completed",
    ]
    await assert_books_agree(shop)


async def test_a_refund_without_an_answer_is_asked_after_and_sent_again_once(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    provider = ScriptedProvider()
    connect_provider(shop, provider)
    order = await request_new_refund(shop)

    async def find_due() -> list[int]:
        async with shop.database.reads() as session:
            return list(await session.scalars(due_refund_calls(SANDBOX)(shop.clock())))

    [refund_id] = await find_due()
    provider.errors.append(ProviderError("down"))
    await look_after_refund(shop, refund_id)
    assert await find_due() == []
    tick(timedelta(minutes=2))
    assert await find_due() == [refund_id]
    await look_after_refund(shop, refund_id)
    await look_after_refund(shop, refund_id)

    assert [refund.status for refund in await refunds_of(shop, order)] == [RefundStatus.SUCCEEDED]
    assert provider.refunds == [f"{order.number}-R1"]
    await assert_books_agree(shop)


async def test_a_goodwill_refund_is_apportioned_to_both_payments(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.SUPPORT)
    order = await create_order(session, payments={SANDBOX: None, CASH: 4_900}, now=shop.clock())
    await session.commit()
    payment = await payment_of(shop, order)
    await start_payment_at_provider(shop, payment)
    await pay_at_sandbox(shop, payment)
    await deliver(session, order, now=shop.clock())
    await session.commit()
    request = {
        "orderId": global_id("Order", order.id),
        "amount": {"amount": "9.90", "currencyCode": "CNY"},
        "reason": "A scratch.",
        "idempotencyKey": "k",
    }

    done = await clerk.do(REFUND, **request)
    await clerk.do(REFUND, **request)
    await run_until_idle(shop)

    assert done["userErrors"] == []
    assert [each["refunded"]["amount"] for each in done["order"]["payments"]] == ["5.00", "4.90"]
    waiting = (await clerk.get(TO_TRANSFER))["refunds"]
    assert (waiting["totalCount"], waiting["nodes"][0]["total"]["amount"]) == (1, "4.90")
    assert (await reload_order(shop, order)).payment_status.value == "PARTIALLY_REFUNDED"
    confirmed = await clerk.do(CONFIRM, id=waiting["nodes"][0]["id"], reference="BANK-1")
    again = await clerk.do(CONFIRM, id=waiting["nodes"][0]["id"], reference="BANK-1")
    assert confirmed["refund"]["status"] == "SUCCEEDED"
    assert again["userErrors"] == [{"code": "WRONG_STATE", "field": ["id"]}]
    assert (await clerk.get(TO_TRANSFER))["refunds"]["totalCount"] == 0
    await assert_books_agree(shop)


APPROVE = """
mutation ($input: RefundApproveInput!) {
  refundApprove(input: $input) {
    refund { status decidedAt expectedBy requestedBy { id } decidedBy { id } } userErrors { code field }
  }
}
"""
DECLINE = """
mutation ($input: RefundDeclineInput!) {
  refundDecline(input: $input) { refund { status expectedBy } userErrors { code field message } }
}
"""
WAITING = """
{
  refunds(status: [WAITING]) {
    nodes { id expectedBy requestedBy { id } decidedBy { id } total { amount } }
  }
}
"""


@pytest.fixture
def low_limit(shop: Shop) -> None:
    """More than 50.00 CNY takes a second person."""
    shop.database.writes.configure(info={APPROVAL_LIMITS_KEY: {CurrencyCode.CNY: 5_000}})


def account_of(client: Client) -> dict[str, str]:
    assert client.account is not None
    return {"id": global_id("Account", client.account.id)}


async def request_above_limit(shop: Shop, clerk: Client) -> tuple[Order, str]:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED, now=shop.clock())
    amount = {"amount": "60.00", "currencyCode": "CNY"}
    order_id = global_id("Order", order.id)
    await clerk.do(REFUND, orderId=order_id, amount=amount, reason="A scratch.", idempotencyKey="k")
    [refund] = (await clerk.get(WAITING))["refunds"]["nodes"]
    assert (refund["total"]["amount"], refund["expectedBy"]) == ("60.00", None)
    assert (refund["requestedBy"], refund["decidedBy"]) == (account_of(clerk), None)
    return order, refund["id"]


@pytest.mark.usefixtures("low_limit", "audit_at_end")
async def test_a_refund_above_the_limit_is_sent_when_somebody_else_approves(
    clients: Clients, shop: Shop
) -> None:
    clerk, other = await clients.staff(Role.SUPPORT), await clients.staff(Role.SUPPORT)
    provider = ScriptedProvider()
    connect_provider(shop, provider)
    order, id = await request_above_limit(shop, clerk)
    await run_until_idle(shop)
    assert provider.refunds == []
    own = await clerk.do(APPROVE, id=id, reason="Mine.")
    assert own["userErrors"] == [{"code": "FORBIDDEN", "field": []}]
    approved = await other.do(APPROVE, id=id, reason="Seen.")
    again = await other.do(APPROVE, id=id, reason="Seen.")
    await run_until_idle(shop)

    moment = shop.clock().isoformat()
    assert approved["refund"] == {
        "status": "PENDING",
        "decidedAt": moment,
        "expectedBy": (shop.clock() + timedelta(days=1)).isoformat(),
        "requestedBy": account_of(clerk),
        "decidedBy": account_of(other),
    }
    assert again["userErrors"] == [{"code": "WRONG_STATE", "field": ["id"]}]
    assert provider.refunds == [f"{order.number}-R1"]
    assert [each.status for each in await refunds_of(shop, order)] == [RefundStatus.SUCCEEDED]


@pytest.mark.usefixtures("low_limit", "audit_at_end")
async def test_whoever_has_asked_can_withdraw_a_refund_that_waits(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.SUPPORT)
    order, id = await request_above_limit(shop, clerk)
    declined = await clerk.do(DECLINE, id=id, reason="A mistake.")
    await run_until_idle(shop)

    assert declined["refund"] == {"status": "DECLINED", "expectedBy": None}
    after = await reload_order(shop, order)
    assert (after.status, after.payment_status.value) == (OrderStatus.COMPLETED, "PAID")
    assert (await payment_of(shop, order)).refunded_amount == 0
