"""Those who move money for the shop: one Protocol, one module per provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from models import Money, PaymentMethod


class ProviderError(Exception):
    """The provider cannot be reached or answered nonsense: nothing is known, try again."""


class ProviderRefused(Exception):
    """The provider said no: trying again will not help."""


class NotificationRefused(Exception):
    """A notification that is forged, stale, replayed or not about us. The reason goes to the log only."""


class ProviderStatus(StrEnum):
    """What a provider says of a payment."""

    WAITING = "WAITING"
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"


class ActionKind(StrEnum):
    """What the customer does next to pay."""

    REDIRECT = "REDIRECT"
    """Open the value, an address."""
    QR_CODE = "QR_CODE"
    """Show the value as a QR code."""
    APP_PARAMETERS = "APP_PARAMETERS"
    """Hand the value to the provider's app."""
    CLIENT_SECRET = "CLIENT_SECRET"  # noqa: S105 - the kind, not a secret
    """Hand the value to the provider's library in the page."""
    NONE = "NONE"
    """Nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be paid: `reference` is our own name for the payment, unique for ever."""

    reference: str
    order_number: str
    amount: Money
    subject: str
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class NextAction:
    """How the customer pays: open `value` (an address), show it (a code) or hand it to the app."""

    kind: ActionKind
    value: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What a provider says happened to a payment, verified to be the provider's own word."""

    reference: str
    status: ProviderStatus
    amount: Money
    order_number: str
    nonce: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a provider says of a refund; `pending` means that somebody has yet to confirm it."""

    provider_reference: str
    pending: bool = False


class PaymentGateway(Protocol):
    """A provider of one payment method. All calls may raise ProviderError or ProviderRefused.

    Every call can be repeated: the provider knows a payment and a refund by our reference.
    """

    @property
    def method(self) -> PaymentMethod:
        """The method it stands for."""

    async def start(self, charge: Charge) -> NextAction:
        """Ask the provider to expect the money and tell how the customer pays.

        One that came to nothing is started again at the amount of this charge, which may be another one;
        until then nobody can pay it.
        """

    async def query(self, charge: Charge) -> PaymentReport:
        """Ask the provider what became of a payment."""

    async def close(self, charge: Charge) -> None:
        """Tell the provider that the payment is not wanted any more."""

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        """Send part of a captured payment back; a repeated `reference` refunds nothing more."""

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        """The report inside a notification; NotificationRefused unless it is genuine and fresh."""
