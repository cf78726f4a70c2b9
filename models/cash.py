"""Tables of cash on delivery: where and how much, and what couriers have handed in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class CashRule(HasCurrency, Base):
    """How much cash is collected at the doors of a region, in one currency.

    An empty country is every country, an empty province the whole country; the narrowest rule counts.
    """

    __tablename__ = "cash_rules"
    __table_args__ = (
        UniqueConstraint("country_code", "province", "currency"),
        CheckConstraint("0 <= min_amount AND 0 <= max_amount", name="amounts"),
        CheckConstraint("province = '' OR country_code != ''", name="province"),
    )

    id: Mapped[Id]
    country_code: Mapped[str]
    province: Mapped[str]
    currency: Mapped[CurrencyCode]
    min_amount: Mapped[Minor]
    max_amount: Mapped[Minor]
    """Zero where no cash is taken."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """One higher with each edit."""

    @property
    def minimum(self) -> Money:
        return self.money(self.min_amount)

    @property
    def maximum(self) -> Money:
        return self.money(self.max_amount)


class CashHandIn(HasCurrency, Base):
    """What was counted when a courier handed in the cash of a delivery run, never edited: corrections are
    further rows."""

    __tablename__ = "cash_hand_ins"
    __table_args__ = (
        CheckConstraint("counted_amount >= 0", name="counted"),
        Index("ix_cash_hand_ins_delivery_run_id", "delivery_run_id"),
        Index("ix_cash_hand_ins_resolved_at", "resolved_at"),
    )

    id: Mapped[Id]
    delivery_run_id: Mapped[int] = mapped_column(ForeignKey("delivery_runs.id"))
    currency: Mapped[CurrencyCode]
    expected_amount: Mapped[Minor]
    counted_amount: Mapped[Minor]
    reason: Mapped[str | None]
    """Why the amounts differ, or why an earlier count is corrected."""
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("cash_hand_ins.id"), unique=True)
    """The earlier count that this one replaces."""
    received_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    received_at: Mapped[datetime]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    resolved_at: Mapped[datetime | None]
    """When the difference was accepted or corrected; at once where there is none."""
    resolution: Mapped[str | None]
    """What was found out about the difference; None where there was none."""

    @property
    def expected(self) -> Money:
        return self.money(self.expected_amount)

    @property
    def counted(self) -> Money:
        return self.money(self.counted_amount)

    @property
    def difference(self) -> Money:
        """What is missing when negative, too much when positive."""
        return self.money(self.counted_amount - self.expected_amount)


class CourierCashMovement(HasCurrency, Base):
    """One change of the cash that the courier of a delivery run has in hand, never edited: positive was
    collected, negative was handed in or found missing."""

    __tablename__ = "courier_cash_movements"
    __table_args__ = (CheckConstraint("amount != 0", name="not_zero"),)

    id: Mapped[Id]
    delivery_run_id: Mapped[int] = mapped_column(ForeignKey("delivery_runs.id"), index=True)
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), unique=True)
    """The posting of the same amount in the ledger."""
    hand_in_id: Mapped[int | None] = mapped_column(ForeignKey("cash_hand_ins.id"), index=True)
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    created_at: Mapped[datetime]
