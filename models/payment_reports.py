"""What payment providers report, in the words of the shop; verified to come from the provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.money import Money


class AttemptStatus(StrEnum):
    """What a provider reports of an attempt to pay."""

    WAITING = "WAITING"
    """Nothing was paid yet; the customer may still pay."""
    ACTION_NEEDED = "ACTION_NEEDED"
    """The customer has to do something more, such as 3-D Secure."""
    PROCESSING = "PROCESSING"
    """The customer has paid, the provider does not have the money yet."""
    CAPTURED = "CAPTURED"
    """The provider has the money."""
    DECLINED = "DECLINED"
    """Refused for now, such as a card; the same attempt can be paid in another way."""
    CLOSED = "CLOSED"
    """It cannot be paid any more."""
    UNKNOWN = "UNKNOWN"
    """The provider knows no such attempt; at some it comes to be only when the customer scans."""


class RefundOutcome(StrEnum):
    """What a provider reports of a refund."""

    PENDING = "PENDING"
    """Taken on; ask again later."""
    SUCCEEDED = "SUCCEEDED"
    """The customer has the money."""
    FAILED = "FAILED"
    """It was not carried out and never will be under this reference."""
    ABNORMAL = "ABNORMAL"
    """The money cannot be given back this way (a closed account): a person has to find another."""
    UNKNOWN = "UNKNOWN"
    """The provider knows no such refund."""


class DisputeStatus(StrEnum):
    """How a customer's dispute at the provider stands."""

    OPEN = "OPEN"
    """The provider has taken the money back until it is decided."""
    WON = "WON"
    """The shop has the money again."""
    LOST = "LOST"
    """The customer keeps the money."""


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What a provider reports of an attempt, verified to come from the provider."""

    reference: str
    provider_reference: str | None
    status: AttemptStatus
    amount: Money | None
    """What was, or is to be, paid; None where the provider knows no such attempt or does not say."""
    captured_at: datetime | None = None
    reason: str | None = None
    """Why it was declined, for the customer to read."""
    fee: Money | None = None
    """What the provider keeps, where it says so."""


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a provider reports of a refund, verified to come from the provider."""

    reference: str
    provider_reference: str | None
    outcome: RefundOutcome
    amount: Money | None
    reason: str | None = None
    """Why it failed."""
    settled_at: datetime | None = None
