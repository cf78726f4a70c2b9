"""Attempts and refunds of the tests."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from gateways.payment.provider import Attempt, RefundStart, Start
from gateways.payment.wechat_pay import WeChatPay
from models import CurrencyCode, Money, PaymentChannel
from tests.gateways.payment.wechat_pay.server import WeChatPayServer, now


def yuan(fen: int) -> Money:
    return Money(fen, CurrencyCode.CNY)


def new_reference(prefix: str = "A") -> str:
    return f"{prefix}{uuid4().hex[:24]}"


def new_start(channel: PaymentChannel = PaymentChannel.SCAN, **changes: object) -> Start:
    begun = now()
    start = Start(
        reference=new_reference(),
        order_number="2026111100001",
        amount=yuan(1999),
        subject="Order 2026111100001",
        channel=channel,
        starts_at=begun,
        expires_at=begun + timedelta(minutes=30),
        return_url="https://shop.example/orders/1?paid=1",
        payer_address="203.0.113.7",
        payer_id="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    )
    return replace(start, **changes)  # type: ignore[arg-type] # the fields of a start


def attempt_of(start: Start) -> Attempt:
    return Attempt(start.reference, None, start.amount)


async def paid_attempt(server: WeChatPayServer, provider: WeChatPay) -> Attempt:
    start = new_start()
    await provider.start(start)
    assert (await server.ask("pay", reference=start.reference, notify=False))["paid"]
    return attempt_of(start)


def refund_of(attempt: Attempt, fen: int) -> RefundStart:
    return RefundStart(new_reference("R"), attempt, yuan(fen), "退货")
