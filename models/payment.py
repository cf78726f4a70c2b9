"""Tables of payments, refunds, the ledger and the sandbox provider."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money
from models.payment_reports import AttemptStatus


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
    STORE_CREDIT = "STORE_CREDIT"
    """What the customer has with the shop, from gift cards and refunds."""
    SANDBOX = "SANDBOX"
    """Play money, paid on a page of this shop."""

    @property
    def collected_offline(self) -> bool:
        """Whether its money is collected at the door, without a payment provider."""
        return self is PaymentMethod.CASH_ON_DELIVERY

    @property
    def paid_when_placed(self) -> bool:
        """Whether its money is taken in the moment an order is placed, without a payment provider."""
        return self is PaymentMethod.STORE_CREDIT

    @property
    def has_provider(self) -> bool:
        """Whether a payment provider takes the money."""
        return not self.collected_offline and not self.paid_when_placed


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


class PaymentChannel(StrEnum):
    """Where the customer pays."""

    PAGE = "PAGE"
    """On a page of the provider, in the browser of a computer."""
    MOBILE_PAGE = "MOBILE_PAGE"
    """On a page of the provider, in the browser of a phone."""
    APP = "APP"
    """From the shop's own app, which opens the provider's."""
    IN_PROVIDER_APP = "IN_PROVIDER_APP"
    """On a page of the shop that is open inside the provider's app."""
    SCAN = "SCAN"
    """With a phone that scans a code the shop shows."""


class PaymentAttemptStatus(StrEnum):
    """The status of an attempt to make a payment at its provider."""

    STARTED = "STARTED"
    """The customer can pay; the outcome is not known yet."""
    ACTION_NEEDED = "ACTION_NEEDED"
    """The customer has to do something more, such as 3-D Secure."""
    PROCESSING = "PROCESSING"
    """The customer has paid; the provider does not have the money yet."""
    CAPTURED = "CAPTURED"
    """The money has been received."""
    DECLINED = "DECLINED"
    """The provider said no; another attempt can be made."""
    CLOSED = "CLOSED"
    """Nobody is to pay it any more."""


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


class RefundStatus(StrEnum):
    """The status of a refund."""

    PENDING = "PENDING"
    """Sent to the provider, or waiting for staff to transfer it."""
    WAITING = "WAITING"
    """Above the limit: it is sent when somebody else of the staff approves it."""
    SUCCEEDED = "SUCCEEDED"
    """Paid to the customer."""
    FAILED = "FAILED"
    """The provider refused it; it is retried, or transferred by staff."""
    ABNORMAL = "ABNORMAL"
    """The provider cannot give the money back, or it came back to the shop: staff transfer it."""
    DECLINED = "DECLINED"
    """Not approved, and not carried out; what was to be refunded is kept."""


class RefundTarget(StrEnum):
    """Where a refund goes."""

    ORIGINAL = "ORIGINAL"
    """Back the way it was paid; what was paid in cash by transfer."""
    STORE_CREDIT = "STORE_CREDIT"
    """Into the customer's store credit, at once."""


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
    disputed_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What the provider has taken back for disputes that are open or lost."""
    fee_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What the provider has kept of it, fees of its refunds and disputes included."""
    reference: Mapped[str] = mapped_column(unique=True)
    """The shop's own name for it at the provider, unique for ever."""
    failure: Mapped[str | None]
    started_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    query_at: Mapped[datetime | None]
    """Of payments that release 0.2 has started, without an attempt; they get one, and this becomes null."""
    attempt_reference: Mapped[str | None] = mapped_column(index=True)
    """The reference of the attempt that brought the money; null where no provider was asked."""
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

    @property
    def fee(self) -> Money:
        return self.money(self.fee_amount)

    @property
    def refundable_amount(self) -> int:
        """What the shop still has of it in minor units: not refunded, to be refunded or disputed."""
        return max(0, self.captured_amount - self.refunded_amount - self.disputed_amount)

    @property
    def doubled_amount(self) -> int:
        """What was given back both by refunds and by disputes, in minor units."""
        return max(0, self.refunded_amount + self.disputed_amount - self.captured_amount)


class PaymentAttempt(HasCurrency, Base):
    """One attempt to make a payment at its provider, through one channel."""

    __tablename__ = "payment_attempts"
    __table_args__ = (
        UniqueConstraint("payment_id", "number"),
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_payment_attempts_query_at", "query_at"),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    number: Mapped[int]
    """From 1 for each payment."""
    channel: Mapped[PaymentChannel]
    status: Mapped[PaymentAttemptStatus]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    reference: Mapped[str] = mapped_column(unique=True)
    """The shop's own name for it at the provider, unique for ever."""
    provider_reference: Mapped[str | None] = mapped_column(index=True)
    """The provider's name for it."""
    action_kind: Mapped[ActionKind | None]
    action_value: Mapped[str | None]
    action_key: Mapped[str | None]
    """The publishable key that belongs to a client secret."""
    action_expires_at: Mapped[datetime | None]
    """Until when the action works; until the end of the attempt where null."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """When it ends at the provider."""
    query_at: Mapped[datetime | None]
    """When the provider is asked again; also of one that was closed, until its end is past."""
    reported: Mapped[AttemptStatus | None]
    """What the provider said last."""
    reported_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When the provider agreed to take no money for it."""
    failure: Mapped[str | None]

    @property
    def total(self) -> Money:
        return self.money(self.amount)


class Refund(HasCurrency, Base):
    """A refund of one payment, or of part of it."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("0 <= bonus_amount AND bonus_amount <= amount", name="bonus"),
        Index("ix_refunds_order_id", "order_id"),
        Index("ix_refunds_ticket_id", "ticket_id"),
        Index("ix_refunds_retry_at", "retry_at"),
        Index("ix_refunds_query_at", "query_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    status: Mapped[RefundStatus]
    target: Mapped[RefundTarget] = mapped_column(default=RefundTarget.ORIGINAL, server_default="ORIGINAL")
    """Store credit for every refund of what was paid with it."""
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    bonus_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What the shop adds in store credit when it is paid; never a part of what is refunded."""
    reason: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    provider_reference: Mapped[str | None] = mapped_column(index=True)
    failure: Mapped[str | None]
    attempts: Mapped[int]
    retry_at: Mapped[datetime | None]
    query_at: Mapped[datetime | None]
    """When its provider is asked next what became of it."""
    queries: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often its provider was called for it since it was requested, the first time to send it."""
    renewals: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it was sent under a new reference, because the provider had ended the one before."""
    returns: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often its money came back to the shop after it had been paid."""
    goodwill: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Given by staff without a ticket, so that it may be declined: the others are owed."""
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who approved or declined it, where that was needed."""
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    @property
    def sent_reference(self) -> str:
        """The name under which the provider knows it."""
        return f"{self.reference}-{self.renewals + 1}" if self.renewals else self.reference

    @property
    def total(self) -> Money:
        return self.money(self.amount)

    @property
    def bonus(self) -> Money:
        return self.money(self.bonus_amount)

    @property
    def given_amount(self) -> int:
        """What the shop gives with it in minor units, the bonus included."""
        return self.amount + self.bonus_amount


class PaymentNotification(Base):
    """A notification of a provider that was accepted; the same nonce is not accepted again."""

    __tablename__ = "payment_notifications"

    method: Mapped[PaymentMethod] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)


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
