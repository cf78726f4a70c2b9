"""Attempts to pay by card: how they start, are declined, take time, and end."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateways.payment.provider import (
    Attempt,
    ClientSecret,
    Closed,
    NothingToDo,
    NotYetThere,
    Paid,
    ProviderError,
    ProviderRefused,
)
from models import AttemptStatus, CurrencyCode, Money
from tests.gateways.payment.card.desk import CardDesk
from tests.gateways.payment.provider_contract import begin, begin_paid, new_start

DAY = timedelta(hours=24)


async def status_of(desk: CardDesk, attempt: Attempt) -> AttemptStatus:
    return (await desk.provider.query(attempt)).status


async def test_the_customer_gets_the_secret_of_the_attempt_and_the_publishable_key(desk: CardDesk) -> None:
    started = await desk.provider.start(new_start(desk, desk.calling_channel))

    assert isinstance(started.action, ClientSecret)
    assert started.action.secret.startswith(f"{started.provider_reference}_secret_")
    assert started.action.publishable_key == desk.provider.publishable_key


async def test_the_browser_pays_with_what_it_was_given(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)
    started = await desk.provider.start(start)
    assert isinstance(started.action, ClientSecret)

    response = await desk.client.post(
        f"{desk.address}/v1/payment_intents/{started.provider_reference}/confirm",
        data={"client_secret": started.action.secret, "payment_method": "pm_card_visa"},
        headers={
            "authorization": f"Bearer {started.action.publishable_key}",
            "stripe-version": "2026-10-28.endive",
        },
    )

    assert response.status_code == 200
    attempt = Attempt(start.reference, started.provider_reference, start.amount)
    assert await status_of(desk, attempt) is AttemptStatus.CAPTURED


async def test_a_captured_attempt_tells_when_and_what_stripe_keeps(desk: CardDesk) -> None:
    report = await desk.provider.query(await begin_paid(desk))

    assert report.fee == Money(405, CurrencyCode.EUR)
    assert report.captured_at is not None
    assert abs(report.captured_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_declined_card_is_not_the_end(desk: CardDesk) -> None:
    attempt = await begin(desk)

    await desk.pay(attempt, "pm_card_chargeDeclined")
    declined = await desk.provider.query(attempt)
    await desk.pay(attempt, "pm_card_visa")
    paid = await desk.provider.query(attempt)

    assert (declined.status, declined.reason) == (AttemptStatus.DECLINED, "Your card was declined.")
    assert (paid.status, paid.reason) == (AttemptStatus.CAPTURED, None)


@pytest.mark.parametrize(
    ("succeeds", "ending"), [(True, AttemptStatus.CAPTURED), (False, AttemptStatus.DECLINED)]
)
async def test_3d_secure_is_a_state_of_the_attempt(
    desk: CardDesk, succeeds: bool, ending: AttemptStatus
) -> None:
    attempt = await begin(desk)

    await desk.pay(attempt, "pm_card_authenticationRequired")
    before = await status_of(desk, attempt)
    await desk.control("settle", reference=attempt.reference, succeeds=succeeds)

    assert before is AttemptStatus.ACTION_NEEDED
    assert await status_of(desk, attempt) is ending


async def test_an_attempt_that_is_processing_cannot_be_closed_and_says_so(desk: CardDesk) -> None:
    attempt = await begin(desk)
    await desk.pay(attempt, "pm_card_slow")

    closing = await desk.provider.close(attempt)
    await desk.control("settle", reference=attempt.reference, succeeds=True)

    assert isinstance(closing, Paid)
    assert closing.report.status is AttemptStatus.PROCESSING
    assert await status_of(desk, attempt) is AttemptStatus.CAPTURED


async def test_what_is_paid_while_it_is_closed_has_one_outcome(desk: CardDesk) -> None:
    for _ in range(10):
        attempt = await begin(desk)

        closing, _ = await asyncio.gather(desk.provider.close(attempt), desk.pay(attempt))

        captured = await desk.captured(attempt)
        assert captured == (desk.amount.minor if isinstance(closing, Paid) else 0)


async def test_another_amount_under_a_used_reference_is_refused(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)
    await desk.provider.start(start)

    with pytest.raises(ProviderRefused, match="another amount"):
        await desk.provider.start(replace(start, amount=Money(1, CurrencyCode.EUR)))

    payments = await desk.payments_of(Attempt(start.reference, None, start.amount))
    assert [each["amount"] for each in payments] == [desk.amount.minor]


async def test_another_subject_under_a_used_reference_is_the_same_attempt(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)

    first = await desk.provider.start(start)
    second = await desk.provider.start(replace(start, subject="订单 2026111100001"))

    assert first == second


async def test_a_start_repeated_after_the_key_was_forgotten_is_still_one_attempt(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)
    first = await desk.provider.start(start)
    await desk.control("set", ahead=(DAY + timedelta(hours=1)).total_seconds())
    later = replace(desk.provider, clock=lambda: datetime.now(UTC) + DAY + timedelta(hours=1))

    assert await later.start(start) == first

    assert len(await desk.payments_of(Attempt(start.reference, None, start.amount))) == 1


async def test_what_was_paid_or_closed_is_not_started_again(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)
    started = await desk.provider.start(start)
    await desk.pay(Attempt(start.reference, started.provider_reference, start.amount))
    other = new_start(desk, desk.calling_channel)
    begun = await desk.provider.start(other)
    await desk.provider.close(Attempt(other.reference, begun.provider_reference, other.amount))
    later = replace(desk.provider, clock=lambda: datetime.now(UTC) + DAY)
    await desk.control("set", ahead=DAY.total_seconds())

    again = await later.start(start)

    assert again.action == NothingToDo()
    with pytest.raises(ProviderRefused, match="closed"):
        await later.start(other)


@pytest.mark.parametrize("delay", [0, 60], ids=["by search", "by list"])
async def test_an_attempt_whose_start_was_not_answered_is_found_by_its_reference(
    desk: CardDesk, delay: int
) -> None:
    start = new_start(desk, desk.calling_channel)
    attempt = Attempt(start.reference, None, start.amount)
    await desk.control("set", search_delay=delay)
    await desk.plan_fault("act_then_hang", "POST /v1/payment_intents")
    with pytest.raises(ProviderError):
        await desk.provider.start(start)

    report = await desk.provider.query(attempt)

    assert report.status is AttemptStatus.WAITING
    assert report.provider_reference
    assert await desk.provider.close(attempt) == Closed()


@pytest.mark.parametrize("kind", ["unavailable", "limit", "hang"])
async def test_a_start_that_did_nothing_is_started_again(desk: CardDesk, kind: str) -> None:
    start = new_start(desk, desk.calling_channel)
    attempt = Attempt(start.reference, None, start.amount)
    await desk.plan_fault(kind, "POST /v1/payment_intents")
    with pytest.raises(ProviderError):
        await desk.provider.start(start)
    assert await desk.provider.close(attempt) == NotYetThere()

    started = await desk.provider.start(start)

    assert started.provider_reference
    assert len(await desk.payments_of(attempt)) == 1


async def test_a_failure_that_stripe_answers_again_is_settled_by_looking_for_the_attempt(
    desk: CardDesk,
) -> None:
    start = new_start(desk, desk.calling_channel)
    await desk.plan_fault("act_then_fail", "POST /v1/payment_intents")
    with pytest.raises(ProviderError):
        await desk.provider.start(start)

    started = await desk.provider.start(start)

    assert isinstance(started.action, ClientSecret)
    assert len(await desk.payments_of(Attempt(start.reference, None, start.amount))) == 1


async def test_a_failure_that_left_nothing_is_the_end_of_its_reference(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)
    await desk.plan_fault("fail", "POST /v1/payment_intents")
    with pytest.raises(ProviderError):
        await desk.provider.start(start)

    with pytest.raises(ProviderRefused):
        await desk.provider.start(start)


async def test_a_call_under_a_key_that_is_in_use_is_asked_for_again(desk: CardDesk) -> None:
    start = new_start(desk, desk.calling_channel)
    await desk.plan_fault("slow", "POST /v1/payment_intents", seconds=0.6)

    outcomes = await asyncio.gather(*(desk.provider.start(start) for _ in range(2)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in outcomes) == ["ProviderError", "Started"]
    assert len(await desk.payments_of(Attempt(start.reference, None, start.amount))) == 1


async def test_an_answer_about_another_attempt_is_not_believed(desk: CardDesk) -> None:
    one, other = await begin(desk), await begin_paid(desk)

    with pytest.raises(ProviderError, match="another attempt"):
        await desk.provider.query(replace(one, provider_reference=other.provider_reference))


async def test_a_wrong_key_refuses_nothing_and_shows_no_key(desk: CardDesk) -> None:
    api = replace(desk.provider.api, key="sk_test_wrong")
    provider = replace(desk.provider, api=api)

    with pytest.raises(ProviderError) as raised:
        await provider.start(new_start(desk, desk.calling_channel))

    assert str(raised.value) == "the key was refused: HTTP 401"
    assert "sk_test" not in repr(provider)
    assert "whsec_" not in repr(provider)


async def test_the_check_names_the_key_that_is_wrong(desk: CardDesk) -> None:
    await begin(desk)
    api = replace(desk.provider.api, key="sk_test_wrong")

    assert await replace(desk.provider, api=api).check() == ["STRIPE_SECRET_KEY is not valid"]
    assert await replace(desk.provider, publishable_key="pk_test_wrong").check() == [
        "STRIPE_PUBLISHABLE_KEY is not valid"
    ]
    assert await desk.provider.check() == []
