"""What Alipay's answers mean to the shop, and what its settings and keys must be."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench.provider_servers.alipay.server import APP_ID, SELLER_ID
from gateways.payment.alipay import connect
from gateways.payment.alipay.gateway import split_members
from gateways.payment.alipay.signing import KeyUnreadable, read_private_key, read_public_key
from gateways.payment.alipay.values import read_yuan
from gateways.payment.provider import Closed, NotYetThere, Paid, ProviderError, ProviderRefused
from gateways.secrets import Secrets
from models import AttemptStatus, CurrencyCode, Money, PaymentChannel, RefundOutcome
from tests.conftest import settings_for
from tests.gateways.payment.alipay.desk import AlipayDesk, AlipayServer, open_desk
from tests.gateways.payment.provider_contract import begin, begin_paid, new_start, part_of


async def test_what_nobody_has_scanned_is_not_there_though_it_can_still_be_paid(desk: AlipayDesk) -> None:
    for channel in sorted(desk.channels):
        attempt = await begin(desk, channel)

        assert (await desk.provider.query(attempt)).status is AttemptStatus.UNKNOWN
        assert await desk.provider.close(attempt) == NotYetThere()

        await desk.pay(attempt)
        assert isinstance(await desk.provider.close(attempt), Paid)


@pytest.mark.parametrize("channel", [PaymentChannel.PAGE, PaymentChannel.SCAN])
async def test_an_attempt_ends_at_its_deadline_in_beijing(desk: AlipayDesk, channel: PaymentChannel) -> None:
    now = datetime.now(UTC)
    start = replace(new_start(desk, channel), expires_at=now + timedelta(seconds=2))
    started = await desk.provider.start(start)

    if channel is PaymentChannel.PAGE:
        query = dict(parse_qsl(urlsplit(desk.provider.actions[start.reference]).query))
        assert (start.expires_at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S") in query["biz_content"]
    else:
        assert started.valid_until == start.expires_at


async def test_what_does_not_fit_is_refused_before_anybody_is_asked(desk: AlipayDesk) -> None:
    start = new_start(desk, PaymentChannel.SCAN)
    for changed in (
        replace(start, amount=Money(100, CurrencyCode.USD)),
        replace(start, amount=Money(0, CurrencyCode.CNY)),
        replace(start, channel=PaymentChannel.IN_PROVIDER_APP),
        replace(start, reference="A 1"),
        replace(start, expires_at=datetime.now(UTC)),
    ):
        with pytest.raises(ProviderRefused):
            await desk.provider.start(changed)


async def test_closing_what_is_closed_is_closed(desk: AlipayDesk) -> None:
    attempt = await begin(desk)
    await desk.meet(attempt)
    assert await desk.provider.close(attempt) == Closed()
    assert await desk.provider.close(attempt) == Closed()


async def test_what_was_refunded_in_full_was_captured(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.provider.refund(part_of(attempt, desk.amount.minor))

    assert (await desk.provider.query(attempt)).status is AttemptStatus.CAPTURED
    assert isinstance(await desk.provider.close(attempt), Paid)


async def test_a_refund_is_pending_until_alipay_says_success(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.break_next("PENDING_REFUND", "alipay.trade.refund")

    assert (await desk.provider.refund(refund)).outcome is RefundOutcome.PENDING
    assert await desk.refunded(attempt) == 0
    await desk.settle_refund(refund.reference)
    assert (await desk.provider.query_refund(refund, None)).outcome is RefundOutcome.SUCCEEDED
    assert await desk.refunded(attempt) == 300


@pytest.mark.parametrize("fault", ["ACQ.SYSTEM_ERROR", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "isp.unknow-error"])
async def test_a_refund_that_may_come_yet_is_asked_for_again(desk: AlipayDesk, fault: str) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.break_next(fault, "alipay.trade.refund")

    with pytest.raises(ProviderError, match=fault):
        await desk.provider.refund(refund)

    assert (await desk.provider.refund(refund)).outcome is RefundOutcome.SUCCEEDED
    assert await desk.refunded(attempt) == 300


async def test_a_refund_to_an_account_that_is_gone_needs_another_way(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    await desk.break_next("ACQ.BUYER_NOT_EXIST", "alipay.trade.refund")

    report = await desk.provider.refund(part_of(attempt, 300))

    assert (report.outcome, report.reason) == (RefundOutcome.ABNORMAL, "ACQ.BUYER_NOT_EXIST")


async def test_the_same_refund_with_another_amount_is_refused(desk: AlipayDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.provider.refund(refund)

    with pytest.raises(ProviderRefused, match="DISCORDANT"):
        await desk.provider.refund(replace(refund, amount=Money(301, CurrencyCode.CNY)))

    assert await desk.refunded(attempt) == 300


async def test_an_answer_without_a_signature_is_not_believed(desk: AlipayDesk) -> None:
    attempt = await begin(desk)
    await desk.break_next("NO_SIGNATURE")

    with pytest.raises(ProviderError, match=r"ACQ\.TRADE_NOT_EXIST"):
        await desk.provider.query(attempt)


async def test_checking_says_which_key_does_not_fit(alipay_server: AlipayServer) -> None:
    right, wrong = alipay_server.keys(), rsa.generate_private_key(65537, 2048)
    async with open_desk(alipay_server, keys=replace(right, own=wrong)) as desk:
        assert await desk.provider.check() == ["ALIPAY_PRIVATE_KEY_FILE is not the key of the app at Alipay."]
    async with open_desk(alipay_server, keys=replace(right, alipay=[wrong.public_key()])) as desk:
        assert await desk.provider.check() == [
            "ALIPAY_PUBLIC_KEY_FILES is not the key that Alipay signs with."
        ]
    async with open_desk(alipay_server) as desk:
        gateway = replace(desk.provider.gateway, app_id="2021000000000000")
        problems = await replace(desk.provider, gateway=gateway).check()
        assert problems == ["ALIPAY_APP_ID is not the id of an app at Alipay."]


@pytest.mark.parametrize("missing", ["alipay_app_id", "alipay_seller_id", "alipay_private_key_file"])
async def test_without_a_setting_alipay_is_off_and_the_log_names_it(
    alipay_server: AlipayServer, tmp_path: Path, missing: str
) -> None:
    values = settings_of(alipay_server)
    del values[missing]

    async with httpx.AsyncClient() as client:
        with structlog.testing.capture_logs() as logs:
            settings = settings_for("sqlite://", tmp_path, **values)
            assert connect(settings, client, lambda: datetime.now(UTC), Secrets()) is None

    assert [entry["missing"] for entry in logs] == [[missing.upper()]]


async def test_with_its_settings_alipay_is_connected_and_a_broken_key_is_named(
    alipay_server: AlipayServer, tmp_path: Path
) -> None:
    values = settings_of(alipay_server)
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PUBLIC KEY-----")

    async with httpx.AsyncClient(trust_env=False) as client:
        settings = settings_for("sqlite://", tmp_path, **values)
        alipay = connect(settings, client, lambda: datetime.now(UTC), Secrets())
        assert alipay is not None
        assert await alipay.check() == []

        settings = settings_for("sqlite://", tmp_path, **values | {"alipay_public_key_files": str(broken)})
        with structlog.testing.capture_logs() as logs:
            assert connect(settings, client, lambda: datetime.now(UTC), Secrets()) is None
    assert [entry["problem"] for entry in logs] == ["ALIPAY_PUBLIC_KEY_FILES holds no public key"]


def settings_of(server: AlipayServer) -> dict[str, str]:
    return {
        "alipay_app_id": APP_ID,
        "alipay_seller_id": SELLER_ID,
        "alipay_private_key_file": str(server.folder / "app_private.pem"),
        "alipay_public_key_files": str(server.folder / "alipay_public.pem"),
        "alipay_gateway": f"{server.address}/gateway.do",
    }


def test_keys_are_read_as_pem_and_as_alipays_tool_writes_them() -> None:
    key = rsa.generate_private_key(65537, 2048)
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - too small is what is tested
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        pem = key.private_bytes(Encoding.PEM, form, NoEncryption())
        unwrapped = base64.b64encode(key.private_bytes(Encoding.DER, form, NoEncryption()))
        assert read_private_key(pem).private_numbers() == key.private_numbers()
        assert read_private_key(unwrapped).private_numbers() == key.private_numbers()
    assert read_public_key(base64.b64encode(public)).public_numbers() == key.public_key().public_numbers()
    for content in (
        b"",
        b"-----BEGIN",
        small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ):
        with pytest.raises(KeyUnreadable):
            read_private_key(content)


@pytest.mark.parametrize("text", ["", ".5", "1.", "+1", "1e2", " 1.00", "1.001", "NaN", "１", None, 1])
def test_an_amount_that_is_not_exact_to_the_fen_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        read_yuan(text)


def test_amounts_are_exact() -> None:
    amounts = {"0.01": 1, "1": 100, "1.1": 110, "999999999999.99": 99_999_999_999_999, "-3.00": -300}
    assert {text: read_yuan(text).minor for text in amounts} == amounts


def test_the_signed_part_of_an_answer_is_its_text_as_it_came() -> None:
    text = ' {"a_response" : {"x": "}\\"{", "y":[1]} , "sign":"S"} '

    assert split_members(text) == {"a_response": '{"x": "}\\"{", "y":[1]}', "sign": '"S"'}
    for wrong in ("", "{}", "[]", '{"a":1,"a":2}', '{"a":1}x', '{"a" 1}', '{"a":1', "{1:2}"):
        with pytest.raises(ValueError, match=r"\w"):
            split_members(wrong)
