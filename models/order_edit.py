"""Tables of edits of orders that wait to be paid, and of promotions as they were when orders were placed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, JsonObject, Minor
from models.money import CurrencyCode, Money


class OrderEditStatus(StrEnum):
    """The status of an edit that makes an order dearer."""

    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    """The order is as it was until the difference is paid."""
    DONE = "DONE"
    """Paid, and carried out."""
    DROPPED = "DROPPED"
    """Not paid in time, or something else was changed first; the order is as it was."""


class OrderEdit(HasCurrency, Base):
    """An edit that is carried out when the difference is paid; its stock is reserved meanwhile."""

    __tablename__ = "order_edits"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_order_edits_order_id", "order_id"),
        Index("ix_order_edits_status_due_at", "status", "due_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), unique=True)
    status: Mapped[OrderEditStatus]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    """What is paid for it."""
    plan: Mapped[str | None] = mapped_column(Text)
    """What is to be changed, as JSON; None once it has ended."""
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it is dropped unless it is paid by then."""

    @property
    def payment_due_at(self) -> datetime:
        return self.due_at

    @property
    def difference(self) -> Money:
        return self.money(self.amount)


class OrderEditUnits(Base):
    """Units that are reserved in a warehouse for an edit that waits for its payment."""

    __tablename__ = "order_edit_units"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    edit_id: Mapped[int] = mapped_column(ForeignKey("order_edits.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True, index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"), primary_key=True)
    quantity: Mapped[int]


class OrderPromotionRules(Base):
    """The promotions that were considered when an order was placed, as they were then."""

    __tablename__ = "order_promotion_rules"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    rules: Mapped[list[JsonObject]]
    """Rules as `domain.promotion.rule_snapshot` writes them."""
