from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class PaymentMethod(StrEnum):
    """How money reaches the shop."""

    ALIPAY = "ALIPAY"
    """With the Alipay app."""
    WECHAT_PAY = "WECHAT_PAY"
    """With WeChat Pay."""
    CARD = "CARD"
    """With a credit or debit card."""
    CASH_ON_DELIVERY = "CASH_ON_DELIVERY"
    """In cash at the door."""
    SANDBOX = "SANDBOX"
    """With play money, on a page of this shop."""


class PaymentStatus(StrEnum):
    """Where one payment of an order stands."""

    PENDING = "PENDING"
    """Nobody has begun to pay it."""
    STARTED = "STARTED"
    """The customer is paying."""
    CAPTURED = "CAPTURED"
    """The money is here."""
    FAILED = "FAILED"
    """It came to nothing; it can be started again."""
    CLOSED = "CLOSED"
    """Nobody waits for it any more."""


class RefundStatus(StrEnum):
    """Where money on its way back to a customer stands."""

    PENDING = "PENDING"
    """On its way, or waiting for a transfer by the staff."""
    SUCCEEDED = "SUCCEEDED"
    """Has reached the customer."""
    FAILED = "FAILED"
    """The provider refused it; it is tried again, or transferred by the staff."""


class LedgerAccount(StrEnum):
    """One of the books the shop keeps for every order."""

    CUSTOMER = "CUSTOMER"
    PROVIDER = "PROVIDER"
    CASH = "CASH"
    BANK = "BANK"
    SALES = "SALES"
    WRITE_OFF = "WRITE_OFF"


class PostingKind(StrEnum):
    """Why money moved between two books."""

    INVOICED = "INVOICED"
    CAPTURED = "CAPTURED"
    CASH_COLLECTED = "CASH_COLLECTED"
    CREDITED = "CREDITED"
    REFUNDED = "REFUNDED"
    WRITTEN_OFF = "WRITTEN_OFF"


class Payment(HasCurrency, Base):
    """A part of an order's total, promised or taken by one method."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("amount > 0 OR (amount = 0 AND status = 'CLOSED')", name="amount"),
        CheckConstraint("0 <= refunded_amount AND refunded_amount <= captured_amount", name="refunded"),
        CheckConstraint("captured_amount <= amount", name="captured"),
        Index("ix_payments_query_at", "query_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    method: Mapped[PaymentMethod]
    status: Mapped[PaymentStatus]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    captured_amount: Mapped[Minor]
    refunded_amount: Mapped[Minor]
    """Promised back or given back: what no second refund may promise again."""
    reference: Mapped[str] = mapped_column(unique=True)
    """Our name for it at the provider."""
    failure: Mapped[str | None]
    started_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    query_at: Mapped[datetime | None]

    @property
    def total(self) -> Money:
        return self.money(self.amount)

    @property
    def captured(self) -> Money:
        return self.money(self.captured_amount)

    @property
    def refunded(self) -> Money:
        return self.money(self.refunded_amount)


class Refund(HasCurrency, Base):
    """Money going back to the customer over one payment's own road."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_refunds_order_id", "order_id"),
        Index("ix_refunds_ticket_id", "ticket_id"),
        Index("ix_refunds_retry_at", "retry_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    status: Mapped[RefundStatus]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    reason: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    provider_reference: Mapped[str | None]
    failure: Mapped[str | None]
    attempts: Mapped[int]
    retry_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    @property
    def total(self) -> Money:
        return self.money(self.amount)


class Posting(Base):
    """One balanced entry into the books; its key keeps a repeated message from posting twice."""

    __tablename__ = "postings"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    kind: Mapped[PostingKind]
    key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class LedgerEntry(Base):
    """One side of a posting: positive is debit, negative is credit."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_order_id_account", "order_id", "account"),)

    id: Mapped[Id]
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    account: Mapped[LedgerAccount]
    currency: Mapped[CurrencyCode]
    amount: Mapped[int] = mapped_column(BigInteger)


class PaymentNotification(Base):
    """A message of a provider that was accepted once; the same nonce is never taken again."""

    __tablename__ = "payment_notifications"

    method: Mapped[PaymentMethod] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]


class SandboxCharge(HasCurrency, Base):
    """What the built-in provider knows of a payment: its own books, apart from the shop's."""

    __tablename__ = "sandbox_charges"

    reference: Mapped[str] = mapped_column(primary_key=True)
    order_number: Mapped[str]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    refunded_amount: Mapped[Minor]
    status: Mapped[PaymentStatus]
    settles_at: Mapped[datetime | None]


class SandboxRefund(HasCurrency, Base):
    """What the built-in provider has sent back; a repeated reference sends nothing more."""

    __tablename__ = "sandbox_refunds"

    reference: Mapped[str] = mapped_column(primary_key=True)
    charge_reference: Mapped[str] = mapped_column(ForeignKey("sandbox_charges.reference"), index=True)
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
