"""Tables of store credit and gift cards."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money

OF_BONUS = text("bonus_refund_id IS NOT NULL")


class StoreCreditKind(StrEnum):
    """Why the store credit of a customer changed."""

    REDEEMED = "REDEEMED"
    """A gift card was redeemed."""
    SPENT = "SPENT"
    """An order was paid with it."""
    REFUNDED = "REFUNDED"
    """A refund went into it."""
    BONUS = "BONUS"
    """The shop added something to a refund that went into it."""
    BONUS_REVOKED = "BONUS_REVOKED"
    """The shop took back what was left of that, since a dispute has given the same money a second time."""
    FORFEITED = "FORFEITED"
    """The customer gave it up when the account was erased."""


class GiftCardStatus(StrEnum):
    """Where a gift card stands."""

    ISSUED = "ISSUED"
    """It can be redeemed until it expires."""
    REDEEMED = "REDEEMED"
    """Its amount is store credit of a customer."""
    VOIDED = "VOIDED"
    """The staff withdrew it."""
    EXPIRED = "EXPIRED"
    """Nobody redeemed it in time."""


class StoreCredit(HasCurrency, Base):
    """What a customer has with the shop in one currency: the sum of its movements, never a number of its own.

    The row is what commands lock, so that no two of them spend the same.
    """

    __tablename__ = "store_credits"
    __table_args__ = (UniqueConstraint("account_id", "currency"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    currency: Mapped[CurrencyCode]


class StoreCreditMovement(HasCurrency, Base):
    """One change of a store credit, never edited: positive comes in, negative goes out."""

    __tablename__ = "store_credit_movements"
    __table_args__ = (
        CheckConstraint("(amount > 0) = (kind IN ('REDEEMED', 'REFUNDED', 'BONUS'))", name="amount"),
        CheckConstraint("amount != 0", name="not_zero"),
        CheckConstraint("(bonus_refund_id IS NOT NULL) = (kind IN ('BONUS', 'BONUS_REVOKED'))", name="bonus"),
        Index("ix_store_credit_movements_store_credit_id_id", "store_credit_id", "id"),
        Index(
            "ix_store_credit_movements_bonus_refund_id_kind",
            "bonus_refund_id",
            "kind",
            unique=True,
            sqlite_where=OF_BONUS,
            postgresql_where=OF_BONUS,
        ),
    )

    id: Mapped[Id]
    store_credit_id: Mapped[int] = mapped_column(ForeignKey("store_credits.id"))
    kind: Mapped[StoreCreditKind]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), unique=True)
    """The payment that was made with it; only once."""
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"), unique=True)
    """The refund that came in; only once."""
    gift_card_id: Mapped[int | None] = mapped_column(ForeignKey("gift_cards.id"), unique=True)
    """The gift card that came in; only once."""
    bonus_refund_id: Mapped[int | None] = mapped_column(BigId)
    """The refund for which a bonus came in, or was taken back; each only once."""
    created_at: Mapped[datetime]

    @property
    def total(self) -> Money:
        return self.money(self.amount)


class GiftCard(HasCurrency, Base):
    """An amount for whoever redeems its code first. Only the hash of the code is stored."""

    __tablename__ = "gift_cards"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(status = 'REDEEMED') = (redeemed_at IS NOT NULL)", name="redeemed"),
        Index("ix_gift_cards_status_expires_at", "status", "expires_at"),
    )

    id: Mapped[Id]
    code_hash: Mapped[str] = mapped_column(unique=True)
    last_characters: Mapped[str]
    """By which staff and customers tell cards apart; too few to guess the rest."""
    status: Mapped[GiftCardStatus]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    reason: Mapped[str]
    expires_at: Mapped[datetime]
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    issued_at: Mapped[datetime]
    redeemed_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    redeemed_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who of the staff withdrew it."""
    ended_at: Mapped[datetime | None]
    """When it was withdrawn or expired."""
    void_reason: Mapped[str | None]

    @property
    def total(self) -> Money:
        return self.money(self.amount)
