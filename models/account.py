from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class Role(StrEnum):
    """Who somebody is to the shop."""

    GUEST = "GUEST"
    """Somebody who has not signed in."""
    CUSTOMER = "CUSTOMER"
    """Somebody who buys."""
    CATALOGUE = "CATALOGUE"
    """Keeps products, prices and coupons."""
    WAREHOUSE = "WAREHOUSE"
    """Keeps stock, packs and dispatches."""
    COURIER = "COURIER"
    """Brings parcels to the door."""
    SUPPORT = "SUPPORT"
    """Answers customers after the sale."""
    MANAGER = "MANAGER"
    """Does what any of the staff may do, and decides."""
    ADMIN = "ADMIN"
    """A manager who also gives accounts to the staff."""


STAFF = frozenset(Role) - {Role.GUEST, Role.CUSTOMER}


class Account(Base):
    """A person with a password: a customer or a member of staff."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="reachable"),
        UniqueConstraint("email"),
        UniqueConstraint("phone"),
        Index("ix_accounts_name", "name"),
    )

    id: Mapped[Id]
    role: Mapped[Role]
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    password_hash: Mapped[str]
    language: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Session(Base):
    """One refresh token; all that came from one sign-in share a family."""

    __tablename__ = "sessions"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    family: Mapped[str] = mapped_column(index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInAttempts(Base):
    """How often a sign-in was tried with one e-mail address or phone number since `first_at`.

    It is kept for addresses nobody has, too: who is told to wait learns nothing about who has an account.
    """

    __tablename__ = "sign_in_attempts"

    login: Mapped[str] = mapped_column(primary_key=True)
    attempts: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(index=True)


class PostalAddress:
    """The columns of an address, the same wherever one is kept."""

    recipient: Mapped[str]
    phone: Mapped[str]
    country_code: Mapped[str]
    province: Mapped[str]
    city: Mapped[str]
    district: Mapped[str]
    line1: Mapped[str]
    line2: Mapped[str]
    postal_code: Mapped[str]


POSTAL_FIELDS = (
    "recipient",
    "phone",
    "country_code",
    "province",
    "city",
    "district",
    "line1",
    "line2",
    "postal_code",
)


class Address(PostalAddress, Base):
    """An entry of a customer's address book."""

    __tablename__ = "addresses"
    __table_args__ = (
        Index(
            "uq_addresses_default",
            "account_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    is_default: Mapped[bool]
    created_at: Mapped[datetime]
