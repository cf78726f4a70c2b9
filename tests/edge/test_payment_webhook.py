"""What providers say counts when it is genuine, fresh and about us."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from gateways.payment import PaymentReport, ProviderStatus
from gateways.payment.sandbox import NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, message
from gateways.secrets import sign
from models import CurrencyCode, Money, Order, Payment, PaymentNotification, PaymentStatus
from tests.factories.payment import begun, names, payment_of, sandbox_of
from tests.front import Front
from tests.observe import sound

Tick = Callable[[timedelta], None]


async def report(shop: Shop, payment: Payment, **facts: Any) -> PaymentReport:
    async with shop.database.reads() as session:
        order = await session.get_one(Order, payment.order_id)
    said = PaymentReport(payment.reference, ProviderStatus.CAPTURED, payment.total, order.number)
    return replace(said, **facts)


async def tell(front: Front, body: bytes, headers: dict[str, str]) -> int:
    return (await front.http.post("/webhooks/payments/sandbox", content=body, headers=headers)).status_code


async def test_a_notification_is_heard_once_however_often_it_comes(front: Front, shop: Shop) -> None:
    order, payment, _ = await begun(shop)
    body, headers = sandbox_of(shop).signed(await report(shop, payment))

    answers = [await tell(front, body, headers) for _ in range(3)]

    assert answers == [200, 200, 200]
    assert (await names(shop, order)).count("payment.captured") == 1
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(PaymentNotification)) == 1
    await sound(shop)


async def test_a_notification_that_is_changed_on_its_way_is_refused(front: Front, shop: Shop) -> None:
    order, payment, _ = await begun(shop)
    body, headers = sandbox_of(shop).signed(await report(shop, payment, status=ProviderStatus.FAILED))
    forged = body.replace(b"FAILED", b"CAPTURED")
    other_nonce = headers | {NONCE_HEADER: "another"}
    other_time = headers | {TIMESTAMP_HEADER: str(int(headers[TIMESTAMP_HEADER]) + 1)}
    unsigned = {name: value for name, value in headers.items() if name != SIGNATURE_HEADER}
    strange = headers | {SIGNATURE_HEADER: "é"}

    answers = [await tell(front, forged, headers)]
    answers += [await tell(front, body, each) for each in (other_nonce, other_time, unsigned)]
    answers.append(
        (
            await front.http.post(
                "/webhooks/payments/sandbox",
                content=body,
                headers=[(name, value.encode("latin-1")) for name, value in strange.items()],  # type: ignore[arg-type]
            )
        ).status_code
    )

    assert answers == [400] * 5
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_notification_must_be_fresh(front: Front, shop: Shop, tick: Tick, minutes: int) -> None:
    order, payment, _ = await begun(shop)
    tick(timedelta(minutes=minutes))
    body, headers = sandbox_of(shop).signed(await report(shop, payment))
    tick(timedelta(minutes=-minutes))

    assert await tell(front, body, headers) == 400
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


@pytest.mark.parametrize(
    "facts",
    [
        {"amount": Money(1, CurrencyCode.CNY)},
        {"amount": Money(9_900, CurrencyCode.USD)},
        {"order_number": "O1"},
        {"reference": "O1-1"},
        {"reference": "O1\0"},
        {"reference": "\ud800"},
        {"status": ProviderStatus.FAILED, "reason": "No\0"},
    ],
)
async def test_a_genuine_notification_about_something_else_changes_nothing(
    front: Front, shop: Shop, facts: dict[str, Any]
) -> None:
    order, payment, _ = await begun(shop)
    body, headers = sandbox_of(shop).signed(await report(shop, payment, **facts))

    assert await tell(front, body, headers) == 400

    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(PaymentNotification)) == 0


@pytest.mark.parametrize("amount", [b"1e999", b"NaN", b"[" * 30_000, b'"much"'])
async def test_a_genuine_notification_that_cannot_be_read_is_refused(
    front: Front, shop: Shop, amount: bytes
) -> None:
    order, payment, _ = await begun(shop)
    sandbox = sandbox_of(shop)
    body, headers = sandbox.signed(await report(shop, payment))
    body = body.replace(b"9900", amount)
    signed = message(headers[TIMESTAMP_HEADER], headers[NONCE_HEADER], body)

    assert await tell(front, body, headers | {SIGNATURE_HEADER: sign(sandbox.key, signed)}) == 400

    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


async def test_the_door_for_notifications_takes_little_and_from_known_providers(front: Front) -> None:
    big = await front.http.post("/webhooks/payments/sandbox", content=b"x" * 64_001)
    unknown = await front.http.post("/webhooks/payments/nobody", content=b"{}")
    closed = await front.http.post("/webhooks/payments/alipay", content=b"{}")
    cash = await front.http.post("/webhooks/payments/cash-on-delivery", content=b"{}")
    looked = await front.http.get("/webhooks/payments/sandbox")

    assert [answer.status_code for answer in (big, unknown, closed, cash, looked)] == [
        413,
        404,
        404,
        400,
        405,
    ]
