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


class StatementKind(StrEnum):
    """What a line of a provider's statement tells."""

    PAYMENT = "PAYMENT"
    """A payment."""
    REFUND = "REFUND"
    """A refund."""
    FEE = "FEE"
    """A fee that stands in a line of its own."""
    DISPUTE = "DISPUTE"
    """Money taken back for a dispute, or returned after it."""
    OTHER = "OTHER"
    """Transfers to the bank and the like."""


class StatementForm(StrEnum):
    """What the lines of a statement are; one provider may state the same money in both forms."""

    TRADES = "TRADES"
    """One for each payment and refund."""
    MONEY = "MONEY"
    """One for each movement of the shop's account at the provider."""


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


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """What a provider reports of a dispute about an attempt, verified to come from the provider."""

    reference: str
    """The provider's name for the dispute."""
    attempt_reference: str | None
    attempt_provider_reference: str | None
    status: DisputeStatus
    amount: Money
    fee: Money | None
    reason: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of a provider's statement; amounts that leave the shop's account are negative."""

    line: int
    """Its place in the file, from 1, for people who look it up."""
    kind: StatementKind
    reference: str | None
    """The shop's reference of the attempt or of the refund."""
    provider_reference: str | None
    amount: Money
    fee: Money
    """What the provider kept for it, positive; negative where it was given back."""
    happened_at: datetime
