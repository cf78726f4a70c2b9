"""Notifications of payment providers are applied when they are genuine, fresh and about a payment of ours."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from gateways.payment.sandbox.notices import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    notification_signing_input,
)
from gateways.secrets import sign_message
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Money,
    Payment,
    PaymentNotification,
    PaymentStatus,
)
from tests.clients import Clients
from tests.factories.payment import attempt_of, event_names_of, payment_of, sandbox_of, start_new_payment
from tests.observe import assert_books_agree

Tick = Callable[[timedelta], None]


async def payment_report(shop: Shop, payment: Payment, **facts: Any) -> AttemptReport:
    attempt = await attempt_of(shop, payment)
    report = AttemptReport(attempt.reference, None, AttemptStatus.CAPTURED, payment.total)
    return replace(report, **facts)


async def post_notification(clients: Clients, body: bytes, headers: dict[str, str]) -> int:
    return (await clients.http.post("/webhooks/payments/sandbox", content=body, headers=headers)).status_code


async def test_a_repeated_notification_is_applied_once(clients: Clients, shop: Shop) -> None:
    order, payment, _ = await start_new_payment(shop)
    body, headers = sandbox_of(shop).sign_notification(await payment_report(shop, payment))

    answers = [await post_notification(clients, body, headers) for _ in range(3)]

    assert answers == [200, 200, 200]
    assert (await event_names_of(shop, order)).count("payment.captured") == 1
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(PaymentNotification)) == 1
    await assert_books_agree(shop)


async def test_a_notification_that_is_changed_on_its_way_is_refused(clients: Clients, shop: Shop) -> None:
    order, payment, _ = await start_new_payment(shop)
    body, headers = sandbox_of(shop).sign_notification(
        await payment_report(shop, payment, status=AttemptStatus.DECLINED)
    )
    forged = body.replace(b"DECLINED", b"CAPTURED")
    other_nonce = headers | {NONCE_HEADER: "another"}
    other_time = headers | {TIMESTAMP_HEADER: str(int(headers[TIMESTAMP_HEADER]) + 1)}
    unsigned = {name: value for name, value in headers.items() if name != SIGNATURE_HEADER}
    strange = headers | {SIGNATURE_HEADER: "é"}

    answers = [await post_notification(clients, forged, headers)]
    answers += [await post_notification(clients, body, each) for each in (other_nonce, other_time, unsigned)]
    answers.append(
        (
            await clients.http.post(
                "/webhooks/payments/sandbox",
                content=body,
                headers=[(name, value.encode("latin-1")) for name, value in strange.items()],  # type: ignore[arg-type]
            )
        ).status_code
    )

    assert answers == [400] * 5
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_notification_must_be_fresh(clients: Clients, shop: Shop, tick: Tick, minutes: int) -> None:
    order, payment, _ = await start_new_payment(shop)
    tick(timedelta(minutes=minutes))
    body, headers = sandbox_of(shop).sign_notification(await payment_report(shop, payment))
    tick(timedelta(minutes=-minutes))

    assert await post_notification(clients, body, headers) == 400
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


@pytest.mark.parametrize(
    "facts",
    [
        {"amount": Money(1, CurrencyCode.CNY)},
        {"amount": Money(9_900, CurrencyCode.USD)},
        {"reference": "O1-1"},
        {"reference": "O1\0"},
        {"reference": "\ud800"},
        {"status": AttemptStatus.DECLINED, "reason": "No\0"},
    ],
)
async def test_a_genuine_notification_about_something_else_changes_nothing(
    clients: Clients, shop: Shop, facts: dict[str, Any]
) -> None:
    order, payment, _ = await start_new_payment(shop)
    body, headers = sandbox_of(shop).sign_notification(await payment_report(shop, payment, **facts))

    assert await post_notification(clients, body, headers) == 400

    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(PaymentNotification)) == 0


@pytest.mark.parametrize("amount", [b"1e999", b"NaN", b"[" * 30_000, b'"much"'])
async def test_a_genuine_notification_that_cannot_be_read_is_refused(
    clients: Clients, shop: Shop, amount: bytes
) -> None:
    order, payment, _ = await start_new_payment(shop)
    sandbox = sandbox_of(shop)
    body, headers = sandbox.sign_notification(await payment_report(shop, payment))
    body = body.replace(b"9900", amount)
    signed = notification_signing_input(headers[TIMESTAMP_HEADER], headers[NONCE_HEADER], body)

    assert (
        await post_notification(
            clients, body, headers | {SIGNATURE_HEADER: sign_message(sandbox.key, signed)}
        )
        == 400
    )

    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


async def test_the_webhook_accepts_short_bodies_from_known_providers_only(clients: Clients) -> None:
    big = await clients.http.post("/webhooks/payments/sandbox", content=b"x" * 64_001)
    unknown = await clients.http.post("/webhooks/payments/nobody", content=b"{}")
    closed = await clients.http.post("/webhooks/payments/alipay", content=b"{}")
    cash = await clients.http.post("/webhooks/payments/cash-on-delivery", content=b"{}")
    looked = await clients.http.get("/webhooks/payments/sandbox")

    assert [answer.status_code for answer in (big, unknown, closed, cash, looked)] == [
        413,
        404,
        404,
        404,
        405,
    ]
