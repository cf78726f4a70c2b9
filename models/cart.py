from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode


class CartStatus(StrEnum):
    """What became of a cart."""

    ACTIVE = "ACTIVE"
    """In use; emptied, not replaced, when it is ordered."""
    MERGED = "MERGED"
    """A guest's cart whose lines went to the customer's own."""


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
    """As they are stored with their offers, in the order they were applied."""
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
    wanted: Mapped[int | None]
    """How many two carts held that became one, where fewer could be had; None once its owner touched it."""
    seen_amount: Mapped[Minor]
    created_at: Mapped[datetime]


class SavedLine(Base):
    """A variant put aside for later: kept with the cart, no part of it."""

    __tablename__ = "saved_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[Id]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), index=True)
    quantity: Mapped[int]
    wanted: Mapped[int | None]
    """As on a line, where they held more than one line may."""
    seen_amount: Mapped[Minor]
    created_at: Mapped[datetime]
