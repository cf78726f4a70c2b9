"""Tables of accounts and address books."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.place import PlaceColumns, geocoding_index

NAME_BEGINS = "lower(accounts.name)"
LAST_WORD = "lower(replace(accounts.name, rtrim(accounts.name, replace(accounts.name, ' ', '')), ''))"
"""The last word of a name: what is left without all up to its last space."""
GIVEN_NAME = "lower(substr(accounts.name, 2))"
"""The given name, where the family name is one character before it, as in most Chinese names."""
"""How the search for names reads them in SQL."""


class Role(StrEnum):
    """The role of an account, or of a guest."""

    GUEST = "GUEST"
    """Has not signed in."""
    GUEST_BUYER = "GUEST_BUYER"
    """Has ordered without an account, and opens that one order with its secret."""
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


STAFF = frozenset(Role) - {Role.GUEST, Role.GUEST_BUYER, Role.CUSTOMER}


class Account(Base):
    """A customer or a member of staff, who signs in with a password, or a guest who has placed one order."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(
            "email IS NOT NULL OR phone IS NOT NULL OR role = 'GUEST_BUYER' OR erased_at IS NOT NULL",
            name="reachable",
        ),
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
    email_verified_at: Mapped[datetime | None]
    """When a one-time code that was sent to the e-mail address was entered; so for the phone number."""
    phone_verified_at: Mapped[datetime | None]
    erasure_due_at: Mapped[datetime | None] = mapped_column(index=True)
    """From when on the account is erased, as its owner has asked; None before and after."""
    erased_at: Mapped[datetime | None]
    """Since when the row stands only for what it bought: nothing personal is left."""


class GuestAccount(Base):
    """Where a guest is reached who has ordered: each order has an account to which nobody signs in."""

    __tablename__ = "guest_accounts"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR phone IS NOT NULL OR closed_at IS NOT NULL", name="reachable"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """What the order came with, hashed: the token of the cart and the idempotency key."""
    email: Mapped[str | None] = mapped_column(index=True)
    """Several guests may have one, and so may an account."""
    phone: Mapped[str | None] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    """Since when the order is another account's, or nothing personal is left."""


class AddressColumns(PlaceColumns):
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
    preferred_from: Mapped[str | None]
    """From which time of a day somebody is there, such as "18:00", in the shop's time zone."""
    preferred_until: Mapped[str | None]


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
        Index("ix_addresses_postal_code", "postal_code"),
        geocoding_index("addresses"),
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


TAIL = "substr(phone, length(phone) - 3)"
"""The last four characters of a phone number, as models.order reads them of deliveries."""

INDEXED = (
    (Account, "CREATE INDEX ix_accounts_name_begins ON accounts (lower(name) varchar_pattern_ops)"),
    (Account, f"CREATE INDEX ix_accounts_last_word ON accounts ({LAST_WORD} varchar_pattern_ops)"),
    (Account, f"CREATE INDEX ix_accounts_given_name ON accounts ({GIVEN_NAME} varchar_pattern_ops)"),
    (Account, f"CREATE INDEX ix_accounts_phone_tail ON accounts (({TAIL}))"),
    (GuestAccount, f"CREATE INDEX ix_guest_accounts_phone_tail ON guest_accounts (({TAIL}))"),
    (Address, f"CREATE INDEX ix_addresses_phone_tail ON addresses (({TAIL}))"),
)
"""Indexes over expressions by which customers are found, for PostgreSQL only."""

for _row, _statement in INDEXED:
    event.listen(_row.__table__, "after_create", DDL(_statement).execute_if(dialect="postgresql"))
