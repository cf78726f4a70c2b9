"""Notices of providers: each once, in whatever order; what is not right is refused, and the log says why."""

import asyncio
from collections import Counter as Count
from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from models import OrderPaymentStatus, OrderStatus, ProviderCall, ProviderCallOutcome
from models.database import Database
from tests.factories.payment import event_names_of
from tests.gateways.payment.shop.counter import Counter, Purchase
from tests.gateways.payment.shop.tills import AlipayTill, CardTill, Sent, Till, WeChatTill
from tests.observe import TIMEOUT_SECONDS, assert_books_agree, read_all_rows, run_until_idle

BYTES_BETWEEN_CHANGES = 29
CROWD = 8


async def count_captures(counter: Counter, purchase: Purchase) -> int:
    return (await event_names_of(counter.shop, await counter.order(purchase))).count("payment.captured")


def reasons_of(logs: list[EventDict]) -> list[str]:
    return [line["reason"] for line in logs if line["event"] == "payment.notification_refused"]


async def test_a_notice_that_is_sent_again_counts_once(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)

    answers = [await counter.post(await till.notice(reference)) for _ in range(3)]

    assert answers == [till.taken] * 3
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    assert await count_captures(counter, purchase) == 1
    await run_until_idle(counter.shop)
    assert await counter.refunds(purchase) == []
    await assert_books_agree(counter.shop)


@pytest.mark.parametrize("till", ["ALIPAY", "CARD"], indirect=True)
async def test_a_notice_of_what_was_before_changes_nothing(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    if isinstance(till, CardTill):
        await counter.start(purchase)
        reference = (await counter.attempt(purchase)).reference
        await till.decline(reference)
        assert await till.pay(reference, None, notify=False)
    else:
        reference = await counter.start_and_pay(purchase)
    paid, earlier = await till.notice(reference), await till.earlier_notice(reference)
    assert earlier

    answers = [await counter.post(notice) for notice in (paid, earlier)]

    assert answers == [till.taken] * 2
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    assert (await counter.attempt(purchase)).status.value == "CAPTURED"
    assert await count_captures(counter, purchase) == 1
    await assert_books_agree(counter.shop)


async def test_a_forged_notice_is_refused_and_the_log_says_why(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    notice = till.forge(await till.notice(reference))
    before = await read_all_rows(counter.shop)

    with capture_logs() as logs:
        answer = await counter.post(notice)

    assert answer == till.refused
    assert reasons_of(logs) == ["wrong signature"]
    assert await read_all_rows(counter.shop) == before


async def test_a_notice_is_refused_when_one_byte_of_it_was_changed(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    notice = await till.notice(reference)
    before = await read_all_rows(counter.shop)

    places = range(0, len(notice.body), BYTES_BETWEEN_CHANGES)
    with capture_logs() as logs:
        answers = [await counter.post(change_byte(notice, place)) for place in places]

    assert Count(answers) == {till.refused: len(places)}
    assert len(reasons_of(logs)) == len(places)
    assert await read_all_rows(counter.shop) == before
    assert await counter.post(notice) == till.taken


def change_byte(notice: Sent, place: int) -> Sent:
    """The notice with the lowest bit of one byte turned."""
    body = bytearray(notice.body)
    body[place] ^= 1
    return replace(notice, body=bytes(body))


async def test_a_genuine_notice_of_another_amount_is_refused(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    before = await read_all_rows(counter.shop, without=[ProviderCall])

    with capture_logs() as logs:
        answer = await counter.post(await till.other_notice(reference, amount="0.01"))

    assert answer == till.refused
    assert reasons_of(logs) == ["another amount"]
    assert await read_all_rows(counter.shop, without=[ProviderCall]) == before
    assert await counter.notices(purchase) == [(ProviderCallOutcome.REFUSED, "another amount")]


async def test_a_genuine_notice_of_an_unknown_payment_is_refused(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    before = await read_all_rows(counter.shop)

    with capture_logs() as logs:
        answer = await counter.post(await till.other_notice(reference, unknown=True))

    assert answer == till.refused
    assert reasons_of(logs) == ["unknown reference"]
    assert await read_all_rows(counter.shop) == before


async def test_a_notice_comes_again_where_the_database_was_away(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    database = counter.shop.database
    away = Database.open("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    try:
        counter.shop.database = away
        answer = await counter.post(await till.notice(reference))
    finally:
        counter.shop.database = database
        await away.close()

    assert answer == till.later
    assert (await counter.order(purchase)).status is OrderStatus.PENDING
    assert await counter.post(await till.notice(reference)) == till.taken
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED


@pytest.mark.parametrize("till", ["WECHAT_PAY", "CARD"], indirect=True)
async def test_a_notice_comes_again_where_the_provider_could_not_be_asked(
    counter: Counter, till: Till
) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    if isinstance(till, WeChatTill):
        await till.control("rotate")
        await till.control("signing", by="certificate")
        await till.control("faults", fault="server_error", path="/v3/certificates")
    if isinstance(till, CardTill):
        await till.control("fault", call="GET /v1/payment_intents/pi_.*", kind="unavailable")

    first = await counter.post(await till.notice(reference))
    if isinstance(till, WeChatTill):
        await till.control("signing", by="public_key")  # certificates are asked for once a minute

    assert first == till.later
    assert (await counter.order(purchase)).status is OrderStatus.PENDING
    assert await counter.post(await till.notice(reference)) == till.taken
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED


@pytest.mark.parametrize("till", ["WECHAT_PAY"], indirect=True)
async def test_a_sending_is_taken_once_where_the_provider_signs_each_anew(
    counter: Counter, till: Till
) -> None:
    purchase = await counter.buy()
    sending = await till.notice(await counter.start_and_pay(purchase))
    reference = (await counter.attempt(purchase)).reference
    assert await counter.post(sending) == till.taken
    before = await read_all_rows(counter.shop, without=[ProviderCall])

    with capture_logs() as logs:
        replayed = await counter.post(sending)

    assert replayed == till.refused
    assert reasons_of(logs) == ["a nonce that was used before"]
    assert await read_all_rows(counter.shop, without=[ProviderCall]) == before
    assert await counter.notices(purchase) == [
        (ProviderCallOutcome.ANSWERED, None),
        (ProviderCallOutcome.REFUSED, "a nonce that was used before"),
    ]
    assert await counter.post(await till.notice(reference)) == till.taken
    assert await count_captures(counter, purchase) == 1


@pytest.mark.parametrize("till", ["WECHAT_PAY"], indirect=True)
@pytest.mark.parametrize("path", ["wechat-pay", "wechat_pay"])
async def test_the_webhook_has_both_spellings_of_a_method(counter: Counter, till: Till, path: str) -> None:
    reference = await counter.start_and_pay(await counter.buy())

    assert await counter.post(await till.notice(reference), path) == till.taken


async def test_a_notice_that_comes_many_times_at_once_counts_once(counter: Counter, till: Till) -> None:
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    notices = [await till.notice(reference) for _ in range(CROWD)]

    answers = await asyncio.gather(*(counter.post(notice) for notice in notices))

    assert answers == [till.taken] * CROWD
    assert await count_captures(counter, purchase) == 1
    await run_until_idle(counter.shop)
    assert await counter.refunds(purchase) == []
    await assert_books_agree(counter.shop)


async def test_a_notice_and_a_cancellation_at_once_end_in_one_refund(counter: Counter, till: Till) -> None:
    purchases = [await counter.buy() for _ in range(CROWD)]
    references = [await counter.start_and_pay(purchase) for purchase in purchases]
    notices = [[await till.notice(reference) for _ in range(2)] for reference in references]

    async def meet(purchase: Purchase, sendings: list[Sent]) -> list[tuple[int, bytes]]:
        posting = asyncio.gather(*(counter.post(sending) for sending in sendings))
        cancelled, answers = await asyncio.gather(counter.cancel(purchase), posting)
        assert cancelled["userErrors"] == []
        return list(answers)

    answers = await asyncio.gather(*map(meet, purchases, notices))
    await run_until_idle(counter.shop)

    assert answers == [[till.taken] * 2] * CROWD
    for purchase, reference in zip(purchases, references, strict=True):
        assert (await counter.order(purchase)).status is OrderStatus.CANCELLED
        assert await till.captured(reference) == await till.refunded(reference) == 99_00
        assert [refund.amount for refund in await counter.refunds(purchase)] == [99_00]
        assert await count_captures(counter, purchase) == 1
    await assert_books_agree(counter.shop)


@pytest.mark.parametrize("asked_first", [True, False])
async def test_what_was_paid_before_the_order_was_cancelled_goes_back_once(
    counter: Counter, till: Till, asked_first: bool
) -> None:
    """Whether the shop learns of it by closing the payment at the provider, or by the notice."""
    purchase = await counter.buy()
    reference = await counter.start_and_pay(purchase)
    assert (await counter.cancel(purchase))["userErrors"] == []
    if asked_first:
        await run_until_idle(counter.shop)

    answer = await counter.post(await till.notice(reference))
    await run_until_idle(counter.shop)

    assert answer == till.taken
    order = await counter.order(purchase)
    assert (order.status, order.payment_status) == (OrderStatus.CANCELLED, OrderPaymentStatus.REFUNDED)
    assert await till.refunded(reference) == 99_00
    assert [refund.amount for refund in await counter.refunds(purchase)] == [99_00]
    await assert_books_agree(counter.shop)


async def test_after_closing_a_payment_is_impossible_or_goes_back_by_itself(
    counter: Counter, till: Till
) -> None:
    """A code of Alipay that nobody has scanned cannot be closed: it can be paid until its end."""
    purchase = await counter.buy()
    await counter.start(purchase)
    attempt = await counter.attempt(purchase)
    await counter.cancel(purchase)
    await run_until_idle(counter.shop)

    was_paid = await till.pay(attempt.reference, None, notify=True)

    assert was_paid is isinstance(till, AlipayTill)
    if was_paid:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while (await counter.attempt(purchase)).status.value != "CAPTURED":
                await asyncio.sleep(0.02)
        await run_until_idle(counter.shop)
    assert await till.refunded(attempt.reference) == await till.captured(attempt.reference)
    assert (await counter.order(purchase)).status is OrderStatus.CANCELLED
    await assert_books_agree(counter.shop)
