"""Alipay as a payment provider: what is asked, and what its answers mean to the shop."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import httpx

from gateways.payment.alipay.gateway import AlipayGateway, GatewayAnswer, read_limited
from gateways.payment.alipay.notices import STATUSES, read_notice
from gateways.payment.alipay.statement import STATEMENT_BYTES_LIMIT, read_statement
from gateways.payment.alipay.values import read_moment, read_yuan, write_moment, write_yuan
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
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    PaymentChannel,
    PaymentMethod,
    RefundOutcome,
    RefundReport,
)

NOT_THERE = "ACQ.TRADE_NOT_EXIST"
NOT_OPEN = {"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS"}
OUT_OF_MONEY = "ACQ.SELLER_BALANCE_NOT_ENOUGH"
NO_WAY_BACK = {
    "ACQ.BUYER_NOT_EXIST",
    "ACQ.BUYER_ERROR",
    "ACQ.BUYER_ENABLE_STATUS_FORBID",
    "ACQ.CUSTOMER_VALIDATE_ERROR",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND",
    "ACQ.NOT_ALLOW_PARTIAL_REFUND",
    "ACQ.REASON_TRADE_BEEN_FREEZEN",
}
"""Refusals of a refund after which the money has to be given back in another way."""

PRODUCTS = {
    PaymentChannel.PAGE: ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    PaymentChannel.MOBILE_PAGE: ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    PaymentChannel.APP: ("alipay.trade.app.pay", "QUICK_MSECURITY_PAY"),
}
REFERENCE = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
UNWANTED = re.compile(r"[/=&]")
SUBJECT_LENGTH = 128
REASON_LENGTH = 128
SHORTEST_CODE = timedelta(minutes=1)
CHECK_REFERENCE = "CARTWHEEL_CHECK"
"""A trade that nobody starts; asking for it tries both keys and changes nothing."""


@dataclass(frozen=True, slots=True)
class Alipay:
    """Payments by Alipay in CNY, and its statements."""

    gateway: AlipayGateway
    seller_id: str

    @property
    def method(self) -> PaymentMethod:
        return PaymentMethod.ALIPAY

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        return frozenset({*PRODUCTS, PaymentChannel.SCAN})

    @property
    def currencies(self) -> frozenset[CurrencyCode]:
        return frozenset({CurrencyCode.CNY})

    async def start(self, start: Start) -> Started:
        """Sign what the customer opens; only a code to scan is asked for at Alipay.

        The trade comes to be when the customer has opened it. It cannot be paid after `expires_at`: nothing
        else ends what was never opened.
        """
        refuse_what_does_not_fit(start, self.gateway.clock())
        content: dict[str, object] = {
            "out_trade_no": start.reference,
            "total_amount": write_yuan(start.amount),
            "subject": UNWANTED.sub(" ", start.subject)[:SUBJECT_LENGTH],
            "time_expire": write_moment(start.expires_at),
        }
        if start.channel is PaymentChannel.SCAN:
            return await self._start_scan(start, content)
        method, product = PRODUCTS[start.channel]
        content["product_code"] = product
        action: Action
        if start.channel is PaymentChannel.APP:
            signed = self.gateway.sign_request(method, content)
            action = AppParameters(str(httpx.QueryParams(signed)))
        else:
            action = Redirect(self.gateway.page_url(method, content, start.return_url))
        return Started(None, action)

    async def query(self, attempt: Attempt) -> AttemptReport:
        answer = await self.gateway.call("alipay.trade.query", {"out_trade_no": attempt.reference})
        if answer.is_accepted:
            return report_of(attempt, answer)
        if answer.sub_code == NOT_THERE:
            return AttemptReport(attempt.reference, None, AttemptStatus.UNKNOWN, None)
        raise ProviderError(f"alipay.trade.query: {answer.sub_code}")

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        """Close the trade; alipay.trade.cancel is never used, since it refunds what was paid meanwhile."""
        answer = await self.gateway.call("alipay.trade.close", {"out_trade_no": attempt.reference})
        if answer.is_accepted:
            return Closed()
        if answer.sub_code == NOT_THERE:
            return NotYetThere()
        report = await self.query(attempt)
        if report.status is AttemptStatus.CAPTURED:
            return Paid(report)
        if report.status is AttemptStatus.CLOSED:
            return Closed()
        raise ProviderError(f"alipay.trade.close: {answer.sub_code}")

    async def refund(self, refund: RefundStart) -> RefundReport:
        refuse_other_currencies(refund.amount.currency)
        content = {
            "out_trade_no": refund.attempt.reference,
            "refund_amount": write_yuan(refund.amount),
            "out_request_no": refund.reference,
            "refund_reason": UNWANTED.sub(" ", refund.reason)[:REASON_LENGTH],
        }
        answer = await self.gateway.call("alipay.trade.refund", content)
        if not answer.is_accepted:
            return refused_refund(refund, answer.sub_code)
        if answer.text("out_trade_no") != refund.attempt.reference:
            raise ProviderError("alipay.trade.refund: the answer is about another trade")
        if answer.text("fund_change") == "Y":
            number = answer.text("trade_no")
            return RefundReport(refund.reference, number, RefundOutcome.SUCCEEDED, refund.amount)
        report = await self.query_refund(refund, None)
        if report.outcome is RefundOutcome.UNKNOWN:
            return RefundReport(refund.reference, None, RefundOutcome.PENDING, refund.amount)
        return report

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        """Ask for a refund; only REFUND_SUCCESS is success. One that was not carried out yet is UNKNOWN."""
        content = {
            "out_trade_no": refund.attempt.reference,
            "out_request_no": refund.reference,
            "query_options": ["gmt_refund_pay"],
        }
        answer = await self.gateway.call("alipay.trade.fastpay.refund.query", content)
        if not answer.is_accepted and answer.sub_code != NOT_THERE:
            raise ProviderError(f"alipay.trade.fastpay.refund.query: {answer.sub_code}")
        if answer.text("refund_status") != "REFUND_SUCCESS":
            return RefundReport(refund.reference, None, RefundOutcome.UNKNOWN, None)
        try:
            amount = read_yuan(answer.text("refund_amount"))
            paid_back_at = answer.text("gmt_refund_pay")
            settled_at = read_moment(paid_back_at) if paid_back_at else None
            if answer.text("out_request_no") != refund.reference:
                raise ValueError("another refund")
        except ValueError as error:
            raise ProviderError(f"alipay.trade.fastpay.refund.query: {error}") from None
        return RefundReport(
            refund.reference, answer.text("trade_no"), RefundOutcome.SUCCEEDED, amount, settled_at=settled_at
        )

    async def read(self, request: NoticeRequest) -> Notice:
        return read_notice(
            request.body,
            self.gateway.keys,
            app_id=self.gateway.app_id,
            seller_id=self.seller_id,
            received_at=request.received_at,
        )

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        """Alipay sends a notice again until it reads exactly "success"."""
        done = verdict in (Verdict.ACCEPTED, Verdict.REPEATED)
        return NoticeAnswer(200, b"success" if done else b"fail", {"content-type": "text/plain"})

    async def check(self) -> Sequence[str]:
        try:
            answer = await self.gateway.call("alipay.trade.query", {"out_trade_no": CHECK_REFERENCE})
        except ProviderError as error:
            return [explain(str(error))]
        if answer.is_accepted or answer.sub_code == NOT_THERE:
            return []
        return [f"Alipay refuses a query: {answer.sub_code}."]

    async def fetch_statement(self, day: date) -> bytes:
        """The trade bill of a day in Beijing, a ZIP; ProviderRefused where there is none yet."""
        method = "alipay.data.dataservice.bill.downloadurl.query"
        answer = await self.gateway.call(method, {"bill_type": "trade", "bill_date": day.isoformat()})
        address = answer.text("bill_download_url")
        if not answer.is_accepted or address is None:
            raise ProviderRefused(f"There is no statement of {day}: {answer.sub_code}.")
        try:
            async with self.gateway.client.stream(
                "GET", address, timeout=self.gateway.timeout_seconds
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise ProviderError(f"the statement: HTTP {response.status_code}")
                return await read_limited(response, STATEMENT_BYTES_LIMIT)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderError(f"the statement: {type(error).__name__}") from None

    def read_statement(self, content: bytes) -> Statement:
        return read_statement(content, seller_id=self.seller_id)

    async def _start_scan(self, start: Start, content: dict[str, object]) -> Started:
        """A code lives for whole minutes from now; the trade, once it was scanned, until `expires_at`."""
        now = self.gateway.clock()
        lifetime = max((start.expires_at - now) // SHORTEST_CODE, 1) * SHORTEST_CODE
        content["qr_code_timeout_express"] = f"{lifetime // SHORTEST_CODE}m"
        answer = await self.gateway.call("alipay.trade.precreate", content)
        code = answer.text("qr_code")
        if not answer.is_accepted:
            raise ProviderRefused(f"alipay.trade.precreate: {answer.sub_code}")
        if code is None or answer.text("out_trade_no") != start.reference:
            raise ProviderError("alipay.trade.precreate: the answer has no code for this trade")
        return Started(None, ScanCode(code), min(now + lifetime, start.expires_at))


def refuse_what_does_not_fit(start: Start, now: datetime) -> None:
    refuse_other_currencies(start.amount.currency)
    if start.channel not in PRODUCTS and start.channel is not PaymentChannel.SCAN:
        raise ProviderRefused(f"Alipay is not offered over {start.channel}.")
    if not REFERENCE.fullmatch(start.reference):
        raise ProviderRefused("The reference has signs that Alipay does not take.")
    if start.amount.minor <= 0:
        raise ProviderRefused("There is nothing to pay.")
    if start.expires_at <= now:
        raise ProviderRefused("The time to pay has ended.")


def refuse_other_currencies(currency: CurrencyCode) -> None:
    if currency is not CurrencyCode.CNY:
        raise ProviderRefused("Alipay takes CNY only.")


def report_of(attempt: Attempt, answer: GatewayAnswer) -> AttemptReport:
    """What an answer to a query says; a trade that was refunded in full is closed there, but was captured."""
    status = STATUSES.get(answer.text("trade_status") or "")
    paid_at = answer.text("send_pay_date")
    try:
        if status is None or answer.text("out_trade_no") != attempt.reference:
            raise ValueError("another trade, or a state that is not known")
        amount = read_yuan(answer.text("total_amount"))
        captured_at = read_moment(paid_at) if paid_at else None
    except ValueError as error:
        raise ProviderError(f"alipay.trade.query: {error}") from None
    if status is AttemptStatus.CLOSED and captured_at:
        status = AttemptStatus.CAPTURED
    return AttemptReport(attempt.reference, answer.text("trade_no"), status, amount, captured_at=captured_at)


def refused_refund(refund: RefundStart, sub_code: str) -> RefundReport:
    """What a refused refund means: ask again, find another way, or it never will be."""
    if sub_code == OUT_OF_MONEY:
        raise ProviderError(f"alipay.trade.refund: {sub_code}: the shop's account lacks the money")
    if sub_code in NO_WAY_BACK:
        return RefundReport(refund.reference, None, RefundOutcome.ABNORMAL, refund.amount, reason=sub_code)
    raise ProviderRefused(f"alipay.trade.refund: {sub_code}")


def explain(problem: str) -> str:
    """What an operator has to look at, by the codes of Alipay's gateway."""
    for code, sentence in {
        "isv.invalid-app-id": "ALIPAY_APP_ID is not the id of an app at Alipay.",
        "isv.invalid-signature": "ALIPAY_PRIVATE_KEY_FILE is not the key of the app at Alipay.",
        "no valid signature": "ALIPAY_PUBLIC_KEY_FILES is not the key that Alipay signs with.",
    }.items():
        if code in problem:
            return sentence
    return f"Alipay cannot be asked: {problem}."
