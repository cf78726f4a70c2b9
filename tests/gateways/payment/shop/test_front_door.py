"""Customers order, pay at a provider's server, and the shop confirms and refunds by what that server says."""

import asyncio
from typing import Any

import pytest

from models import OrderPaymentStatus, OrderStatus, PaymentChannel, PaymentMethod, PaymentStatus
from tests.factories.payment import disconnect_provider
from tests.gateways.payment.shop.conftest import SERVERS
from tests.gateways.payment.shop.counter import Counter, Purchase, action_of
from tests.gateways.payment.shop.tills import AlipayTill, CardTill, Till
from tests.observe import TIMEOUT_SECONDS, assert_books_agree, run_until_idle

METHODS = """
query ($input: PaymentMethodsInput) {
  paymentMethods(input: $input) { method possible refusal { message } }
}
"""
CHANNELS = list(PaymentChannel)


async def wait_for_status(counter: Counter, purchase: Purchase, status: OrderStatus) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (await counter.order(purchase)).status is not status:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_an_order_is_paid_by_each_channel_of_its_provider_and_by_no_other(
    counter: Counter, till: Till, channel: PaymentChannel
) -> None:
    purchase = await counter.buy()
    if channel not in till.actions:
        before = await counter.start(purchase)
        refused = await counter.start(purchase, channel.value)
        assert [(each["code"], each["field"]) for each in refused["userErrors"]] == [("INVALID", ["channel"])]
        assert refused["action"] is None
        assert (await counter.start(purchase))["action"] == before["action"], "it can still be paid"
        return

    started = await counter.start(purchase, channel.value)

    assert started["userErrors"] == []
    assert started["action"]["__typename"] == till.actions[channel]
    assert all(action_of(started).values())
    again = await counter.start(purchase, channel.value)
    assert (again["action"], again["attempt"]["number"]) == (started["action"], 1)
    reference = (await counter.attempt(purchase)).reference
    assert await till.pay(reference, action_of(started), notify=True)
    await wait_for_status(counter, purchase, OrderStatus.CONFIRMED)
    assert (await counter.payment(purchase)).captured_amount == await till.captured(reference) == 99_00
    await assert_books_agree(counter.shop)


async def test_the_methods_of_an_order_change_while_one_is_being_paid(counter: Counter, till: Till) -> None:
    """What was begun is closed at the provider, or goes back when it is paid all the same."""
    purchase = await counter.buy()
    started = await counter.start(purchase)
    reference = (await counter.attempt(purchase)).reference

    changed = await counter.pay_in_cash_instead(purchase)

    assert changed["userErrors"] == []
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    assert await till.pay(reference, action_of(started), notify=True) is isinstance(till, AlipayTill)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while await till.refunded(reference) != await till.captured(reference):
            await run_until_idle(counter.shop)
            await asyncio.sleep(0.02)
    await assert_books_agree(counter.shop)


async def test_what_was_paid_before_its_method_was_changed_counts(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)

    changed = await counter.pay_in_cash_instead(purchase)

    assert [each["code"] for each in changed["userErrors"]] == ["WRONG_STATE"]
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    assert (await counter.payment(purchase)).captured_amount == await till.captured(reference) == 99_00
    await assert_books_agree(counter.shop)


async def test_a_method_that_is_not_connected_any_more_is_replaced_by_another(
    counter: Counter, till: Till
) -> None:
    purchase = await counter.buy()
    started = await counter.start(purchase)
    disconnect_provider(counter.shop, PaymentMethod(till.method))

    again = await counter.start(purchase)
    changed = await counter.pay_in_cash_instead(purchase)

    assert [(each["code"], each["message"]) for each in again["userErrors"]] == [
        ("INVALID", f"{till.method} is not offered here.")
    ]
    assert (started["attempt"]["number"], changed["userErrors"]) == (1, [])
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    await assert_books_agree(counter.shop)


async def test_a_refund_goes_back_through_the_provider(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase, notify=True)
    await wait_for_status(counter, purchase, OrderStatus.CONFIRMED)

    part = await counter.refund(purchase, "30.00")

    assert part["userErrors"] == []
    assert (await counter.order(purchase)).payment_status is OrderPaymentStatus.PARTIALLY_REFUNDED
    assert [refund.status.value for refund in await counter.refunds(purchase)] == ["SUCCEEDED"]
    assert await till.refunded(reference) == 30_00
    await assert_books_agree(counter.shop)


async def test_a_cancelled_order_is_refunded_in_full_at_the_provider(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase, notify=True)
    await wait_for_status(counter, purchase, OrderStatus.CONFIRMED)

    assert (await counter.cancel(purchase))["userErrors"] == []
    await run_until_idle(counter.shop)

    assert await till.refunded(reference) == 99_00
    assert (await counter.order(purchase)).payment_status is OrderPaymentStatus.REFUNDED
    await assert_books_agree(counter.shop)


async def test_a_notice_that_comes_before_the_start_has_answered_counts(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    await till.slow_start()

    starting = asyncio.create_task(counter.start(purchase))
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (await counter.payment(purchase)).status is PaymentStatus.PENDING:
            await asyncio.sleep(0.01)
        reference = (await counter.attempt(purchase)).reference
        while not await till.pay(reference, None, notify=False):
            await asyncio.sleep(0.01)
    answer = await counter.post(await till.notice(reference))
    was_starting = not starting.done()
    started = await starting

    assert was_starting
    assert answer == till.taken
    assert started["userErrors"] == []
    assert (started["payment"]["status"], started["attempt"]["status"]) == ("CAPTURED", "CAPTURED")
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    await run_until_idle(counter.shop)
    assert await till.refunded(reference) == 0
    await assert_books_agree(counter.shop)


async def test_a_customer_who_takes_another_channel_pays_once(counter: Counter, till: Till) -> None:
    """The first attempt is closed at the provider, or what it brings all the same goes back."""
    purchase = await counter.buy()
    first_channel, second_channel = list(till.actions)[:2]
    first = await counter.start(purchase, first_channel.value)
    first_reference = (await counter.attempt(purchase)).reference

    second = await counter.start(purchase, second_channel.value)
    reference = (await counter.attempt(purchase)).reference
    assert await till.pay(reference, action_of(second), notify=True)
    await wait_for_status(counter, purchase, OrderStatus.CONFIRMED)
    was_paid_twice = await till.pay(first_reference, action_of(first), notify=True)

    assert (second["userErrors"], second["attempt"]["number"]) == ([], 2)
    assert was_paid_twice is isinstance(till, AlipayTill)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while await till.refunded(first_reference) != await till.captured(first_reference):
            await run_until_idle(counter.shop)
            await asyncio.sleep(0.02)
    assert await till.captured(reference) == 99_00
    assert await till.refunded(reference) == 0
    assert (await counter.payment(purchase)).captured_amount == 99_00
    await assert_books_agree(counter.shop)


@pytest.mark.parametrize("till", ["CARD"], indirect=True)
async def test_after_a_declined_card_another_is_taken(counter: Counter, till: CardTill) -> None:
    purchase = await counter.buy()
    await counter.start(purchase)
    declined = (await counter.attempt(purchase)).reference
    await till.decline(declined)
    notice = await till.earlier_notice(declined)
    assert notice
    assert await counter.post(notice) == till.taken
    assert (await counter.payment(purchase)).status is PaymentStatus.FAILED

    reference = await counter.start_and_pay(purchase, notify=True)

    await wait_for_status(counter, purchase, OrderStatus.CONFIRMED)
    assert reference != declined
    assert await till.captured(declined) == 0
    await assert_books_agree(counter.shop)


@pytest.mark.parametrize("till", ["ALIPAY"], indirect=True)
async def test_without_keys_a_method_is_not_possible(counter: Counter) -> None:
    options: dict[str, Any] = {
        each["method"]: each
        for each in (await counter.clients.guest().get(METHODS, input={"channel": "SCAN"}))["paymentMethods"]
    }

    assert options["ALIPAY"]["possible"]
    for method in SERVERS.keys() - {"ALIPAY"}:
        assert options[method]["refusal"] == {"message": f"{method} is not offered here."}
