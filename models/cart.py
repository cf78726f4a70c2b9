from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor, Translations
from models.money import CurrencyCode, Money


class CartStatus(StrEnum):
    """What became of a cart."""

    ACTIVE = "ACTIVE"
    """In use; emptied, not replaced, when it is ordered."""
    MERGED = "MERGED"
    """A guest's cart whose lines went to the customer's own."""


class OfferType(StrEnum):
    """How an offer reduces what is paid."""

    PERCENT = "PERCENT"
    """By a part of the goods."""
    FIXED = "FIXED"
    """By an amount of money."""


class Cart(HasCurrency, Base):
    """What somebody means to buy; a guest holds the token, a customer is signed in."""

    __tablename__ = "carts"
    __table_args__ = (
        CheckConstraint("token_hash IS NOT NULL OR account_id IS NOT NULL", name="owner"),
        Index(
            "uq_carts_active_account",
            "account_id",
            unique=True,
            sqlite_where=text("status = 'ACTIVE'"),
            postgresql_where=text("status = 'ACTIVE'"),
        ),
    )

    id: Mapped[Id]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[CartStatus]
    currency: Mapped[CurrencyCode]
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    if TYPE_CHECKING:
        token: str | None
    else:
        token = None
    """Known only to the request that made a guest's cart; what is stored is its hash."""


class CartLine(Base):
    """A variant in a cart, with the price its owner saw when it was added."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[Id]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), index=True)
    quantity: Mapped[int]
    seen_amount: Mapped[Minor]
    created_at: Mapped[datetime]


class Coupon(HasCurrency, Base):
    """A code that makes an order cheaper."""

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint("used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name="usage"),
        CheckConstraint(
            "(type = 'PERCENT') = (percent IS NOT NULL) AND (type = 'FIXED') = (amount IS NOT NULL)",
            name="reduction",
        ),
        CheckConstraint("percent > 0 AND percent <= 100", name="percent"),
        CheckConstraint("amount > 0 AND minimum_amount >= 0", name="amount"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    type: Mapped[OfferType]
    percent: Mapped[int | None]
    amount: Mapped[Minor | None]
    minimum_amount: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    usage_limit: Mapped[int | None]
    used: Mapped[int]
    translations: Mapped[Translations]

    @property
    def reduction(self) -> Money | None:
        """What a FIXED coupon takes off."""
        return None if self.amount is None else self.money(self.amount)

    @property
    def minimum(self) -> Money:
        return self.money(self.minimum_amount)
