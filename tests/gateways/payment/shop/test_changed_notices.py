"""A notice of which a byte was changed on its way is refused; what says the same is the same notice."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote_plus

import pytest
from structlog.testing import capture_logs

from gateways.payment.provider import NoticeRefused, NoticeRequest, PaymentProvider
from models import PaymentMethod, ProviderCall
from tests.gateways.payment.shop.counter import Counter
from tests.gateways.payment.shop.tills import Sent, Till
from tests.observe import read_all_rows

LOWEST_BIT, LETTER_CASE = 0x01, 0x20
SIGNED_HEADERS: Mapping[str, tuple[str, ...]] = {
    "ALIPAY": (),
    "WECHAT_PAY": (
        "wechatpay-serial",
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-signature",
        "wechatpay-signature-type",
    ),
    "CARD": ("stripe-signature",),
}
"""What of the headers each provider's signature is in, or is about."""

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what never reaches the database."""


async def paid_notice(counter: Counter, till: Till) -> Sent:
    notice = await till.notice(await counter.start_and_pay(await counter.buy()))
    return replace(notice, headers={name.lower(): value for name, value in notice.headers.items()})


def changed_bodies(notice: Sent) -> Iterator[bytes]:
    """The body with one bit of each byte turned: the lowest, and that of the case of letters."""
    for place in range(len(notice.body)):
        for bit in (LOWEST_BIT, LETTER_CASE):
            body = bytearray(notice.body)
            body[place] ^= bit
            yield bytes(body)


def changed_headers(notice: Sent, name: str, *bits: int) -> Iterator[dict[str, str]]:
    """The headers with one bit of each byte of one of them turned; without what HTTP cannot carry."""
    value = notice.headers[name]
    for place, character in enumerate(value):
        for bit in bits:
            changed = chr(ord(character) ^ bit)
            if " " < changed < "\x7f":
                yield notice.headers | {name: value[:place] + changed + value[place + 1 :]}


async def is_refused(provider: PaymentProvider, headers: Mapping[str, str], body: bytes) -> bool:
    """What the webhook asks the provider first, with the same request."""
    try:
        await provider.read(NoticeRequest(dict(headers), body, datetime.now(UTC), ""))
    except NoticeRefused:
        return True
    return False


@on_sqlite
async def test_each_byte_of_a_notice_counts_where_the_webhook_has_it_read(
    counter: Counter, till: Till
) -> None:
    notice = await paid_notice(counter, till)
    provider = counter.shop.payments[PaymentMethod(till.method)]

    taken = [body for body in changed_bodies(notice) if not await is_refused(provider, notice.headers, body)]
    taken += [
        headers[name].encode()
        for name in SIGNED_HEADERS[till.method]
        for headers in changed_headers(notice, name, LOWEST_BIT, LETTER_CASE)
        if not await is_refused(provider, headers, notice.body)
    ]

    assert taken == []
    assert not await is_refused(provider, notice.headers, notice.body)


@on_sqlite
@pytest.mark.parametrize("till", ["WECHAT_PAY", "CARD"], indirect=True)
async def test_a_notice_is_refused_when_one_byte_of_a_header_of_its_signature_was_changed(
    counter: Counter, till: Till
) -> None:
    notice = await paid_notice(counter, till)
    before = await read_all_rows(counter.shop)

    answers = set()
    with capture_logs() as logs:
        for name in SIGNED_HEADERS[till.method]:
            for headers in changed_headers(notice, name, LOWEST_BIT):
                answers.add(await counter.post(replace(notice, headers=headers)))

    assert answers == {till.refused}
    assert {line["event"] for line in logs if line["log_level"] == "warning"} == {
        "payment.notification_refused"
    }
    assert await read_all_rows(counter.shop) == before
    assert await counter.post(notice) == till.taken


@on_sqlite
@pytest.mark.parametrize("till", ["WECHAT_PAY", "CARD"], indirect=True)
async def test_a_notice_with_a_header_of_its_signature_twice_or_without_it_is_refused(
    counter: Counter, till: Till
) -> None:
    notice = await paid_notice(counter, till)
    for name in SIGNED_HEADERS[till.method]:
        twice = [*notice.headers.items(), (name, notice.headers[name])]
        answer = await counter.clients.http.post(
            f"/webhooks/payments/{till.method.lower()}", content=notice.body, headers=twice
        )
        assert (answer.status_code, answer.content) == till.refused, name
        without = {other: value for other, value in notice.headers.items() if other != name}
        optional = name == "wechatpay-signature-type"
        if not optional:
            assert await counter.post(replace(notice, headers=without)) == till.refused, name

    assert await counter.post(notice) == till.taken


@pytest.mark.parametrize("till", ["ALIPAY"], indirect=True)
async def test_a_form_that_says_the_same_in_another_spelling_throughout_is_the_same_notice(
    counter: Counter, till: Till
) -> None:
    notice = await paid_notice(counter, till)
    pairs = parse_qsl(notice.body.decode(), keep_blank_values=True, strict_parsing=True)
    turned = "&".join(f"{name}={quote_plus(value)}" for name, value in reversed(pairs)).encode()
    spaces = notice.body.replace(b"+", b"%20")
    lower = "&".join(f"{name}={lower_escapes(quote_plus(value))}" for name, value in pairs).encode()
    assert len({notice.body, turned, lower}) == 3
    assert await counter.post(notice) == till.taken
    before = await read_all_rows(counter.shop, without=[ProviderCall])

    answers = [await counter.post(replace(notice, body=body)) for body in (turned, spaces, lower)]

    assert answers == [till.taken] * 3
    assert await read_all_rows(counter.shop, without=[ProviderCall]) == before


@on_sqlite
@pytest.mark.parametrize("till", ["ALIPAY"], indirect=True)
async def test_a_form_in_which_a_parameter_comes_twice_or_that_is_spelled_in_two_ways_is_refused(
    counter: Counter, till: Till
) -> None:
    notice = await paid_notice(counter, till)
    pairs = parse_qsl(notice.body.decode(), keep_blank_values=True, strict_parsing=True)
    twice = [notice.body + f"&{name}={quote_plus(value)}".encode() for name, value in pairs]
    [at, *_] = [place for place, byte in enumerate(notice.body) if notice.body[place : place + 2] == b"%3"]
    mixed = (
        notice.body[:at] + lower_escapes(notice.body[at : at + 3].decode()).encode() + notice.body[at + 3 :]
    )
    padded = [b" " + notice.body, notice.body + b"\n", notice.body + b"&", b"&" + notice.body]

    for body in (*twice, mixed, *padded):
        answer = await counter.post(replace(notice, body=body))
        assert answer == till.refused, body

    assert await counter.post(notice) == till.taken


def lower_escapes(text: str) -> str:
    """A quoted text with its escapes in lower case."""
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), text)
