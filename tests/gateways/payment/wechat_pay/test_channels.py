"""What each channel asks WeChat Pay for, and what the customer is given."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from gateways.payment.provider import AppParameters, ProviderRefused, Redirect, ScanCode, Started
from gateways.payment.wechat_pay import WeChatPay
from models import AttemptStatus, CurrencyCode, Money, PaymentChannel
from tests.gateways.payment.wechat_pay.attempts import attempt_of, new_start
from tests.gateways.payment.wechat_pay.server import WeChatPayServer


def check_signature(provider: WeChatPay, signature: str, *lines: str) -> None:
    """Fails unless the merchant has signed the lines, each with a line feed."""
    message = "".join(f"{line}\n" for line in lines).encode()
    key = provider.api.merchant.key.public_key()
    key.verify(base64.b64decode(signature), message, PKCS1v15(), SHA256())


def parameters_of(started: Started) -> dict[str, Any]:
    assert isinstance(started.action, AppParameters)
    content = json.loads(started.action.text)
    assert isinstance(content, dict)
    return content


async def test_a_code_is_shown_to_scan(server: WeChatPayServer, provider: WeChatPay) -> None:
    start = new_start(PaymentChannel.SCAN)

    started = await provider.start(start)

    assert isinstance(started.action, ScanCode)
    assert started.action.code.startswith("weixin://wxpay/bizpayurl?pr=")
    assert started.valid_until == start.expires_at


async def test_a_mobile_page_leads_back_and_lives_for_five_minutes(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    start = new_start(PaymentChannel.MOBILE_PAGE)

    started = await provider.start(start)

    assert isinstance(started.action, Redirect)
    page, _, back = started.action.url.partition("&redirect_url=")
    assert page.startswith("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx")
    assert back == "https%3A%2F%2Fshop.example%2Forders%2F1%3Fpaid%3D1"
    assert started.valid_until
    assert started.valid_until - start.starts_at < timedelta(minutes=6)
    request = json.loads((await server.order(start.reference))["request"])
    assert request["scene_info"] == {"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}}


async def test_a_page_in_wechat_gets_parameters_signed_with_the_package(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    start = new_start(PaymentChannel.IN_PROVIDER_APP)

    given = parameters_of(await provider.start(start))

    order = await server.order(start.reference)
    assert order["openid"] == start.payer_id
    assert set(given) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert given["package"] == f"prepay_id={order['prepay_id']}"
    assert given["signType"] == "RSA"
    lines = (provider.app_id, given["timeStamp"], given["nonceStr"], given["package"])
    check_signature(provider, given["paySign"], *lines)


async def test_the_app_gets_parameters_signed_with_the_bare_number(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    start = new_start(PaymentChannel.APP)

    given = parameters_of(await provider.start(start))

    order = await server.order(start.reference)
    assert provider.mobile_app_id
    assert order["app_id"] == given["appId"] == provider.mobile_app_id
    assert (given["partnerId"], given["packageValue"]) == (provider.merchant_id, "Sign=WXPay")
    assert given["prepayId"] == order["prepay_id"]
    lines = (provider.mobile_app_id, given["timeStamp"], given["nonceStr"], order["prepay_id"])
    check_signature(provider, given["sign"], *lines)


async def test_an_attempt_ends_when_the_order_does_in_the_time_of_beijing(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    start = new_start()

    await provider.start(start)

    expected = (start.expires_at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00")
    request = json.loads((await server.order(start.reference))["request"])
    assert request["time_expire"] == expected
    assert request["notify_url"] == "https://shop.example/webhooks/payments/wechat_pay"
    await server.ask("clock", offset_seconds=1801)
    late = server.connect(clock=lambda: start.expires_at + timedelta(seconds=1))
    assert (await late.query(attempt_of(start))).status is AttemptStatus.CLOSED
    assert not (await server.ask("pay", reference=start.reference))["paid"]


async def test_a_long_subject_is_cut_between_characters(server: WeChatPayServer, provider: WeChatPay) -> None:
    start = new_start(subject="茶" * 50)

    await provider.start(start)

    assert (await server.order(start.reference))["description"] == "茶" * 42


@pytest.mark.parametrize(
    ("channel", "changes"),
    [
        (PaymentChannel.MOBILE_PAGE, {"payer_address": None}),
        (PaymentChannel.IN_PROVIDER_APP, {"payer_id": None}),
        (PaymentChannel.PAGE, {}),
        (PaymentChannel.SCAN, {"amount": Money(1999, CurrencyCode.USD)}),
        (PaymentChannel.SCAN, {"amount": Money(0, CurrencyCode.CNY)}),
        (PaymentChannel.SCAN, {"reference": "short"}),
        (PaymentChannel.SCAN, {"reference": "../../../certificates"}),
    ],
)
async def test_what_wechat_pay_cannot_take_is_refused_before_it_is_called(
    server: WeChatPayServer, provider: WeChatPay, channel: PaymentChannel, changes: dict[str, object]
) -> None:
    with pytest.raises(ProviderRefused):
        await provider.start(new_start(channel, **changes))
    assert (await server.ask("book"))["calls"] == {}


async def test_the_channel_app_is_off_without_an_app(server: WeChatPayServer) -> None:
    provider = server.connect(WECHAT_PAY_MOBILE_APP_ID="")
    assert provider.channels == {
        PaymentChannel.SCAN,
        PaymentChannel.MOBILE_PAGE,
        PaymentChannel.IN_PROVIDER_APP,
    }
    with pytest.raises(ProviderRefused):
        await provider.start(new_start(PaymentChannel.APP))


async def test_a_number_that_was_used_for_another_amount_is_refused(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    start = new_start()
    await provider.start(start)

    with pytest.raises(ProviderRefused, match="OUT_TRADE_NO_USED"):
        await provider.start(new_start(reference=start.reference, amount=Money(1, CurrencyCode.CNY)))

    assert (await server.order(start.reference))["total"] == 1999
