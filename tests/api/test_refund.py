"""Money on its way back, through the front door and by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx

from domain.order import cancel_order, lock_order
from domain.payment import request_refund
from events.payment import resend, stalled
from events.shop import Shop
from gateways.payment import ProviderError, ProviderRefused
from models import CurrencyCode, Money, Order, OrderStatus, PaymentStatus, RefundStatus, Role
from resolvers.ids import global_id
from tests.factories.order import CASH, SANDBOX, create_order, deliver
from tests.factories.payment import (
    Moody,
    begun,
    connect,
    names,
    no_answer,
    order_now,
    pay_at_sandbox,
    payment_of,
    refunds_of,
    sandbox_of,
    start,
)
from tests.front import Front
from tests.observe import settle, sound

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


async def test_a_cancelled_order_gets_its_money_back(front: Front, shop: Shop) -> None:
    order, payment, _ = await begun(shop)
    await pay_at_sandbox(shop, payment)
    async with shop.database.writes.begin() as session:
        await cancel_order(session, order.id, reason="late", now=shop.clock())
    await settle(shop)

    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.amount, refund.provider_reference) == (
        RefundStatus.SUCCEEDED,
        9_900,
        f"SANDBOX-{order.number}-R1",
    )
    charge = await sandbox_of(shop).find(payment.reference)
    assert charge is not None
    assert charge.refunded_amount == 9_900
    assert (await order_now(shop, order)).payment_status.value == "REFUNDED"
    await settle(shop)
    assert len(await refunds_of(shop, order)) == 1
    await sound(shop)


async def test_who_pays_just_before_the_provider_is_told_gets_the_money_back(
    front: Front, shop: Shop
) -> None:
    order, payment, _ = await begun(shop)
    deaf = replace(sandbox_of(shop), client=httpx.AsyncClient(transport=httpx.MockTransport(no_answer)))
    async with shop.database.writes.begin() as session:
        await cancel_order(session, order.id, reason="late", now=shop.clock())
    await deaf.settle(payment.reference, PaymentStatus.CAPTURED)
    await settle(shop)

    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, 9_900)
    after = await order_now(shop, order)
    assert (after.status.value, after.payment_status.value) == ("CANCELLED", "REFUNDED")
    await sound(shop)


async def promised(shop: Shop) -> Order:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED, now=shop.clock())
        locked = await lock_order(session, order.id)
        await request_refund(session, locked, Money(500, CurrencyCode.CNY), reason="sorry", now=shop.clock())
    return order


async def test_a_refund_is_sent_again_until_the_provider_answers(
    front: Front, shop: Shop, tick: Tick
) -> None:
    moody = Moody(moods=[ProviderError("down"), ProviderError("down")])
    connect(shop, moody)
    order = await promised(shop)

    for _ in range(3):
        await settle(shop)
        tick(timedelta(minutes=1))

    assert [refund.status for refund in await refunds_of(shop, order)] == [RefundStatus.SUCCEEDED]
    assert moody.refunds == [f"{order.number}-R1"]
    await sound(shop)


async def test_a_refused_refund_is_tried_again_after_a_while(front: Front, shop: Shop, tick: Tick) -> None:
    moody = Moody(moods=[ProviderRefused("account frozen")])
    connect(shop, moody)
    order = await promised(shop)
    await settle(shop)
    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.failure, moody.refunds) == (RefundStatus.FAILED, "account frozen", [])

    tick(shop.settings.refund_retry_after)
    await settle(shop)

    [refund] = await refunds_of(shop, order)
    assert (refund.status, refund.failure) == (RefundStatus.SUCCEEDED, None)
    assert (await names(shop, order))[-4:] == [
        "refund.requested",
        "refund.failed",
        "refund.requested",
        "refund.succeeded",
    ]
    await sound(shop)


async def test_a_refund_that_was_given_up_is_sent_again_half_a_day_later(
    front: Front, shop: Shop, tick: Tick
) -> None:
    moody = Moody()
    connect(shop, moody)
    order = await promised(shop)

    async def forgotten() -> list[int]:
        async with shop.database.reads() as session:
            return list(await session.scalars(stalled(shop.clock())))

    assert await forgotten() == []
    tick(timedelta(hours=12))
    [refund_id] = await forgotten()
    moody.moods.append(ProviderError("still down"))
    await resend(shop, refund_id)
    assert await forgotten() == []
    tick(timedelta(hours=12))
    await resend(shop, refund_id)

    assert [refund.status for refund in await refunds_of(shop, order)] == [RefundStatus.SUCCEEDED]
    assert moody.refunds == [f"{order.number}-R1"]
    await sound(shop)


async def test_goodwill_goes_back_over_both_roads(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.SUPPORT)
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={SANDBOX: None, CASH: 4_900}, now=shop.clock())
    payment = await payment_of(shop, order)
    await start(shop, payment)
    await pay_at_sandbox(shop, payment)
    async with shop.database.writes.begin() as session:
        await deliver(session, order, now=shop.clock())
    wish = {
        "orderId": global_id("Order", order.id),
        "amount": {"amount": "9.90", "currencyCode": "CNY"},
        "reason": "A scratch.",
        "idempotencyKey": "k",
    }

    done = await clerk.do(REFUND, **wish)
    await clerk.do(REFUND, **wish)
    await settle(shop)

    assert done["userErrors"] == []
    assert [each["refunded"]["amount"] for each in done["order"]["payments"]] == ["5.00", "4.90"]
    waiting = (await clerk.get(TO_TRANSFER))["refunds"]
    assert (waiting["totalCount"], waiting["nodes"][0]["total"]["amount"]) == (1, "4.90")
    assert (await order_now(shop, order)).payment_status.value == "PARTIALLY_REFUNDED"
    confirmed = await clerk.do(CONFIRM, id=waiting["nodes"][0]["id"], reference="BANK-1")
    again = await clerk.do(CONFIRM, id=waiting["nodes"][0]["id"], reference="BANK-1")
    assert confirmed["refund"]["status"] == "SUCCEEDED"
    assert again["userErrors"] == [{"code": "WRONG_STATE", "field": ["id"]}]
    assert (await clerk.get(TO_TRANSFER))["refunds"]["totalCount"] == 0
    await sound(shop)
