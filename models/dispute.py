"""The table of disputes: money that a provider takes back because a customer objects to a payment."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money
from models.payment import PaymentMethod
from models.payment_reports import DisputeStatus


class Dispute(HasCurrency, Base):
    """A payment that its customer disputes at the provider."""

    __tablename__ = "disputes"
    __table_args__ = (
        UniqueConstraint("method", "reference"),
        CheckConstraint("amount > 0", name="amount"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("payment_attempts.id"), index=True)
    method: Mapped[PaymentMethod]
    reference: Mapped[str]
    """The provider's name for it."""
    status: Mapped[DisputeStatus]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    fee_amount: Mapped[Minor]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    @property
    def total(self) -> Money:
        return self.money(self.amount)

    @property
    def fee(self) -> Money:
        return self.money(self.fee_amount)
