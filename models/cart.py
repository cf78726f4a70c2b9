from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode


class CartStatus(StrEnum):
    """Whether a cart is in use."""

    ACTIVE = "ACTIVE"
    """In use; it is emptied, not replaced, when it is ordered."""
    MERGED = "MERGED"
    """Merged: its lines were moved to the customer's cart at sign-in."""


class Cart(HasCurrency, Base):
    """What a guest, known by the token, or a customer, known by the account, means to buy."""

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
        Index(
            "ix_carts_guests_updated_at",
            "updated_at",
            sqlite_where=text("account_id IS NULL"),
            postgresql_where=text("account_id IS NULL"),
        ),
    )

    id: Mapped[Id]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[CartStatus]
    currency: Mapped[CurrencyCode]
    coupon_codes: Mapped[list[str]] = mapped_column(default=list)
    """Normalized codes, in the order they were applied."""
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    if TYPE_CHECKING:
        token: str | None
    else:
        token = None
    """The token of a guest's cart, in the request that made it only; what is stored is its hash."""


class CartLine(Base):
    """Units of a variant in a cart, with the unit price its owner saw when they were added."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[Id]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), index=True)
    quantity: Mapped[int]
    merged_quantity: Mapped[int | None]
    """Units that two carts held together, where fewer were left after their merge; None once its owner
    changed the line."""
    seen_amount: Mapped[Minor]
    created_at: Mapped[datetime]


class SavedLine(Base):
    """Units of a variant saved for later: kept with the cart, but not ordered with it."""

    __tablename__ = "saved_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[Id]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), index=True)
    quantity: Mapped[int]
    merged_quantity: Mapped[int | None]
    """As on a cart line."""
    seen_amount: Mapped[Minor]
    created_at: Mapped[datetime]
