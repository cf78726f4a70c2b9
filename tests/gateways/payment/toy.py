"""A further payment provider: this file, its line of registration and its settings are all that it takes.

Its bank is in the memory of the test; a notice is JSON with an HMAC, which comes by the shop's webhook.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import structlog
from pydantic import Field, SecretStr

from gateways.payment.provider import (
    Attempt,
    Closed,
    NoticeAnswer,
    NoticeRefused,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentNotice,
    Redirect,
    RefundStart,
    Start,
    Started,
    Verdict,
)
from gateways.payment.registry import PaymentConnection
from gateways.secrets import Secrets, sign_message, verify_signature
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Money,
    PaymentChannel,
    PaymentMethod,
    RefundOutcome,
    RefundReport,
)
from settings import Settings
from settings.group import SettingsGroup

log = structlog.get_logger()

SIGNATURE_HEADER = "toy-signature"
ANSWERS = {Verdict.REFUSED: NoticeAnswer(400), Verdict.RETRY: NoticeAnswer(503)}


class ToySettings(SettingsGroup):
    key: SecretStr = Field(SecretStr(""), validation_alias="TOY_KEY", description="signs notices")

    @property
    def missing(self) -> list[str]:
        return [] if self.key.get_secret_value() else ["TOY_KEY"]


@dataclass(slots=True)
class ToyBank:
    """What was paid and refunded, by reference."""

    paid: dict[str, Money] = field(default_factory=dict)
    refunds: dict[str, Money] = field(default_factory=dict)
    asked: dict[str, Money] = field(default_factory=dict)

    def pay(self, reference: str, key: str) -> tuple[bytes, Mapping[str, str]]:
        """The payer pays; body and headers of the notice."""
        self.paid[reference] = amount = self.asked[reference]
        body = json.dumps({"id": f"n-{reference}", "reference": reference, "amount": amount.minor}).encode()
        return body, {SIGNATURE_HEADER: sign_message(key, body)}


@dataclass(frozen=True, slots=True)
class ToyProvider:
    bank: ToyBank
    key: str
    method: PaymentMethod
    channels: frozenset[PaymentChannel] = frozenset({PaymentChannel.PAGE})
    currencies: frozenset[CurrencyCode] = frozenset({CurrencyCode.CNY})

    async def start(self, start: Start) -> Started:
        self.bank.asked[start.reference] = start.amount
        return Started(f"toy-{start.reference}", Redirect(f"https://toy.example/{start.reference}"))

    async def query(self, attempt: Attempt) -> AttemptReport:
        if (amount := self.bank.paid.get(attempt.reference)) is None:
            return AttemptReport(attempt.reference, None, AttemptStatus.WAITING, None)
        return captured(attempt.reference, amount)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        report = await self.query(attempt)
        return Paid(report) if report.status is AttemptStatus.CAPTURED else Closed()

    async def refund(self, refund: RefundStart) -> RefundReport:
        self.bank.refunds[refund.reference] = refund.amount
        return await self.query_refund(refund, None)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        amount = self.bank.refunds.get(refund.reference)
        outcome = RefundOutcome.SUCCEEDED if amount else RefundOutcome.UNKNOWN
        return RefundReport(refund.reference, f"toy-{refund.reference}", outcome, amount)

    async def read(self, request: NoticeRequest) -> PaymentNotice:
        if not verify_signature(self.key, request.body, request.headers.get(SIGNATURE_HEADER, "")):
            raise NoticeRefused("wrong signature")
        content = json.loads(request.body)
        amount = Money(content["amount"], CurrencyCode.CNY)
        return PaymentNotice(content["id"], captured(content["reference"], amount))

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        return ANSWERS.get(verdict, NoticeAnswer(200))

    async def check(self) -> Sequence[str]:
        return ["TOY_KEY is too short"] if len(self.key) < 8 else []


def captured(reference: str, amount: Money) -> AttemptReport:
    return AttemptReport(reference, f"toy-{reference}", AttemptStatus.CAPTURED, amount)


def connection_to(bank: ToyBank, method: PaymentMethod) -> PaymentConnection:
    """The line of registration, under one of the values of PaymentMethod."""

    def connect(
        settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime], secrets: Secrets
    ) -> ToyProvider | None:
        own = ToySettings.read(None, {})
        if own.missing:
            log.info("payment.method_off", method=method.value, missing=own.missing)
            return None
        return ToyProvider(bank, own.key.get_secret_value(), method)

    return PaymentConnection(method, connect, lambda settings: ToySettings.read(None, {}))
