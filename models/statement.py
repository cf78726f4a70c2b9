"""Tables of what providers state about a day, and of how that differs from the shop's own books."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id
from models.money import CurrencyCode
from models.payment import PaymentMethod
from models.payment_reports import StatementForm, StatementKind


class DifferenceKind(StrEnum):
    """How a provider's statement differs from the shop's books."""

    MISSING_THERE = "MISSING_THERE"
    """The shop has it, the provider does not."""
    MISSING_HERE = "MISSING_HERE"
    """The provider has it; the shop knows it, but has not booked it."""
    UNKNOWN_HERE = "UNKNOWN_HERE"
    """The provider has it, and the shop knows nothing of it."""
    AMOUNT = "AMOUNT"
    """The amounts differ."""
    FEE = "FEE"
    """The fees differ."""
    DAY = "DAY"
    """The days differ, in the time zone of the provider."""


class StatementEntry(HasCurrency, Base):
    """A line of a provider's statement, stored once however often it is read."""

    __tablename__ = "statement_entries"
    __table_args__ = (
        Index("ix_statement_entries_happened_at", "method", "form", "happened_at"),
        Index("ix_statement_entries_reference", "method", "form", "reference"),
    )

    id: Mapped[Id]
    method: Mapped[PaymentMethod]
    form: Mapped[StatementForm]
    kind: Mapped[StatementKind]
    reference: Mapped[str]
    """The shop's name for the attempt or the refund; the provider's where the statement does not have it."""
    provider_reference: Mapped[str | None]
    currency: Mapped[CurrencyCode]
    amount: Mapped[int] = mapped_column(BigInteger)
    fee_currency: Mapped[CurrencyCode]
    """A provider may pay out, and charge, in another currency than customers pay in."""
    fee_amount: Mapped[int] = mapped_column(BigInteger)
    happened_at: Mapped[datetime]
    line: Mapped[int]
    """Its place in the file that was read last, from 1."""
    read_at: Mapped[datetime]
    """When a file that has it was read last."""
    key: Mapped[str] = mapped_column(unique=True)


class StatementDifference(Base):
    """A task: a provider's statement says something else than the shop's books."""

    __tablename__ = "statement_differences"
    __table_args__ = (Index("ix_statement_differences_reference", "method", "form", "reference"),)

    id: Mapped[Id]
    method: Mapped[PaymentMethod]
    form: Mapped[StatementForm]
    subject: Mapped[StatementKind]
    kind: Mapped[DifferenceKind]
    reference: Mapped[str]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    expected: Mapped[str]
    """What the shop's books say."""
    found: Mapped[str]
    """What the provider's statement says."""
    happened_at: Mapped[datetime]
    """When it happened, as the provider states it; where it does not, as the shop has booked it."""
    line: Mapped[int | None]
    """Its place in the statement that was read last, from 1; null where no line has it."""
    key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """When a statement was compared last that differs in this way."""
    resolved_at: Mapped[datetime | None] = mapped_column(index=True)
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    """Who of the staff has resolved it; None where a later statement did."""
    note: Mapped[str]
