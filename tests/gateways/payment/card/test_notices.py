"""Notices of Stripe: who has signed them, when, for whom, and what they tell."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from gateways.payment.card.notices import SIGNATURE_HEADER, TOLERANCE, sign_notice, verify_notice
from gateways.payment.provider import (
    DisputeNotice,
    Ignored,
    NoticeRefused,
    NoticeRequest,
    PaymentNotice,
    ProviderError,
    Verdict,
)
from models import AttemptStatus, CurrencyCode, DisputeStatus, Money
from tests.gateways.payment.card.desk import CardDesk
from tests.gateways.payment.provider_contract import begin, begin_paid

OFFICIAL_SECRET = "webhook_secret"
OFFICIAL_TIME = 1533204620
OFFICIAL_SIGNATURE = "f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613"
OFFICIAL_OTHER_SCHEME = "63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef"


def official_body() -> bytes:
    """The event that Stripe's own libraries test their signatures with (stripe-dotnet, EventUtilityTest)."""
    item = {
        "id": "ii_123",
        "object": "invoiceitem",
        "amount": 1000,
        "currency": "usd",
        "customer": "cus_123",
        "date": OFFICIAL_TIME,
        "description": "Test Invoice Item",
        "discountable": False,
        "invoice": "in_123",
        "livemode": False,
        "metadata": {},
        "period": {"start": OFFICIAL_TIME, "end": OFFICIAL_TIME},
        "plan": None,
        "proration": False,
        "quantity": None,
        "subscription": None,
    }
    event = {
        "id": "evt_123",
        "object": "event",
        "account": "acct_123",
        "api_version": "2017-05-25",
        "created": OFFICIAL_TIME,
        "data": {"object": item},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": "req_123", "idempotency_key": "idempotency-key-123"},
        "type": "invoiceitem.created",
    }
    return f"{json.dumps(event, indent=2)}\n".encode()


def official_notice(*, received_after: timedelta = timedelta()) -> NoticeRequest:
    header = f"t={OFFICIAL_TIME},v1={OFFICIAL_SIGNATURE},v0={OFFICIAL_OTHER_SCHEME}"
    received_at = datetime.fromtimestamp(OFFICIAL_TIME, UTC) + received_after
    return NoticeRequest({SIGNATURE_HEADER: header}, official_body(), received_at)


def test_the_vector_of_stripes_own_libraries_is_verified() -> None:
    verify_notice(official_notice(), [OFFICIAL_SECRET])

    assert sign_notice(OFFICIAL_SECRET, str(OFFICIAL_TIME), official_body()) == OFFICIAL_SIGNATURE


@pytest.mark.parametrize("sign", [1, -1], ids=["old", "ahead"])
def test_a_notice_may_be_five_minutes_from_our_clock_either_way(sign: int) -> None:
    verify_notice(official_notice(received_after=sign * TOLERANCE), [OFFICIAL_SECRET])

    with pytest.raises(NoticeRefused, match="not fresh"):
        verify_notice(
            official_notice(received_after=sign * (TOLERANCE + timedelta(seconds=1))), [OFFICIAL_SECRET]
        )


def changed_bytes(text: bytes) -> Iterator[bytes]:
    """The text with one byte changed, left out, or put in, at every place."""
    for place in range(len(text)):
        for flipped in (0x01, 0x20, 0x80):
            yield text[:place] + bytes([text[place] ^ flipped]) + text[place + 1 :]
        yield text[:place] + text[place + 1 :]
        yield text[:place] + b" " + text[place:]
    yield text + b"\n"


def refused(request: NoticeRequest, secrets: list[str]) -> bool:
    try:
        verify_notice(request, secrets)
    except NoticeRefused:
        return True
    return False


async def test_every_change_of_one_byte_is_refused(desk: CardDesk) -> None:
    notice = await desk.payment_notice(await begin_paid(desk))
    header = notice.headers[SIGNATURE_HEADER].encode()

    taken = [
        changed
        for changed in changed_bytes(header)
        if not refused(replace(notice, headers={SIGNATURE_HEADER: changed.decode("latin-1")}), [desk.secret])
    ]
    taken += [
        body
        for body in changed_bytes(notice.body)
        if body != notice.body and not refused(replace(notice, body=body), [desk.secret])
    ]

    assert not refused(notice, [desk.secret])
    assert taken == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "v1=00",
        "t=1,t=2,v1=00",
        "t=999999999999,v1=00",
        "t=１,v1=00",
        f"t={OFFICIAL_TIME},v0={OFFICIAL_SIGNATURE}",
        f"t={OFFICIAL_TIME},v1={OFFICIAL_SIGNATURE.upper()}",
        f"t={OFFICIAL_TIME}," + ",".join(["v1=00"] * 10_000),
    ],
)
def test_a_header_without_a_signature_is_refused(header: str) -> None:
    notice = replace(official_notice(), headers={SIGNATURE_HEADER: header})

    with pytest.raises(NoticeRefused):
        verify_notice(notice, [OFFICIAL_SECRET])


async def test_while_a_secret_is_rolled_notices_with_either_are_taken(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    notice = await desk.payment_notice(attempt)
    rolled = replace(desk.provider, webhook_secrets=["whsec_new_secret", desk.secret])

    for secrets in (["whsec_new_secret"], [desk.secret], ["whsec_other", desk.secret]):
        assert isinstance(await rolled.read(desk.resign(notice, secrets=secrets)), PaymentNotice)
    with pytest.raises(NoticeRefused, match="wrong signature"):
        await desk.provider.read(desk.resign(notice, secrets=["whsec_new_secret"]))


async def test_the_server_signs_with_every_secret_in_force(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    answer = await desk.control("roll")
    try:
        (notice,) = await desk.notices_of(attempt, "payment_intent.succeeded")
    finally:
        await desk.control("roll_back")

    secrets = answer["webhook_secrets"]
    assert isinstance(secrets, list)
    assert len(secrets) == 2
    for secret in secrets:
        verify_notice(notice.request, [secret])


def event_of(**changes: object) -> bytes:
    event: Mapping[str, object] = {
        "id": "evt_1",
        "object": "event",
        "type": "customer.created",
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
    }
    return json.dumps({**event, **changes}).encode()


async def read_body(desk: CardDesk, body: bytes) -> object:
    return await desk.provider.read(desk.resign(NoticeRequest({}, body, datetime.now(UTC))))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unreadable"),
        (b"[]", "unreadable"),
        (b"\xff", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (event_of(data=None), "unreadable"),
        (event_of(livemode="false"), "unreadable"),
        (event_of(data={"object": {"id": "../v1/refunds"}}), "unreadable"),
        (event_of(object="v2.core.event"), "not an event"),
        (event_of(id="re_1"), "not an event"),
        (event_of(livemode=True), "of the other mode"),
        (event_of(account="acct_1"), "of another account"),
        (event_of(type="payment_intent.succeeded", data={"object": {"id": "pi_1"}}), "does not know"),
    ],
)
async def test_a_signed_notice_that_is_not_about_this_shop_is_refused(
    desk: CardDesk, body: bytes, reason: str
) -> None:
    with pytest.raises(NoticeRefused, match=reason):
        await read_body(desk, body)


async def test_a_notice_of_the_account_that_is_paid_is_taken(desk: CardDesk) -> None:
    provider = replace(desk.provider, api=replace(desk.provider.api, account="acct_1"))
    notice = desk.resign(NoticeRequest({}, event_of(account="acct_1"), datetime.now(UTC)))

    assert await provider.read(notice) == Ignored("customer.created")


async def test_an_event_the_shop_does_not_know_is_ignored(desk: CardDesk) -> None:
    assert await read_body(desk, event_of()) == Ignored("customer.created")


async def test_an_old_event_does_not_turn_back_what_has_happened_since(desk: CardDesk) -> None:
    attempt = await begin(desk)
    await desk.pay(attempt, "pm_card_chargeDeclined")
    await desk.pay(attempt, "pm_card_visa")

    (late,) = await desk.notices_of(attempt, "payment_intent.payment_failed")
    notice = await desk.provider.read(late.request)

    assert isinstance(notice, PaymentNotice)
    assert notice.notice_id == late.id
    assert notice.report.status is AttemptStatus.CAPTURED


async def test_a_notice_that_cannot_be_asked_about_is_to_come_again(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    notice = await desk.payment_notice(attempt)
    await desk.plan_fault("unavailable", "GET .*")

    with pytest.raises(ProviderError):
        await desk.provider.read(notice)

    assert isinstance(await desk.provider.read(notice), PaymentNotice)


async def test_a_dispute_counts_once_the_money_was_taken(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.control("dispute", reference=attempt.reference, is_inquiry=True)
    (inquiry,) = await desk.notices_of(attempt, "charge.dispute.created")

    assert await desk.provider.read(inquiry.request) == Ignored("a dispute that has moved no money yet")


@pytest.mark.parametrize(("closing", "status"), [("won", DisputeStatus.WON), ("lost", DisputeStatus.LOST)])
async def test_a_dispute_tells_what_it_takes_and_how_it_ends(
    desk: CardDesk, closing: str, status: DisputeStatus
) -> None:
    attempt = await begin_paid(desk)
    await desk.control("dispute", reference=attempt.reference, reason="product_not_received")
    (taken,) = await desk.notices_of(attempt, "charge.dispute.funds_withdrawn")
    opened = await desk.provider.read(taken.request)
    await desk.control("dispute_close", reference=attempt.reference, status=closing)
    (ended,) = await desk.notices_of(attempt, "charge.dispute.closed")
    closed = await desk.provider.read(ended.request)
    late = await desk.provider.read(taken.request)

    assert isinstance(opened, DisputeNotice)
    assert isinstance(closed, DisputeNotice)
    assert isinstance(late, DisputeNotice)
    first = opened.report
    assert first.status is DisputeStatus.OPEN
    assert (first.attempt_reference, first.attempt_provider_reference) == (
        attempt.reference,
        attempt.provider_reference,
    )
    assert (first.amount, first.fee) == (desk.amount, Money(1500, CurrencyCode.EUR))
    assert first.reason == "product_not_received"
    assert (closed.report.status, late.report.status) == (status, status)
    assert closed.report.reference == first.reference


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.ACCEPTED, HTTPStatus.OK),
        (Verdict.REPEATED, HTTPStatus.OK),
        (Verdict.REFUSED, HTTPStatus.BAD_REQUEST),
        (Verdict.RETRY, HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
async def test_the_answer_makes_stripe_stop_or_come_again(
    desk: CardDesk, verdict: Verdict, status: HTTPStatus
) -> None:
    assert desk.provider.answer(verdict).status == status
