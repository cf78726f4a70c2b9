"""The table of calls to payment providers and of what they tell by themselves: a record, not a state."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.payment import PaymentMethod


class ProviderCallKind(StrEnum):
    """What a payment provider was asked, or told by itself."""

    START = "START"
    """It was asked to expect the money of an attempt."""
    QUERY = "QUERY"
    """It was asked what became of an attempt."""
    CLOSE = "CLOSE"
    """It was asked to take no money for an attempt any more."""
    REFUND = "REFUND"
    """It was asked to give money back."""
    QUERY_REFUND = "QUERY_REFUND"
    """It was asked what became of a refund."""
    NOTICE = "NOTICE"
    """It told something by itself."""


class ProviderCallOutcome(StrEnum):
    """How a call to a payment provider ended."""

    ANSWERED = "ANSWERED"
    """It answered; of a notice: the shop took it."""
    REFUSED = "REFUSED"
    """It refused; of a notice: it does not fit what the shop knows."""
    NO_ANSWER = "NO_ANSWER"
    """It did not answer, or nothing that can be trusted."""


class ProviderCall(Base):
    """A call to a payment provider about an attempt or a refund, or several alike in a row.

    Written once and never changed, but for the count of those that follow and are alike.
    """

    __tablename__ = "provider_calls"
    __table_args__ = (
        CheckConstraint("attempt_id IS NOT NULL OR refund_id IS NOT NULL", name="about"),
        CheckConstraint("times > 0", name="times"),
        Index("ix_provider_calls_attempt_id_kind", "attempt_id", "kind"),
        Index("ix_provider_calls_refund_id_kind", "refund_id", "kind"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("payment_attempts.id"))
    """Null where it was about a refund."""
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    method: Mapped[PaymentMethod]
    kind: Mapped[ProviderCallKind]
    outcome: Mapped[ProviderCallOutcome]
    answer: Mapped[str | None]
    """What was answered, in the words of the shop, such as "WAITING"; null without an answer."""
    reason: Mapped[str | None]
    """What the provider gave as the reason, or why there is no answer."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who started it; null where it fell due, and of notices."""
    called_at: Mapped[datetime]
    """When the first one ended."""
    last_called_at: Mapped[datetime]
    """When the last one ended that was alike."""
    times: Mapped[int]
    milliseconds: Mapped[int]
    """How long the longest of them took; zero for notices."""
