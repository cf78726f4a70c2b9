"""Notices are what WeChat Pay has signed, now, for this merchant; anything else is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateways.payment.provider import (
    Ignored,
    NoticeRefused,
    NoticeRequest,
    PaymentNotice,
    RefundNotice,
    Verdict,
)
from gateways.payment.wechat_pay import WeChatPay
from models import AttemptStatus, RefundOutcome
from tests.gateways.payment.wechat_pay.attempts import paid_attempt, refund_of, yuan
from tests.gateways.payment.wechat_pay.server import WeChatPayServer

SIGNED = ("serial", "timestamp", "nonce", "signature", "signature-type")


def change_text(text: str) -> Iterator[str]:
    """The text with each one of its bytes changed."""
    for at, character in enumerate(text):
        yield f"{text[:at]}{chr(ord(character) ^ 1)}{text[at + 1 :]}"


def change_each_byte(notice: NoticeRequest) -> Iterator[NoticeRequest]:
    for at in range(len(notice.body)):
        changed = bytearray(notice.body)
        changed[at] ^= 1
        yield replace(notice, body=bytes(changed))
    for name in (f"wechatpay-{each}" for each in SIGNED):
        for text in change_text(notice.headers[name]):
            yield replace(notice, headers={**notice.headers, name: text})


def with_headers(notice: NoticeRequest, changes: Mapping[str, str]) -> NoticeRequest:
    return replace(notice, headers={**notice.headers, **changes})


@pytest.mark.parametrize("by", ["public_key", "certificate"])
async def test_any_one_byte_that_is_changed_makes_a_notice_refused(
    server: WeChatPayServer, provider: WeChatPay, by: str
) -> None:
    await server.ask("signing", by=by)
    attempt = await paid_attempt(server, provider)
    notice = await server.notice(attempt.reference)
    assert isinstance(await provider.read(notice), PaymentNotice)

    tried = 0
    for changed in change_each_byte(notice):
        tried += 1
        with pytest.raises(NoticeRefused):
            await provider.read(changed)

    assert tried > len(notice.body) + 400
    assert isinstance(await provider.read(notice), PaymentNotice)


@pytest.mark.parametrize("name", SIGNED[:-1])
async def test_a_notice_without_a_header_of_its_signature_is_refused(
    server: WeChatPayServer, provider: WeChatPay, name: str
) -> None:
    attempt = await paid_attempt(server, provider)
    notice = await server.notice(attempt.reference)
    with pytest.raises(NoticeRefused, match="not signed"):
        await provider.read(with_headers(notice, {f"wechatpay-{name}": ""}))


@pytest.mark.parametrize(("seconds", "is_taken"), [(-290, True), (290, True), (-310, False), (310, False)])
async def test_a_notice_is_fresh_for_five_minutes_in_both_directions(
    server: WeChatPayServer, provider: WeChatPay, seconds: int, is_taken: bool
) -> None:
    attempt = await paid_attempt(server, provider)
    notice = await server.notice(attempt.reference, offset_seconds=seconds)
    if is_taken:
        assert isinstance(await provider.read(notice), PaymentNotice)
    else:
        with pytest.raises(NoticeRefused, match="not fresh"):
            await provider.read(notice)


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_shop_whose_clock_is_wrong_takes_no_notice(server: WeChatPayServer, minutes: int) -> None:
    attempt = await paid_attempt(server, server.connect())
    notice = await server.notice(attempt.reference)
    moved = replace(notice, received_at=notice.received_at + timedelta(minutes=minutes))
    with pytest.raises(NoticeRefused, match="not fresh"):
        await server.connect().read(moved)


async def test_a_probe_with_a_wrong_signature_is_refused_and_asked_for_again(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    notice = await server.notice(attempt.reference)
    signature = notice.headers["wechatpay-signature"]

    probe = with_headers(notice, {"wechatpay-signature": f"WECHATPAY/SIGNTEST/{signature}"})
    with pytest.raises(NoticeRefused, match="probe"):
        await provider.read(probe)

    answer = provider.answer(Verdict.REFUSED)
    assert (answer.status, answer.body) == (400, b'{"code":"FAIL","message":"refused"}')


def test_wechat_pay_stops_after_what_was_taken_and_tries_again_after_anything_else(
    provider: WeChatPay,
) -> None:
    answers = {verdict: provider.answer(verdict) for verdict in Verdict}

    assert {verdict: answer.status for verdict, answer in answers.items()} == {
        Verdict.ACCEPTED: 204,
        Verdict.REPEATED: 204,
        Verdict.REFUSED: 400,
        Verdict.RETRY: 503,
    }
    assert answers[Verdict.ACCEPTED].body == answers[Verdict.REPEATED].body == b""
    assert answers[Verdict.RETRY].body == b'{"code":"FAIL","message":"later"}'
    assert answers[Verdict.RETRY].headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"content": {"mchid": "1900000110"}}, "another merchant"),
        ({"content": {"appid": "wx0000000000000000"}}, "another app"),
        ({"content": {"amount": {"total": 1999, "currency": "XXX"}}}, "unreadable"),
        ({"content": {"amount": {"total": "1999"}}}, "unreadable"),
        ({"content": {"amount": {"total": -1}}}, "unreadable"),
        ({"content": {"amount": None}}, "no amount"),
        ({"content": {"out_trade_no": "a\x00b"}}, "unreadable"),
        ({"content": {"success_time": "2026-11-11 11:11:11"}}, "unreadable"),
        ({"envelope": {"id": None}}, "unreadable"),
        ({"envelope": {"resource": []}}, "unreadable"),
    ],
)
async def test_a_signed_notice_that_does_not_fit_is_refused(
    server: WeChatPayServer, provider: WeChatPay, asked: dict[str, object], reason: str
) -> None:
    attempt = await paid_attempt(server, provider)
    with pytest.raises(NoticeRefused, match=reason):
        await provider.read(await server.notice(attempt.reference, **asked))


async def test_what_another_key_encrypted_is_refused(server: WeChatPayServer) -> None:
    attempt = await paid_attempt(server, server.connect())
    provider = server.connect(WECHAT_PAY_API_KEY="0" * 32)
    with pytest.raises(NoticeRefused, match="cannot be decrypted"):
        await provider.read(await server.notice(attempt.reference))


async def test_a_paid_notice_tells_what_was_ordered_whatever_coupons_paid(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    amount = {"total": 1999, "payer_total": 999, "currency": "CNY"}

    notice = await provider.read(await server.notice(attempt.reference, content={"amount": amount}))

    assert isinstance(notice, PaymentNotice)
    assert notice.report.amount == yuan(1999)
    assert notice.report.status is AttemptStatus.CAPTURED
    assert notice.report.captured_at
    assert notice.nonce


async def test_each_sending_has_a_nonce_of_its_own(server: WeChatPayServer, provider: WeChatPay) -> None:
    attempt = await paid_attempt(server, provider)
    sent = [await server.notice(attempt.reference, envelope={"id": "EV-1"}) for _ in range(2)]

    first, second = [await provider.read(each) for each in sent]

    assert isinstance(first, PaymentNotice)
    assert isinstance(second, PaymentNotice)
    assert first.notice_id == second.notice_id == "EV-1"
    assert first.nonce != second.nonce


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("SUCCESS", RefundOutcome.SUCCEEDED),
        ("CLOSED", RefundOutcome.FAILED),
        ("ABNORMAL", RefundOutcome.ABNORMAL),
    ],
)
async def test_a_refund_notice_tells_how_the_refund_ended(
    server: WeChatPayServer, provider: WeChatPay, status: str, outcome: RefundOutcome
) -> None:
    attempt = await paid_attempt(server, provider)
    refund = refund_of(attempt, 300)
    pending = await provider.refund(refund)
    await server.ask("refund", reference=refund.reference, status=status)

    notice = await provider.read(await server.notice(refund.reference, kind="refund"))

    assert pending.outcome is RefundOutcome.PENDING
    assert isinstance(notice, RefundNotice)
    assert (notice.report.reference, notice.report.amount) == (refund.reference, yuan(300))
    assert notice.report.outcome is outcome
    assert (await provider.query_refund(refund, None)).outcome is outcome
    with pytest.raises(NoticeRefused, match="another merchant"):
        await provider.read(
            await server.notice(refund.reference, kind="refund", content={"mchid": "1900000110"})
        )


async def test_an_event_the_shop_has_no_use_for_is_ignored(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    notice = await provider.read(await server.notice(attempt.reference, event="PAYSCORE.USER_PAID"))
    assert notice == Ignored("an event PAYSCORE.USER_PAID")


@pytest.mark.parametrize(
    "timestamp", ["", "0", "-1", "1e9", "99999999999", "999999999999999999999", "١٧٦", " 1764400000"]
)
async def test_a_hostile_time_is_refused(
    server: WeChatPayServer, provider: WeChatPay, timestamp: str
) -> None:
    headers = {
        "wechatpay-serial": "PUB_KEY_ID_0",
        "wechatpay-timestamp": timestamp,
        "wechatpay-nonce": "n",
        "wechatpay-signature": "AAAA",
    }
    with pytest.raises(NoticeRefused):
        await provider.read(NoticeRequest(headers, b"{}", datetime.now(UTC)))
