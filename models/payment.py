"""Tables of payments, refunds, the ledger and the sandbox provider."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class PaymentMethod(StrEnum):
    """How money reaches the shop."""

    ALIPAY = "ALIPAY"
    """Alipay."""
    WECHAT_PAY = "WECHAT_PAY"
    """WeChat Pay."""
    CARD = "CARD"
    """Credit or debit card."""
    CASH_ON_DELIVERY = "CASH_ON_DELIVERY"
    """Cash, collected when the order is delivered."""
    SANDBOX = "SANDBOX"
    """Play money, paid on a page of this shop."""

    @property
    def collected_offline(self) -> bool:
        """Whether its money is collected at the door, without a payment provider."""
        return self is PaymentMethod.CASH_ON_DELIVERY


OFFLINE_METHODS = frozenset(method for method in PaymentMethod if method.collected_offline)
"""For conditions in SQL."""


class PaymentStatus(StrEnum):
    """The status of one payment of an order."""

    PENDING = "PENDING"
    """Not started yet."""
    STARTED = "STARTED"
    """Started at the provider; its outcome is not known yet."""
    CAPTURED = "CAPTURED"
    """The money has been received."""
    FAILED = "FAILED"
    """It failed; it can be started again."""
    CLOSED = "CLOSED"
    """Not expected any more, because the order was cancelled or the amount fell to zero."""


class RefundStatus(StrEnum):
    """The status of a refund."""

    PENDING = "PENDING"
    """Sent to the provider, or waiting for staff to transfer it."""
    SUCCEEDED = "SUCCEEDED"
    """Paid to the customer."""
    FAILED = "FAILED"
    """The provider refused it; it is retried, or transferred by staff."""


class LedgerAccount(StrEnum):
    """An account of the ledger; each order has a balance in each of them."""

    CUSTOMER = "CUSTOMER"
    PROVIDER = "PROVIDER"
    CASH = "CASH"
    BANK = "BANK"
    SALES = "SALES"
    WRITE_OFF = "WRITE_OFF"


class PostingKind(StrEnum):
    """Why an amount was posted from one ledger account to another."""

    INVOICED = "INVOICED"
    CAPTURED = "CAPTURED"
    CASH_COLLECTED = "CASH_COLLECTED"
    CREDITED = "CREDITED"
    REFUNDED = "REFUNDED"
    WRITTEN_OFF = "WRITTEN_OFF"


class Payment(HasCurrency, Base):
    """A part of an order's total that is paid by one method."""

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
    """Refunds requested or paid, which no other refund may use again."""
    reference: Mapped[str] = mapped_column(unique=True)
    """The shop's own name for it at the provider, unique for ever."""
    failure: Mapped[str | None]
    started_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    query_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
    """When other payments took the place of this one, which had been started; money for it goes back."""

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
    """A refund of one payment, or of part of it, by the method it was paid with."""

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
    """A balanced posting in the ledger; its unique key keeps a repeated message from posting twice."""

    __tablename__ = "postings"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    kind: Mapped[PostingKind]
    key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class LedgerEntry(Base):
    """One side of a posting, in minor units: positive is debit, negative is credit."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_order_id_account", "order_id", "account"),)

    id: Mapped[Id]
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    account: Mapped[LedgerAccount]
    currency: Mapped[CurrencyCode]
    amount: Mapped[int] = mapped_column(BigInteger)


class PaymentNotification(Base):
    """A notification of a provider that was accepted; the same nonce is not accepted again."""

    __tablename__ = "payment_notifications"

    method: Mapped[PaymentMethod] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]


class SandboxCharge(HasCurrency, Base):
    """A payment as the sandbox provider stores it, apart from the shop's own tables."""

    __tablename__ = "sandbox_charges"

    reference: Mapped[str] = mapped_column(primary_key=True)
    order_number: Mapped[str]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    refunded_amount: Mapped[Minor]
    status: Mapped[PaymentStatus]
    settles_at: Mapped[datetime | None]


class SandboxRefund(HasCurrency, Base):
    """A refund the sandbox provider has paid; a repeated reference pays nothing more."""

    __tablename__ = "sandbox_refunds"

    reference: Mapped[str] = mapped_column(primary_key=True)
    charge_reference: Mapped[str] = mapped_column(ForeignKey("sandbox_charges.reference"), index=True)
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
