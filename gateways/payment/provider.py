"""What a payment provider is to the shop: the Protocol each one implements, and the data it takes and gives.

Amounts are minor units of their currency, moments have a time zone. A provider knows an attempt and a refund
by the shop's own reference, so every call can be repeated: a repetition answers what the first one did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Protocol, runtime_checkable

from models import (
    AttemptReport,
    CurrencyCode,
    DisputeReport,
    Money,
    PaymentChannel,
    PaymentMethod,
    RefundReport,
    StatementForm,
    StatementLine,
)


class ProviderError(Exception):
    """The provider cannot be reached or its answer cannot be trusted: the outcome is unknown, ask again."""


class ProviderNotCalled(ProviderError):
    """The call was not made at all, because the provider has not answered for some time."""


class ProviderRefused(Exception):
    """The provider refused; trying again will not help. The text is the provider's reason."""


class NoticeRefused(Exception):
    """A notice that is forged, stale, replayed, unreadable or not about us. The text goes to the log only."""


@dataclass(frozen=True, slots=True)
class ScanCode:
    """A code to show; the customer scans it with the provider's app."""

    code: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """A page to send the browser to."""

    url: str


@dataclass(frozen=True, slots=True)
class AppParameters:
    """What the app or library of the provider is opened with: JSON or a query string."""

    text: str


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What the provider's library in the page needs to take the payment."""

    secret: str
    publishable_key: str


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The customer has nothing to do."""


Action = ScanCode | Redirect | AppParameters | ClientSecret | NothingToDo


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to pay, as every later call names it."""

    reference: str
    """The shop's own name for it, never used for another one; letters, digits, "-" and "_", at most 32."""
    provider_reference: str | None
    """The provider's name for it, where it has given one."""
    amount: Money


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be paid, by whom and until when."""

    reference: str
    order_number: str
    amount: Money
    subject: str
    """What the customer reads at the provider, such as "Order 2026111100001"."""
    channel: PaymentChannel
    starts_at: datetime
    expires_at: datetime
    """When the attempt ends: the order's deadline, or earlier."""
    return_url: str | None = None
    """Where the customer's browser goes afterwards."""
    payer_address: str | None = None
    """The customer's network address, which some channels ask for."""
    payer_id: str | None = None
    """Who the customer is to the provider (WeChat's `openid`), for IN_PROVIDER_APP."""


@dataclass(frozen=True, slots=True)
class Started:
    """How the customer pays."""

    provider_reference: str | None
    action: Action
    valid_until: datetime | None = None
    """Until when the action works, where that is earlier than its end: starting again renews it."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody can pay it any more."""


@dataclass(frozen=True, slots=True)
class Paid:
    """It was paid before it could be closed."""

    report: AttemptReport


@dataclass(frozen=True, slots=True)
class NotYetThere:
    """The provider knows no such attempt yet, and it may still come to be: ask again until its end."""


@dataclass(frozen=True, slots=True)
class RefundStart:
    """A refund of a captured attempt, or of part of it."""

    reference: str
    """The shop's own name for the refund, never used for another one."""
    attempt: Attempt
    """The attempt with its whole amount."""
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class NoticeRequest:
    """A notice as it came: header names in lower case, the raw body that was signed, when it arrived."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    query: str = ""


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """The provider tells of an attempt. `notice_id` is the same when it is sent again."""

    notice_id: str
    report: AttemptReport
    nonce: str | None = None
    """What is signed with this sending only, where the provider signs one: it comes once."""


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """The provider tells of a refund. `notice_id` is the same when it is sent again."""

    notice_id: str
    report: RefundReport
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeNotice:
    """The provider tells of a dispute about an attempt. `notice_id` is the same when it is sent again."""

    notice_id: str
    report: DisputeReport


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine message the shop has no use for."""

    reason: str


Notice = PaymentNotice | RefundNotice | DisputeNotice | Ignored


class Verdict(StrEnum):
    """What became of a notice."""

    ACCEPTED = "ACCEPTED"
    REPEATED = "REPEATED"
    """It was taken before: nothing was done, and it need not come again."""
    REFUSED = "REFUSED"
    """It is forged or does not fit; coming again will not help."""
    RETRY = "RETRY"
    """The shop could not take it now; it is to come again."""


@dataclass(frozen=True, slots=True)
class NoticeAnswer:
    """What is answered to a notice, so that this provider retries or stops."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """A provider's statement, its totals checked against its lines. StatementUnreadable otherwise."""

    method: PaymentMethod
    lines: Sequence[StatementLine]
    form: StatementForm
    time_zone: tzinfo
    """In which its days begin and end."""


class StatementUnreadable(Exception):
    """A file that is no statement of the provider, or whose totals do not fit: the text says why."""


class PaymentProvider(Protocol):
    """A provider of one payment method over its channels.

    Calls may raise ProviderError (unknown outcome) or ProviderRefused; none is made inside a transaction.
    """

    @property
    def method(self) -> PaymentMethod:
        """The payment method it provides."""

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        """Where customers can pay with it."""

    @property
    def currencies(self) -> frozenset[CurrencyCode]:
        """In which currencies it takes money; ProviderRefused in others."""

    async def start(self, start: Start) -> Started:
        """Ask the provider to expect the money."""

    async def query(self, attempt: Attempt) -> AttemptReport:
        """Ask what became of an attempt; the status is UNKNOWN where the provider knows none."""

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        """Ask the provider to take no money for it any more."""

    async def refund(self, refund: RefundStart) -> RefundReport:
        """Give back a captured attempt or part of it; a repeated reference gives back nothing more."""

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        """Ask what became of a refund; the outcome is UNKNOWN where the provider knows none."""

    async def read(self, request: NoticeRequest) -> Notice:
        """The verified content of a notice; NoticeRefused unless it is genuine, fresh and about this shop."""

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        """What is answered to a notice, so that this provider retries or stops."""

    async def check(self) -> Sequence[str]:
        """Try the keys with a harmless call; each problem is a sentence without secrets, none is success."""


@runtime_checkable
class StatementSource(Protocol):
    """A provider whose statements can be fetched and read."""

    async def fetch_statement(self, day: date) -> bytes:
        """The file of a day in the provider's time zone, as it gives it out."""

    def read_statement(self, content: bytes) -> Statement:
        """The lines of a statement file; StatementUnreadable where it is none or its totals do not fit."""
