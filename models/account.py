"""Tables of accounts and address books."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class Role(StrEnum):
    """The role of an account, or of a guest."""

    GUEST = "GUEST"
    """Has not signed in."""
    CUSTOMER = "CUSTOMER"
    """Buys."""
    CATALOGUE = "CATALOGUE"
    """Edits products, prices and promotions."""
    WAREHOUSE = "WAREHOUSE"
    """Manages stock, packs and dispatches shipments."""
    COURIER = "COURIER"
    """Delivers shipments and collects cash."""
    SUPPORT = "SUPPORT"
    """Answers customers and handles their tickets."""
    MANAGER = "MANAGER"
    """May do what other staff may, and decides escalated tickets."""
    ADMIN = "ADMIN"
    """A manager who also manages the accounts of the staff."""


STAFF = frozenset(Role) - {Role.GUEST, Role.CUSTOMER}


class Account(Base):
    """A customer or a member of staff, who signs in with a password."""

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


class AddressColumns:
    """The columns of an address, for every table that has one."""

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


class Address(AddressColumns, Base):
    """An address in a customer's address book."""

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
