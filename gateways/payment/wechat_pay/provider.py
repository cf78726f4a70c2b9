"""The provider WeChat Pay: API v3 of a merchant that sells for itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from urllib.parse import urlencode

import orjson

from gateways.payment.provider import (
    Action,
    AppParameters,
    Attempt,
    Closed,
    Notice,
    NoticeAnswer,
    NoticeRequest,
    NotYetThere,
    Paid,
    ProviderError,
    ProviderRefused,
    Redirect,
    RefundStart,
    ScanCode,
    Start,
    Started,
    Statement,
    Verdict,
)
from gateways.payment.wechat_pay.api import ApiRefused, WeChatPayApi
from gateways.payment.wechat_pay.bill import fetch_bill, read_bill
from gateways.payment.wechat_pay.content import Prepaid, RefundContent, Transaction
from gateways.payment.wechat_pay.notices import ANSWERS, NoticeReader
from gateways.payment.wechat_pay.platform_keys import CertificatesClosed
from gateways.payment.wechat_pay.reports import report_refund, report_transaction
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Money,
    PaymentChannel,
    PaymentMethod,
    RefundOutcome,
    RefundReport,
    StatementForm,
)

ORDERS_PATH = "/v3/pay/transactions"
REFUNDS_PATH = "/v3/refund/domestic/refunds"
BEIJING = timezone(timedelta(hours=8))

REFERENCE = re.compile(r"[0-9A-Za-z_\-]{6,32}")
SUBJECT_BYTES = 127
REASON_BYTES = 80

KINDS: Mapping[PaymentChannel, str] = {
    PaymentChannel.SCAN: "native",
    PaymentChannel.MOBILE_PAGE: "h5",
    PaymentChannel.IN_PROVIDER_APP: "jsapi",
    PaymentChannel.APP: "app",
}
"""The last part of the path that starts an attempt."""

PREPAY_LIFETIME = timedelta(hours=2)
PAGE_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class WeChatPay:
    """`notify_url` is where notices come to; `mobile_app_id` is that of the shop's own app, if it has one."""

    api: WeChatPayApi
    notices: NoticeReader
    app_id: str
    mobile_app_id: str | None
    notify_url: str

    @property
    def method(self) -> PaymentMethod:
        return PaymentMethod.WECHAT_PAY

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        return frozenset(KINDS) - (frozenset() if self.mobile_app_id else {PaymentChannel.APP})

    @property
    def currencies(self) -> frozenset[CurrencyCode]:
        return frozenset({CurrencyCode.CNY})

    async def start(self, start: Start) -> Started:
        content = self.describe_order(start)
        prepaid = await self.api.post(f"{ORDERS_PATH}/{KINDS[start.channel]}", content, Prepaid)
        lifetime = PAGE_LIFETIME if start.channel is PaymentChannel.MOBILE_PAGE else PREPAY_LIFETIME
        valid_until = min(start.expires_at, self.api.merchant.clock() + lifetime)
        return Started(None, self.make_action(start, prepaid), valid_until)

    async def query(self, attempt: Attempt) -> AttemptReport:
        target = f"{ORDERS_PATH}/out-trade-no/{check_reference(attempt.reference)}?{self.merchant_query}"
        try:
            transaction = await self.api.get(target, Transaction)
        except ApiRefused as refused:
            if not refused.is_missing:
                raise
            return AttemptReport(attempt.reference, None, AttemptStatus.UNKNOWN, None)
        is_ours = transaction.mchid == self.merchant_id and transaction.appid in self.app_ids
        if not is_ours or transaction.out_trade_no != attempt.reference:
            raise ProviderError("the answer is about another order")
        return report_transaction(transaction)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        target = f"{ORDERS_PATH}/out-trade-no/{check_reference(attempt.reference)}/close"
        try:
            await self.api.call("POST", target, orjson.dumps({"mchid": self.merchant_id}))
        except ApiRefused as refused:
            # Codes differ from page to page of the documentation: what the order is now decides.
            return await self.settle_refused_close(attempt, refused)
        return Closed()

    async def settle_refused_close(
        self, attempt: Attempt, refused: ApiRefused
    ) -> Closed | Paid | NotYetThere:
        report = await self.query(attempt)
        if report.status is AttemptStatus.CAPTURED:
            return Paid(report)
        if report.status is AttemptStatus.CLOSED:
            return Closed()
        if report.status is AttemptStatus.UNKNOWN:
            # A start that was given up may still arrive there.
            return NotYetThere()
        raise refused

    async def refund(self, refund: RefundStart) -> RefundReport:
        whole, part = fen_of(refund.attempt.amount), fen_of(refund.amount)
        content = {
            "out_trade_no": check_reference(refund.attempt.reference),
            "out_refund_no": check_reference(refund.reference),
            "reason": shorten(refund.reason, REASON_BYTES),
            "notify_url": self.notify_url,
            "amount": {"refund": part, "total": whole, "currency": CurrencyCode.CNY.value},
        }
        return self.report_own(refund, await self.api.post(REFUNDS_PATH, content, RefundContent))

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        target = f"{REFUNDS_PATH}/{check_reference(refund.reference)}"
        try:
            return self.report_own(refund, await self.api.get(target, RefundContent))
        except ApiRefused as refused:
            if not refused.is_missing:
                raise
            return RefundReport(refund.reference, provider_reference, RefundOutcome.UNKNOWN, None)

    def report_own(self, refund: RefundStart, content: RefundContent) -> RefundReport:
        """ProviderError where the answer is about another refund, or about another amount."""
        report = report_refund(content)
        expected = (refund.reference, refund.attempt.reference, refund.amount)
        if (content.out_refund_no, content.out_trade_no, report.amount) != expected:
            raise ProviderError("the answer is about another refund")
        return report

    async def read(self, request: NoticeRequest) -> Notice:
        return await self.notices.read(request)

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        return ANSWERS[verdict]

    async def check(self) -> Sequence[str]:
        """Asks for an order that does not exist, and for the platform certificates."""
        problems = []
        try:
            reference = f"CHECK-{self.api.merchant.new_nonce()}"[:32].replace("=", "")
            await self.query(Attempt(reference, None, Money.zero(CurrencyCode.CNY)))
        except (ProviderError, ProviderRefused) as error:
            problems.append(f"WeChat Pay does not answer a query: {error}")
        try:
            await self.api.keys.load()
        except ProviderError as error:
            # Merchants that began with the public key have no certificates.
            if self.api.public_key_id is None or isinstance(error, CertificatesClosed):
                problems.append(f"WeChat Pay gives no certificates that WECHAT_PAY_API_KEY opens: {error}")
        return problems

    async def fetch_statement(self, day: date) -> bytes:
        return await fetch_bill(self.api, day)

    def read_statement(self, content: bytes) -> Statement:
        return Statement(self.method, read_bill(content, self.merchant_id), StatementForm.TRADES, BEIJING)

    @property
    def merchant_id(self) -> str:
        return self.api.merchant.id

    @property
    def merchant_query(self) -> str:
        return urlencode({"mchid": self.merchant_id})

    @property
    def app_ids(self) -> frozenset[str]:
        return frozenset({self.app_id, self.mobile_app_id or self.app_id})

    def app_id_of(self, channel: PaymentChannel) -> str:
        """The app id an attempt belongs to; ProviderRefused for channels that are off."""
        if channel not in self.channels:
            raise ProviderRefused(f"WeChat Pay takes no money by {channel.value}.")
        return self.mobile_app_id if channel is PaymentChannel.APP and self.mobile_app_id else self.app_id

    def describe_order(self, start: Start) -> dict[str, object]:
        content: dict[str, object] = {
            "appid": self.app_id_of(start.channel),
            "mchid": self.merchant_id,
            "description": shorten(start.subject, SUBJECT_BYTES),
            "out_trade_no": check_reference(start.reference),
            "time_expire": start.expires_at.astimezone(BEIJING).isoformat(timespec="seconds"),
            "notify_url": self.notify_url,
            "amount": {"total": fen_of(start.amount), "currency": CurrencyCode.CNY.value},
        }
        if start.channel is PaymentChannel.MOBILE_PAGE:
            if start.payer_address is None:
                raise ProviderRefused("WeChat Pay asks for the customer's network address.")
            content["scene_info"] = {"payer_client_ip": start.payer_address, "h5_info": {"type": "Wap"}}
        if start.channel is PaymentChannel.IN_PROVIDER_APP:
            if start.payer_id is None:
                raise ProviderRefused("WeChat Pay asks for the customer's openid.")
            content["payer"] = {"openid": start.payer_id}
        return content

    def make_action(self, start: Start, prepaid: Prepaid) -> Action:
        """What the customer does; ProviderError where the answer has nothing for the channel."""
        if start.channel is PaymentChannel.SCAN and prepaid.code_url:
            return ScanCode(prepaid.code_url)
        if start.channel is PaymentChannel.MOBILE_PAGE and prepaid.h5_url:
            back = f"&{urlencode({'redirect_url': start.return_url})}" if start.return_url else ""
            return Redirect(prepaid.h5_url + back)
        if start.channel is PaymentChannel.IN_PROVIDER_APP and prepaid.prepay_id:
            return AppParameters(self.sign_page_parameters(prepaid.prepay_id))
        if start.channel is PaymentChannel.APP and prepaid.prepay_id:
            return AppParameters(self.sign_app_parameters(prepaid.prepay_id))
        raise ProviderError("the answer has no action")

    def sign_page_parameters(self, prepay_id: str) -> str:
        """JSON for WeixinJSBridge, and for wx.requestPayment, which takes all but `appId`."""
        timestamp, nonce = self.api.merchant.stamp()
        package = f"prepay_id={prepay_id}"
        parameters = {
            "appId": self.app_id,
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self.api.merchant.sign_lines(self.app_id, timestamp, nonce, package),
        }
        return orjson.dumps(parameters).decode()

    def sign_app_parameters(self, prepay_id: str) -> str:
        """JSON for sendReq of WeChat's OpenSDK."""
        timestamp, nonce = self.api.merchant.stamp()
        app_id = self.app_id_of(PaymentChannel.APP)
        parameters = {
            "appId": app_id,
            "partnerId": self.merchant_id,
            "prepayId": prepay_id,
            "packageValue": "Sign=WXPay",
            "nonceStr": nonce,
            "timeStamp": timestamp,
            "sign": self.api.merchant.sign_lines(app_id, timestamp, nonce, prepay_id),
        }
        return orjson.dumps(parameters).decode()


def check_reference(reference: str) -> str:
    """The reference, if WeChat Pay takes it; it becomes part of a path."""
    if not REFERENCE.fullmatch(reference):
        raise ProviderRefused("WeChat Pay takes references of 6 to 32 letters, digits, - and _.")
    return reference


def fen_of(amount: Money) -> int:
    """The amount in fen; ProviderRefused for another currency or nothing."""
    if amount.currency is not CurrencyCode.CNY or amount.minor <= 0:
        raise ProviderRefused("WeChat Pay takes yuan, and more than nothing.")
    return amount.minor


def shorten(text: str, limit: int) -> str:
    """As much of the text as fits into so many bytes."""
    return text.encode()[:limit].decode(errors="ignore")
