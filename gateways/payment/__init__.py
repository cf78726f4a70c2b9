"""Payment providers: the Protocol each of them implements, and the data it takes and returns."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from models import Money, PaymentMethod


class ProviderError(Exception):
    """The provider cannot be reached or its answer cannot be read: the outcome is unknown, try again."""


class ProviderRefused(Exception):
    """The provider refused; trying again will not help. The text is the provider's reason."""


class NotificationRefused(Exception):
    """A notification that is forged, stale, replayed or unreadable. The text goes to the log only."""


class ProviderStatus(StrEnum):
    """The status a provider reports for a payment."""

    WAITING = "WAITING"
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"
    """The provider does not know the reference."""


class ActionKind(StrEnum):
    """What the customer does next to pay."""

    REDIRECT = "REDIRECT"
    """Open the value, a URL."""
    QR_CODE = "QR_CODE"
    """Show the value as a QR code."""
    APP_PARAMETERS = "APP_PARAMETERS"
    """Pass the value to the provider's app."""
    CLIENT_SECRET = "CLIENT_SECRET"  # noqa: S105 - the kind, not a secret
    """Pass the value to the provider's library in the page."""
    NONE = "NONE"
    """Nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be paid."""

    reference: str
    """The shop's own name for the payment, never used for another one, such as "2026111100001-1"."""
    order_number: str
    amount: Money
    subject: str
    """What the customer reads at the provider, such as "Order 2026111100001"."""
    return_url: str | None = None
    """Where the customer's browser goes afterwards."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """How the customer pays: what to do with `value`, and until when it is valid (None: unknown)."""

    kind: ActionKind
    value: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What a provider reports about a payment, verified to come from the provider."""

    reference: str
    """The `Charge.reference` it is about."""
    status: ProviderStatus
    amount: Money
    order_number: str
    nonce: str | None = None
    """What makes a notification unique; None in the answer to a query."""
    reason: str | None = None
    """Why it failed, for the customer to read."""


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a provider answers to a refund."""

    provider_reference: str
    """The provider's name for the refund; empty while it is pending."""
    pending: bool = False
    """Whether staff have yet to carry it out and confirm it."""


class PaymentGateway(Protocol):
    """A provider of one payment method. Every call may raise ProviderError or ProviderRefused.

    Every call can be repeated: the provider knows a payment and a refund by the shop's reference.
    """

    @property
    def method(self) -> PaymentMethod:
        """The payment method it provides."""

    async def start(self, charge: Charge) -> NextAction:
        """Ask the provider to expect the money; returns how the customer pays.

        A payment that failed or was closed is started again at the amount of this charge, which may differ;
        until then it cannot be paid.
        """

    async def query(self, charge: Charge) -> PaymentReport:
        """Ask the provider for the status of a payment; UNKNOWN when it was never started there."""

    async def close(self, charge: Charge) -> None:
        """Ask the provider to take no money for it any more; ProviderRefused when it was paid already."""

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        """Refund part of a captured payment; a repeated `reference` refunds nothing more."""

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        """The report in a notification; NotificationRefused unless it is genuine and fresh.

        `headers` have names in lower case, `body` is as it came.
        """
