"""Refunds at their providers: asked after until they have ended, and settled once whoever tells it first."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from domain.cause import Cause
from domain.order import cancel_order, lock_order
from domain.payment import confirm_refund, request_refund
from domain.payment.refund import QUERY_AFTER
from events.payment import look_after_refund, take_notice
from events.shop import Shop
from gateways.payment.provider import NoticeRefused, ProviderError, RefundNotice, RefundStart, Verdict
from models import (
    CurrencyCode,
    Money,
    Order,
    OrderStatus,
    Refund,
    RefundOutcome,
    RefundReport,
    RefundStatus,
)
from tests.factories.order import create_order
from tests.factories.payment import (
    ScriptedProvider,
    attempt_of,
    connect_provider,
    event_names_of,
    pay_at_sandbox,
    payment_of,
    refunds_of,
    reload_order,
    start_new_payment,
)
from tests.observe import assert_books_agree, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

Tick = Callable[[timedelta], None]
CNY = CurrencyCode.CNY
PENDING, SUCCEEDED = RefundOutcome.PENDING, RefundOutcome.SUCCEEDED
FAILED, UNKNOWN = RefundOutcome.FAILED, RefundOutcome.UNKNOWN


@dataclass
class RefundingProvider(ScriptedProvider):
    """A provider that answers about refunds as the test says, the last answer again and again."""

    answers: list[RefundOutcome] = field(default_factory=lambda: [SUCCEEDED])
    reported: list[RefundStart] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def refund(self, refund: RefundStart) -> RefundReport:
        self.raise_next_error()
        self.reported.append(refund)
        return self.next_report(refund)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        self.asked.append((refund.reference, provider_reference))
        return self.next_report(refund)

    def next_report(self, refund: RefundStart) -> RefundReport:
        outcome = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        name = None if outcome is UNKNOWN else f"P-{refund.reference}"
        return RefundReport(refund.reference, name, outcome, refund.amount, reason="No such account.")


def connect(shop: Shop, *answers: RefundOutcome) -> RefundingProvider:
    provider = RefundingProvider(answers=list(answers))
    connect_provider(shop, provider)
    return provider


async def order_with_refund(shop: Shop, minor: int = 500) -> Order:
    """A completed order of 99.00, and a refund that is sent when the shop works next."""
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED, now=shop.clock())
        locked = await lock_order(session, order.id)
        await request_refund(session, locked, Money(minor, CNY), reason="sorry", cause=Cause(shop.clock()))
    return order


async def only_refund(shop: Shop, order: Order) -> Refund:
    [refund] = await refunds_of(shop, order)
    return refund


def notice_of(
    refund: Refund, outcome: RefundOutcome, *, id: str = "N-1", amount: Money | None = None
) -> RefundNotice:
    return RefundNotice(id, RefundReport(refund.sent_reference, "P-1", outcome, amount, reason="Closed."))


async def test_a_refund_on_its_way_is_asked_after_ever_later_until_it_has_ended(
    shop: Shop, tick: Tick
) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    waits = []
    for _ in range(14):
        refund = await only_refund(shop, order)
        assert refund.status is RefundStatus.PENDING
        assert refund.query_at is not None
        waits.append(refund.query_at - shop.clock())
        tick(waits[-1])
        await run_until_idle(shop)
    provider.answers = [SUCCEEDED]
    tick(timedelta(days=1))
    await run_until_idle(shop)
    tick(timedelta(days=2))
    await run_until_idle(shop)

    refund = await only_refund(shop, order)
    assert (refund.status, refund.query_at, refund.queries) == (RefundStatus.SUCCEEDED, None, 16)
    assert provider.asked == [(f"{order.number}-R1", f"P-{order.number}-R1")] * 15
    assert len(provider.reported) == 1
    assert timedelta(seconds=48) <= waits[0] <= timedelta(minutes=1)
    assert timedelta(hours=19) <= waits[-1] <= timedelta(days=1)
    assert all(earlier < later for earlier, later in pairwise(waits[:11]))


async def test_a_refund_the_provider_has_never_taken_is_sent_again_under_its_reference(
    shop: Shop, tick: Tick
) -> None:
    provider = connect(shop, UNKNOWN)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    provider.answers = [UNKNOWN, SUCCEEDED]
    tick(QUERY_AFTER)
    await run_until_idle(shop)

    assert [each.reference for each in provider.reported] == [f"{order.number}-R1"] * 2
    assert provider.asked == [(f"{order.number}-R1", None)]
    assert (await only_refund(shop, order)).status is RefundStatus.SUCCEEDED


async def test_a_provider_that_does_not_answer_is_asked_again(shop: Shop, tick: Tick) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    provider.answers, provider.errors = [UNKNOWN, SUCCEEDED], [ProviderError("down")]
    tick(timedelta(minutes=1))
    await run_until_idle(shop)
    assert (await only_refund(shop, order)).status is RefundStatus.PENDING
    tick(timedelta(minutes=2))
    await run_until_idle(shop)

    assert (await only_refund(shop, order)).status is RefundStatus.SUCCEEDED


async def test_a_refund_the_provider_ends_unpaid_is_sent_under_a_new_reference(
    shop: Shop, tick: Tick
) -> None:
    provider = connect(shop, PENDING, FAILED, SUCCEEDED)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    tick(timedelta(minutes=1))
    await run_until_idle(shop)
    refund = await only_refund(shop, order)
    assert (refund.status, refund.failure) == (RefundStatus.FAILED, "No such account.")
    tick(shop.settings.payments.refund_retry_after)
    await run_until_idle(shop)

    assert [each.reference for each in provider.reported] == [f"{order.number}-R1", f"{order.number}-R1-2"]
    refund = await only_refund(shop, order)
    assert (refund.status, refund.provider_reference) == (RefundStatus.SUCCEEDED, f"P-{order.number}-R1-2")


async def test_a_notice_settles_a_refund_and_nobody_asks_any_more(shop: Shop, tick: Tick) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    notice = notice_of(await only_refund(shop, order), SUCCEEDED, amount=Money(500, CNY))
    verdicts = [await take_notice(shop, provider, notice) for _ in range(2)]
    tick(timedelta(days=2))
    await run_until_idle(shop)

    assert verdicts == [Verdict.ACCEPTED, Verdict.REPEATED]
    assert (await only_refund(shop, order)).status is RefundStatus.SUCCEEDED
    assert provider.asked == []
    assert (await event_names_of(shop, order)).count("refund.succeeded") == 1
    assert (await reload_order(shop, order)).status is OrderStatus.COMPLETED


async def test_a_notice_that_overtakes_the_answer_counts_and_so_does_one_without_an_amount(
    shop: Shop,
) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await take_notice(shop, provider, notice_of(await only_refund(shop, order), SUCCEEDED))
    await run_until_idle(shop)

    assert (await only_refund(shop, order)).status is RefundStatus.SUCCEEDED
    assert provider.reported == []


@pytest.mark.parametrize(
    "wrong",
    [
        RefundReport("nobody-R1", "P-1", SUCCEEDED, Money(500, CNY)),
        RefundReport("", "P-1", SUCCEEDED, Money(501, CNY)),
        RefundReport("", "P-1", SUCCEEDED, Money(500, CurrencyCode.USD)),
    ],
    ids=["reference", "amount", "currency"],
)
async def test_a_notice_that_does_not_fit_is_refused_and_changes_nothing(
    shop: Shop, wrong: RefundReport
) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    before = await only_refund(shop, order)
    report = RefundReport(
        wrong.reference or before.reference, wrong.provider_reference, wrong.outcome, wrong.amount
    )
    with pytest.raises(NoticeRefused):
        await take_notice(shop, provider, RefundNotice("N-1", report))

    after = await only_refund(shop, order)
    assert (after.status, after.query_at) == (RefundStatus.PENDING, before.query_at)
    genuine = notice_of(after, SUCCEEDED, amount=Money(500, CNY))
    assert await take_notice(shop, provider, genuine) is Verdict.ACCEPTED


async def test_an_answer_that_does_not_fit_delays_no_other_refund(shop: Shop, tick: Tick) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await run_until_idle(shop)

    async def answer_wrongly(refund: RefundStart, provider_reference: str | None) -> RefundReport:
        return RefundReport(refund.reference, None, SUCCEEDED, Money(1, CNY))

    wrong = RefundingProvider()
    wrong.query_refund = answer_wrongly  # type: ignore[method-assign]
    connect_provider(shop, wrong)
    tick(timedelta(minutes=1))
    await run_until_idle(shop)
    assert (await only_refund(shop, order)).status is RefundStatus.PENDING
    connect_provider(shop, provider)
    provider.answers = [SUCCEEDED]
    tick(timedelta(minutes=2))
    await run_until_idle(shop)

    assert (await only_refund(shop, order)).status is RefundStatus.SUCCEEDED


async def test_a_refund_names_the_attempt_that_brought_the_money(shop: Shop) -> None:
    order, payment, _ = await start_new_payment(shop)
    await pay_at_sandbox(shop, payment)
    attempt = await attempt_of(shop, payment)
    provider = connect(shop, SUCCEEDED)
    async with shop.database.writes.begin() as session:
        await cancel_order(session, order.id, reason="late", cause=Cause(shop.clock()))
    await run_until_idle(shop)

    [reported] = provider.reported
    assert (reported.attempt.reference, reported.attempt.amount, reported.amount) == (
        attempt.reference,
        attempt.total,
        payment.total,
    )
    assert attempt.reference == (await payment_of(shop, order)).attempt_reference


async def test_a_refund_that_comes_back_on_a_closed_order_is_a_task_and_the_order_stays_closed(
    shop: Shop,
) -> None:
    provider = connect(shop, SUCCEEDED)
    order = await order_with_refund(shop, 9_900)
    await run_until_idle(shop)
    assert (await reload_order(shop, order)).status is OrderStatus.CLOSED
    refund = await only_refund(shop, order)
    await take_notice(shop, provider, notice_of(refund, FAILED))
    await run_until_idle(shop)

    after = await reload_order(shop, order)
    refund = await only_refund(shop, order)
    assert (after.status, after.payment_status.value) == (OrderStatus.CLOSED, "PAID")
    assert (refund.status, refund.failure, refund.settled_at) == (RefundStatus.ABNORMAL, "Closed.", None)
    await assert_books_agree(shop)
    async with shop.database.writes.begin() as session:
        await confirm_refund(session, refund.id, reference="BANK-1", cause=Cause(shop.clock()))
    assert (await reload_order(shop, order)).payment_status.value == "REFUNDED"


async def test_however_many_tell_it_at_once_a_refund_is_settled_once(shop: Shop, tick: Tick) -> None:
    provider = connect(shop, PENDING)
    order = await order_with_refund(shop)
    await run_until_idle(shop)
    refund = await only_refund(shop, order)
    provider.answers = [SUCCEEDED]
    tick(timedelta(minutes=1))
    notices = [notice_of(refund, SUCCEEDED, id=f"N-{number}") for number in range(4)]
    outcomes: Sequence[object] = await asyncio.gather(
        *(take_notice(shop, provider, notice) for notice in notices),
        *(look_after_refund(shop, refund.id) for _ in range(4)),
    )

    assert outcomes == [Verdict.ACCEPTED] * 4 + [None] * 4
    assert len(provider.asked) <= 1
    names = await event_names_of(shop, order)
    assert (names.count("refund.succeeded"), names.count("order.completed")) == (1, 2)
