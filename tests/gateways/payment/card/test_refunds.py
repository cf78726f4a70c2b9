"""Refunds of cards: given back once, pending, failing at once or after they had succeeded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateways.payment.provider import Ignored, ProviderError, ProviderRefused, RefundNotice
from models import RefundOutcome
from tests.gateways.payment.card.desk import CardDesk
from tests.gateways.payment.provider_contract import begin, begin_paid, part_of


async def test_a_refund_may_take_its_time(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.control("set", refunds_pend=True)

    refund = part_of(attempt, 300)
    report = await desk.provider.refund(refund)
    await desk.settle_refund(refund.reference)
    last = await desk.provider.query_refund(refund, report.provider_reference)

    assert (report.outcome, report.settled_at) == (RefundOutcome.PENDING, None)
    assert last.outcome is RefundOutcome.SUCCEEDED
    assert last.settled_at is not None


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        ("lost_or_stolen_card", RefundOutcome.ABNORMAL),
        ("expired_or_canceled_card", RefundOutcome.ABNORMAL),
        ("declined", RefundOutcome.ABNORMAL),
        ("unknown", RefundOutcome.ABNORMAL),
        ("insufficient_funds", RefundOutcome.FAILED),
        ("charge_for_pending_refund_disputed", RefundOutcome.FAILED),
        ("merchant_request", RefundOutcome.FAILED),
    ],
)
async def test_a_refund_that_fails_after_it_succeeded_is_told_with_its_way_out(
    desk: CardDesk, failure: str, outcome: RefundOutcome
) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    first = await desk.provider.refund(refund)
    await desk.control("refund", reference=refund.reference, status="failed", failure_reason=failure)

    (failed,) = await desk.notices_of(attempt, "refund.failed")
    notice = await desk.provider.read(failed.request)
    again = await desk.provider.refund(refund)

    assert first.outcome is RefundOutcome.SUCCEEDED
    assert isinstance(notice, RefundNotice)
    assert (notice.report.reference, notice.report.outcome) == (refund.reference, outcome)
    assert (notice.report.reason, notice.report.settled_at) == (failure, None)
    assert again == notice.report
    assert await desk.refunded(attempt) == 0


async def test_a_cancelled_refund_has_failed(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.provider.refund(refund)
    await desk.control("refund", reference=refund.reference, status="canceled")

    report = await desk.provider.query_refund(refund, None)

    assert (report.outcome, report.reason) == (RefundOutcome.FAILED, "canceled")


async def test_a_refund_repeated_after_the_key_was_forgotten_gives_back_nothing_more(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    first = await desk.provider.refund(refund)
    await desk.control("set", ahead=timedelta(days=3).total_seconds())

    assert await desk.provider.refund(refund) == first

    assert await desk.refunded(attempt) == 300


async def test_a_refund_whose_failure_is_answered_again_is_looked_for(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    done, lost = part_of(attempt, 300), part_of(attempt, 500)
    await desk.plan_fault("act_then_fail", "POST /v1/refunds")
    with pytest.raises(ProviderError):
        await desk.provider.refund(done)
    await desk.plan_fault("fail", "POST /v1/refunds")
    for _ in range(2):
        with pytest.raises(ProviderError):
            await desk.provider.refund(lost)

    report = await desk.provider.refund(done)

    assert report.outcome is RefundOutcome.SUCCEEDED
    assert await desk.refunded(attempt) == 300
    await desk.control("set", ahead=timedelta(days=2).total_seconds())
    assert (await desk.provider.refund(lost)).outcome is RefundOutcome.SUCCEEDED
    assert await desk.refunded(attempt) == 800


async def test_another_amount_under_a_used_reference_is_refused(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.provider.refund(refund)

    with pytest.raises(ProviderRefused, match="another amount"):
        await desk.provider.refund(part_of(attempt, 200, refund.reference))

    assert await desk.refunded(attempt) == 300


async def test_a_disputed_payment_is_not_refunded(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.control("dispute", reference=attempt.reference)

    with pytest.raises(ProviderRefused, match="disputed"):
        await desk.provider.refund(part_of(attempt, 300))

    assert await desk.refunded(attempt) == 0


async def test_what_was_not_paid_is_not_refunded(desk: CardDesk) -> None:
    attempt = await begin(desk)

    for each in (attempt, replace(attempt, reference="A-unknown", provider_reference=None)):
        with pytest.raises(ProviderRefused):
            await desk.provider.refund(part_of(each, 300))


async def test_a_refund_is_found_where_only_the_shops_references_are_known(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    made = await desk.provider.refund(refund)

    nameless = replace(refund, attempt=replace(attempt, provider_reference=None))

    assert await desk.provider.query_refund(nameless, None) == made


async def test_a_charge_that_was_refunded_says_nothing_that_its_refund_does_not_say(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.provider.refund(part_of(attempt, 300))

    (refunded,) = await desk.notices_of(attempt, "charge.refunded")

    assert await desk.provider.read(refunded.request) == Ignored("charge.refunded")
