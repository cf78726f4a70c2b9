"""WeChat Pay keeps the rules of every provider."""

from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gateways.payment.provider import (
    Attempt,
    Closed,
    NoticeRequest,
    NotYetThere,
    PaymentProvider,
)
from gateways.payment.wechat_pay import WeChatPay
from gateways.payment.wechat_pay.signing import Merchant
from models import CurrencyCode, Money, PaymentChannel
from tests.gateways.payment.provider_contract import Fault, ProviderContract
from tests.gateways.payment.wechat_pay.server import WeChatPayServer, now

FAULTS = {
    # A connection that breaks ends the call as a time-out does, and at once.
    Fault.ACT_THEN_HANG: "drop",
    Fault.SERVER_ERROR: "server_error",
    Fault.NONSENSE: "nonsense",
    Fault.WRONG_SIGNATURE: "wrong_signature",
}

AMOUNT = Money(1999, CurrencyCode.CNY)


@dataclass(frozen=True, slots=True)
class WeChatPayDesk:
    server: WeChatPayServer
    wechat_pay: WeChatPay
    stranger: Merchant
    amount: Money = AMOUNT
    calling_channel: PaymentChannel = PaymentChannel.SCAN
    close_of_unknown: type[Closed | NotYetThere] = NotYetThere
    faults: frozenset[Fault] = frozenset(FAULTS)

    @property
    def provider(self) -> PaymentProvider:
        return self.wechat_pay

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        return self.wechat_pay.channels

    async def meet(self, attempt: Attempt) -> None:
        """WeChat Pay has the order from the start on."""

    async def pay(self, attempt: Attempt) -> None:
        await self.server.ask("pay", reference=attempt.reference, notify=False)

    async def settle_refund(self, reference: str) -> None:
        await self.server.ask("refund", reference=reference, status="SUCCESS")

    async def captured(self, attempt: Attempt) -> int:
        order = await self.server.order(attempt.reference)
        return order["total"] if order and order["transaction_id"] else 0

    async def refunded(self, attempt: Attempt) -> int:
        refunds = (await self.server.ask("book"))["refunds"]
        return sum(each["amount"] for each in refunds if each["order"] == attempt.reference)

    async def break_next(self, fault: Fault) -> None:
        await self.server.ask("faults", fault=FAULTS[fault])

    async def payment_notice(self, attempt: Attempt) -> NoticeRequest:
        return await self.server.notice(attempt.reference, envelope={"id": f"EV-{attempt.reference}"})

    def forge(self, notice: NoticeRequest) -> NoticeRequest:
        timestamp, nonce = notice.headers["wechatpay-timestamp"], notice.headers["wechatpay-nonce"]
        signature = self.stranger.sign_lines(timestamp, nonce, notice.body.decode())
        return replace(notice, headers={**notice.headers, "wechatpay-signature": signature})


@pytest.fixture
def desk(server: WeChatPayServer, provider: WeChatPay) -> WeChatPayDesk:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return WeChatPayDesk(server, provider, Merchant("1", "1", key, now, lambda: "nonce"))


class TestWeChatPay(ProviderContract):
    """The rules of every provider."""
