"""What replacements of tickets cost more than what they replace, until that is paid."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class TicketDifference(HasCurrency, Base):
    """What the replacement of a ticket costs more; it is sent when that is paid, and kept until then."""

    __tablename__ = "ticket_differences"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_ticket_differences_ticket_id", "ticket_id"),
        Index(
            "uq_ticket_differences_waiting",
            "ticket_id",
            unique=True,
            sqlite_where=text("paid_at IS NULL"),
            postgresql_where=text("paid_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), unique=True)
    """The payment of it; None until the customer says how they pay."""
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    plan: Mapped[str] = mapped_column(Text)
    """What is to be sent, as JSON."""
    requested_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    """When it was paid, and the replacement created; None while it waits for that."""

    @property
    def total(self) -> Money:
        return self.money(self.amount)


class TicketDifferenceUnits(Base):
    """Units that are reserved in a warehouse for a replacement that waits for its payment."""

    __tablename__ = "ticket_difference_units"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    difference_id: Mapped[int] = mapped_column(ForeignKey("ticket_differences.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True, index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"), primary_key=True)
    quantity: Mapped[int]
