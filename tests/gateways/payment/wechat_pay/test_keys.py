"""The key of a signature is chosen by its serial: a public key and rotated certificates side by side."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from gateways.payment.provider import NoticeRefused, PaymentNotice, ProviderError
from gateways.payment.wechat_pay import WeChatPay
from gateways.payment.wechat_pay.content import CertificateList, Envelope
from gateways.payment.wechat_pay.platform_keys import PlatformKeys
from gateways.payment.wechat_pay.signing import SignatureRefused, SignedMessage, decrypt
from models import AttemptStatus
from tests.gateways.payment.wechat_pay.attempts import paid_attempt
from tests.gateways.payment.wechat_pay.examples import (
    CERTIFICATE,
    CERTIFICATES,
    CERTIFICATES_KEY,
    NOTICE_BODY,
    NOTICE_HEADERS,
    NOTICE_KEY,
)
from tests.gateways.payment.wechat_pay.server import WeChatPayServer, clock_ahead

FETCH = "GET /v3/certificates"


async def test_notices_of_both_kinds_of_keys_are_taken_side_by_side(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    for by in ("public_key", "certificate", "public_key"):
        await server.ask("signing", by=by)
        assert isinstance(await provider.read(await server.notice(attempt.reference)), PaymentNotice)
    assert await server.calls(FETCH) == 1


async def test_a_merchant_without_a_public_key_verifies_by_certificates(server: WeChatPayServer) -> None:
    provider = server.connect_by_certificates()
    attempt = await paid_attempt(server, provider)

    assert (await provider.query(attempt)).status is AttemptStatus.CAPTURED
    with pytest.raises(NoticeRefused, match="unknown public key"):
        await provider.read(await server.notice(attempt.reference))

    assert await server.calls(FETCH) == 1
    assert await provider.check() == []


async def test_a_certificate_that_is_rotated_is_fetched_once_and_the_old_one_still_counts(
    server: WeChatPayServer,
) -> None:
    moved = timedelta()
    provider = server.connect_by_certificates(lambda: datetime.now(UTC) + moved)
    attempt = await paid_attempt(server, provider)
    await server.ask("signing", by="certificate")
    before = await server.notice(attempt.reference)
    await server.ask("rotate", keep=True)
    after = await server.notice(attempt.reference)
    assert before.headers["wechatpay-serial"] != after.headers["wechatpay-serial"]

    with pytest.raises(NoticeRefused, match="unknown certificate"):
        await provider.read(after)
    assert await server.calls(FETCH) == 1
    moved = timedelta(seconds=61)

    assert isinstance(await provider.read(after), PaymentNotice)
    assert isinstance(await provider.read(before), PaymentNotice)
    assert await server.calls(FETCH) == 2


async def test_a_certificate_that_is_withdrawn_counts_no_longer(server: WeChatPayServer) -> None:
    moved = timedelta()
    provider = server.connect(lambda: datetime.now(UTC) + moved)
    attempt = await paid_attempt(server, provider)
    await server.ask("signing", by="certificate")
    old = await server.notice(attempt.reference)
    assert isinstance(await provider.read(old), PaymentNotice)
    await server.ask("rotate", keep=False)
    moved = timedelta(seconds=61)

    assert isinstance(await provider.read(await server.notice(attempt.reference)), PaymentNotice)

    with pytest.raises(NoticeRefused, match="unknown certificate"):
        await provider.read(old)


async def test_invented_serials_make_one_fetch(server: WeChatPayServer, provider: WeChatPay) -> None:
    attempt = await paid_attempt(server, provider)
    notice = await server.notice(attempt.reference)
    for number in range(20):
        notice.headers["wechatpay-serial"] = f"{number:040X}"  # type: ignore[index] # a dict
        with pytest.raises(NoticeRefused, match="unknown certificate"):
            await provider.read(notice)
    assert await server.calls(FETCH) == 1


async def test_the_list_is_fetched_anew_before_it_is_old(server: WeChatPayServer) -> None:
    moved = timedelta()
    provider = server.connect_by_certificates(lambda: datetime.now(UTC) + moved)
    keys = provider.api.keys
    await keys.load()
    serial = [*keys.certificates][-1]

    await keys.find(serial)
    assert await server.calls(FETCH) == 1
    moved = timedelta(hours=11)
    await server.ask("clock", offset_seconds=moved.total_seconds())
    await keys.find(serial)

    assert await server.calls(FETCH) == 2


async def test_known_certificates_count_while_the_list_cannot_be_fetched(server: WeChatPayServer) -> None:
    moved = timedelta()
    provider = server.connect_by_certificates(lambda: datetime.now(UTC) + moved)
    keys = provider.api.keys
    await keys.load()
    serial = [*keys.certificates][-1]
    moved = timedelta(hours=11)

    await server.ask("faults", fault="server_error", path="/v3/certificates")

    assert await keys.find(serial) == keys.certificates[serial].key


async def test_a_certificate_past_its_end_counts_no_longer(server: WeChatPayServer) -> None:
    moved = timedelta()
    provider = server.connect_by_certificates(lambda: datetime.now(UTC) + moved)
    keys = provider.api.keys
    await keys.load()
    serial = [*keys.certificates][-1]
    moved = timedelta(days=5 * 365 + 1)
    await server.ask("faults", fault="server_error", path="/v3/certificates")

    with pytest.raises(SignatureRefused, match="unknown certificate"):
        await keys.find(serial)


@pytest.mark.parametrize("fault", ["wrong_signature", "unsigned", "stale", "ahead", "nonsense", "probe"])
async def test_a_list_of_certificates_that_cannot_be_trusted_is_not_used(
    server: WeChatPayServer, fault: str
) -> None:
    provider = server.connect_by_certificates()
    await server.ask("faults", fault=fault, path="/v3/certificates")

    with pytest.raises(ProviderError):
        await provider.api.keys.load()

    assert provider.api.keys.certificates == {}


async def test_certificates_that_our_key_does_not_decrypt_are_not_used(server: WeChatPayServer) -> None:
    provider = server.connect(
        WECHAT_PAY_API_KEY="0" * 32, WECHAT_PAY_PUBLIC_KEY_ID="", WECHAT_PAY_PUBLIC_KEY_FILE=""
    )
    problems = await provider.check()
    assert len(problems) == 2
    assert problems[1].startswith("WeChat Pay gives no certificates that WECHAT_PAY_API_KEY opens")
    assert "000000" not in "".join(problems)


async def test_a_wrong_api_key_is_seen_beside_a_right_public_key(server: WeChatPayServer) -> None:
    provider = server.connect(WECHAT_PAY_API_KEY="0" * 32)

    [problem] = await provider.check()

    assert problem.startswith("WeChat Pay gives no certificates that WECHAT_PAY_API_KEY opens")


def public_key_of(pem: str) -> RSAPublicKey:
    key = load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def test_the_example_notice_of_the_official_sdk_is_verified_and_decrypted() -> None:
    body = NOTICE_BODY.encode()
    message = SignedMessage.of(NOTICE_HEADERS, body)
    signed_at = datetime.fromtimestamp(1624523846, UTC)

    message.check_time(signed_at + timedelta(minutes=5))
    message.check_signature(public_key_of(CERTIFICATE))
    box = Envelope.model_validate_json(body).resource
    content = decrypt(
        NOTICE_KEY, nonce=box.nonce, associated_data=box.associated_data, ciphertext=box.ciphertext
    )

    assert json.loads(content) == {
        "mchid": "1234567890",
        "appid": "054aa7d7a2a54ab5898df65bd96f001c",
        "create_time": "2020-06-30T12:12:00+08:00",
        "out_contract_code": "21640bdbd08e473e828f3206a2741c6e",
    }
    with pytest.raises(SignatureRefused, match="not fresh"):
        message.check_time(signed_at + timedelta(minutes=5, seconds=1))
    with pytest.raises(SignatureRefused, match="wrong signature"):
        SignedMessage.of(NOTICE_HEADERS, body + b" ").check_signature(public_key_of(CERTIFICATE))


def test_the_example_certificate_of_the_official_sdk_is_read() -> None:
    async def fetch() -> tuple[SignedMessage, CertificateList]:
        raise AssertionError

    keys = PlatformKeys(CERTIFICATES_KEY, {}, fetch, clock_ahead(timedelta()))
    [item] = CertificateList.model_validate_json(CERTIFICATES).data

    serial, certificate = keys.read_certificate(item)

    assert serial == "D7CE59D1F522D701"
    assert certificate.key == public_key_of(CERTIFICATE)
    assert certificate.expires_at == datetime(2031, 4, 25, 8, 55, 23, tzinfo=UTC)


def test_the_example_of_encryption_of_the_official_sdk_is_decrypted() -> None:
    content = decrypt(
        b"testAPIv3Key0000",
        nonce="wCq51qZv4Yfg",
        associated_data="Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
        ciphertext="FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
    )
    assert content == b"Hello World"
    with pytest.raises(ValueError, match="cannot be decrypted"):
        decrypt(b"testAPIv3Key1111", nonce="wCq51qZv4Yfg", associated_data="", ciphertext="SGVsbG8gV29ybGQK")


def test_a_signature_has_one_text() -> None:
    """The last character before the padding holds bits that decoding drops."""
    signature = NOTICE_HEADERS["wechatpay-signature"]
    other = signature[:-3] + "R" + signature[-2:]
    assert base64.b64decode(other) == base64.b64decode(signature)
    headers = NOTICE_HEADERS | {"wechatpay-signature": other}
    with pytest.raises(SignatureRefused):
        SignedMessage.of(headers, NOTICE_BODY.encode()).check_signature(public_key_of(CERTIFICATE))
