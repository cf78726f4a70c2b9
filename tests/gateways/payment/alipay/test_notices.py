"""Which notices of Alipay are believed, and what they tell."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from gateways.payment.alipay.notices import NOTICE_AGE_LIMIT, parse_form, read_notice
from gateways.payment.alipay.signing import AlipayKeys, read_public_key, signing_input
from gateways.payment.alipay.values import BEIJING
from gateways.payment.provider import (
    Attempt,
    Ignored,
    NoticeAnswer,
    NoticeRefused,
    NoticeRequest,
    PaymentNotice,
    RefundNotice,
    Verdict,
)
from models import AttemptStatus, RefundOutcome
from tests.gateways.payment.alipay.desk import AlipayDesk, AlipayServer, open_desk
from tests.gateways.payment.provider_contract import begin, begin_paid, part_of

PUBLISHED_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoi3o3DQ8IOnKCY3J4WbOaqDlYDwmkjFBqOOdyqnAkvJ0OeKlh+7MwyRNw2+a"
    "acswDRv9HiqYlnmCS4dZ8R0dl0VK4gSWL34wSagHSbjWdTVShMTfqJj+LY/b5xHB6wNDyAek1vARYVJr343iE72vAGPaPZlxI26QC91L"
    "sn1c4zfSr7Ak1I3RjsuwMvwcgVSqMcNpTbmoW7vZlB1U9fdDBkQlVRrNGdl9zFRMo8rklUznfu2dWi9d3rHTVxYVo/tFIaE4FriFzjJk"
    "mX+txuTq5yDh81heyF18mDVNAM6BN+NfARCgDkohUxERHh+0Pu9bRQ3s7FLmcRKv/Qg++tgWRwIDAQAB"
)
PUBLISHED_SIGNATURE = (
    "SdWb0Q0GtJX7xtLV3EN8367IDjUpjTX45y4HrBgc8DLoXpXp2U6xUY2MHHttUeCEQRvenkq0zIW1jfPYratW++Wns4MFeyJlMcr9skTW"
    "Uc8X6YeuAmc8RGNbAg0R1xAN9ph91+L19EVzYgXTojxVCz65oVRdHFA33Siuv+Y9oXCBK8Pxa/lrz7kJxVun9xPPyEgHGg+NBedtCfdH"
    "8bkEEL4wSQGmhQn6ZD00MHpZhEBjFez0/XjTSR/BiK3eRE0jwGSdeEm/MSavrkXBIdGIeFLGp9HE2LkrTcfb1LukXyvx1PglywB6lqTu"
    "TPvGsadgOvjHBKy8SMRgLFOAkpxQZA=="
)
PUBLISHED_NOTICE = {
    "app_id": "2016091701912250",
    "auth_app_id": "2016091701912250",
    "body": "test",
    "buyer_id": "2088402473368090",
    "buyer_logon_id": "lih***@126.com",
    "buyer_pay_amount": "0.01",
    "charset": "utf-8",
    "fund_bill_list": '[{"amount":"0.01","fundChannel":"ALIPAYACCOUNT"}]',
    "gmt_create": "2018-07-19 17:53:40",
    "gmt_payment": "2018-07-19 17:53:41",
    "invoice_amount": "0.01",
    "notify_id": "dc85e632112cabb9c2a17c048e607ebgp5",
    "notify_time": "2018-07-19 17:53:41",
    "notify_type": "trade_status_sync",
    "out_trade_no": "201807191753344",
    "point_amount": "0.00",
    "receipt_amount": "0.01",
    "seller_email": "service@quakoo.com",
    "seller_id": "2088121396278670",
    "subject": "test",
    "total_amount": "0.01",
    "trade_no": "2018071921001004090572530779",
    "trade_status": "TRADE_SUCCESS",
    "version": "1.0",
}
"""A notice that Alipay sent in 2018, with its key and signature as they were published."""


def test_a_signature_that_alipay_has_made_is_valid_and_covers_every_parameter() -> None:
    keys = AlipayKeys(None, [read_public_key(PUBLISHED_KEY.encode())])  # type: ignore[arg-type]

    assert keys.verify(signing_input(PUBLISHED_NOTICE).encode(), PUBLISHED_SIGNATURE)
    for name, value in PUBLISHED_NOTICE.items():
        changed = PUBLISHED_NOTICE | {name: f"{value}1"}
        assert not keys.verify(signing_input(changed).encode(), PUBLISHED_SIGNATURE), name


async def test_a_notice_with_any_one_byte_changed_is_refused(desk: AlipayDesk) -> None:
    notice = await desk.notice(await begin_paid(desk))
    body = notice.body
    assert isinstance(await desk.provider.read(notice), PaymentNotice)

    believed: list[tuple[int, int]] = []
    for place, byte in enumerate(body):
        # Each place takes its case the other way round, its neighbours, what separates, and what ends a text.
        others = {
            byte ^ 0x20,
            byte ^ 1,
            (byte + 1) % 256,
            ord("&"),
            ord("="),
            ord("+"),
            ord("%"),
            ord(" "),
            0,
            255,
        }
        for other in others - {byte}:
            changed = replace(notice, body=body[:place] + bytes([other]) + body[place + 1 :])
            try:
                await desk.provider.read(changed)
            except NoticeRefused:
                continue
            believed.append((place, other))

    assert believed == []


@pytest.mark.parametrize("removed", ["one byte", "a parameter"])
async def test_a_notice_that_lacks_something_is_refused(desk: AlipayDesk, removed: str) -> None:
    notice = await desk.notice(await begin_paid(desk))
    parts = notice.body.split(b"&")
    shorter = {
        "one byte": [notice.body[:place] + notice.body[place + 1 :] for place in range(len(notice.body))],
        "a parameter": [b"&".join(parts[:place] + parts[place + 1 :]) for place in range(len(parts))],
    }[removed]

    for body in shorter:
        with pytest.raises(NoticeRefused):
            await desk.provider.read(replace(notice, body=body))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"app_id": "2021000000000000"}, "another app"),
        ({"seller_id": "2088000000000000"}, "another seller"),
        ({"total_amount": "1.005"}, "unreadable"),
        ({"total_amount": "1e3"}, "unreadable"),
        ({"gmt_payment": "yesterday"}, "unreadable"),
        ({"out_trade_no": "A\x00"}, "unreadable"),
    ],
)
async def test_a_genuine_notice_about_others_or_nothing_is_refused_by_name(
    desk: AlipayDesk, changes: dict[str, str], problem: str
) -> None:
    notice = await desk.notice(await begin_paid(desk), changes=changes)

    with pytest.raises(NoticeRefused, match=problem):
        await desk.provider.read(notice)


async def test_a_notice_that_was_signed_a_day_ago_is_believed(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)

    read = await desk.provider.read(await notice_of_time(desk, attempt, timedelta(hours=24, minutes=22)))

    assert isinstance(read, PaymentNotice)
    assert read.report.status is AttemptStatus.CAPTURED


async def test_a_notice_that_alipay_sends_no_longer_is_refused(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    last = await notice_of_time(desk, attempt, NOTICE_AGE_LIMIT - timedelta(minutes=1))
    assert isinstance(await desk.provider.read(last), PaymentNotice)

    for age in (NOTICE_AGE_LIMIT + timedelta(seconds=1), timedelta(days=9_000)):
        with pytest.raises(NoticeRefused, match="not fresh"):
            await desk.provider.read(await notice_of_time(desk, attempt, age))


async def notice_of_time(desk: AlipayDesk, attempt: Attempt, age: timedelta) -> NoticeRequest:
    """A notice that was sent first so long ago."""
    first_sent = datetime.now(UTC).astimezone(BEIJING) - age
    return await desk.notice(attempt, changes={"notify_time": f"{first_sent:%Y-%m-%d %H:%M:%S}"})


async def test_parameters_that_nobody_knows_yet_are_signed_and_do_not_matter(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)

    read = await desk.provider.read(await desk.notice(attempt, changes={"new_one": "新", "empty": ""}))

    assert isinstance(read, PaymentNotice)


async def test_times_are_those_of_beijing(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)

    read = await desk.provider.read(
        await desk.notice(attempt, changes={"gmt_payment": "2026-11-11 07:30:00"})
    )

    assert isinstance(read, PaymentNotice)
    assert read.report.captured_at == datetime(2026, 11, 10, 23, 30, tzinfo=UTC)


async def test_a_partial_refund_is_no_second_payment(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.provider.refund(refund)

    paid, refunded = [
        await desk.provider.read(await desk.notice(attempt, refund=reference))
        for reference in ("", refund.reference)
    ]

    assert isinstance(paid, PaymentNotice)
    assert isinstance(refunded, RefundNotice)
    assert (refunded.report.reference, refunded.report.outcome) == (refund.reference, RefundOutcome.SUCCEEDED)
    assert paid.notice_id != refunded.notice_id


async def test_a_trade_that_can_no_longer_be_refunded_is_still_captured(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.control("finish", reference=attempt.reference)

    read = await desk.provider.read(await desk.notice(attempt))

    assert isinstance(read, PaymentNotice)
    assert read.report.status is AttemptStatus.CAPTURED
    report = await desk.provider.refund(part_of(attempt, 300))
    assert (report.outcome, report.reason) == (RefundOutcome.ABNORMAL, "ACQ.TRADE_HAS_FINISHED")


async def test_a_trade_that_is_closed_unpaid_is_closed(desk: AlipayDesk) -> None:
    attempt = await begin(desk)
    await desk.meet(attempt)
    await desk.provider.close(attempt)

    read = await desk.provider.read(await desk.notice(attempt))

    assert isinstance(read, PaymentNotice)
    assert read.report.status is AttemptStatus.CLOSED


async def test_what_is_not_about_a_trade_is_ignored(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)

    for changes in ({"notify_type": "dut_user_sign"}, {"trade_status": "TRADE_NEW"}):
        read = await desk.provider.read(await desk.notice(attempt, changes={"gmt_payment": "", **changes}))
        assert isinstance(read, Ignored)


async def test_while_alipays_key_changes_both_keys_are_valid(alipay_server: AlipayServer) -> None:
    keys = alipay_server.keys("other", "alipay")
    async with open_desk(alipay_server, keys=keys) as desk:
        attempt = await begin_paid(desk)

        for other in (False, True):
            read = await desk.provider.read(await desk.notice(attempt, other=other))
            assert isinstance(read, PaymentNotice)
        await desk.break_next("WRONG_SIGNATURE")
        assert (await desk.provider.query(attempt)).status is AttemptStatus.CAPTURED


async def test_a_notice_in_gbk_is_read_in_gbk(alipay_server: AlipayServer) -> None:
    signer = AlipayKeys(alipay_server.keys().own, [alipay_server.keys().own.public_key()])
    text = "app_id=1&charset=GBK&notify_type=other&subject=茶"
    signature = base64.b16encode(base64.b64encode(sign_bytes(signer, text.encode("gbk"))))
    escaped = "".join(f"%{signature[at : at + 2].decode()}" for at in range(0, len(signature), 2))
    body = f"app_id=1&charset=GBK&notify_type=other&subject=%B2%E8&sign_type=RSA2&sign={escaped}".encode()

    read = read_notice(body, signer, app_id="1", seller_id="2", received_at=datetime.now(UTC))

    assert isinstance(read, Ignored)


def sign_bytes(keys: AlipayKeys, content: bytes) -> bytes:

    return keys.own.sign(content, PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a",
        b"charset=utf-8&a=1&a=2",
        b"charset=utf-16&a=1",
        b"charset=utf-8&a=%FF",
        b"a=1&charset=utf-8&",
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(NoticeRefused):
        parse_form(body)


@pytest.mark.parametrize(
    ("verdict", "body"),
    [
        (Verdict.ACCEPTED, b"success"),
        (Verdict.REPEATED, b"success"),
        (Verdict.REFUSED, b"fail"),
        (Verdict.RETRY, b"fail"),
    ],
)
async def test_alipay_is_answered_success_or_fail_and_nothing_else(
    desk: AlipayDesk, verdict: Verdict, body: bytes
) -> None:
    assert desk.provider.answer(verdict) == NoticeAnswer(200, body, {"content-type": "text/plain"})
