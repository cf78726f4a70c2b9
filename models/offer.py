from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor, Translations
from models.money import CurrencyCode, Money


class OfferKind(StrEnum):
    """How an offer reduces what is paid."""

    PERCENT = "PERCENT"
    """By a part of the goods."""
    FIXED = "FIXED"
    """By an amount of money."""
    FULL_REDUCTION = "FULL_REDUCTION"
    """By an amount for every step the goods reach."""
    BUY_N_GET_M = "BUY_N_GET_M"
    """The cheapest units are free."""
    FREE_SHIPPING = "FREE_SHIPPING"
    """By the fees of the deliveries."""
    FLASH_SALE = "FLASH_SALE"
    """A special price for a few units, as long as they last."""


class ScopeKind(StrEnum):
    """What an offer is for."""

    ALL = "ALL"
    """Everything."""
    CATEGORIES = "CATEGORIES"
    """What is in some categories, or below them."""
    PRODUCTS = "PRODUCTS"
    """Some products."""
    VARIANTS = "VARIANTS"
    """Some variants."""
    BRANDS = "BRANDS"
    """The goods of some brands."""


VALID = text("archived_at IS NULL")
AUTOMATIC = text("archived_at IS NULL AND code IS NULL")


class Offer(Base):
    """A coupon, or without a code an offer that applies by itself; which terms it has follows from the kind.

    `used` counts while there is a limit to it: what nobody counts, nobody has to wait for.
    """

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("(kind = 'PERCENT') = (percent IS NOT NULL)", name="percent_off"),
        CheckConstraint("(kind IN ('FIXED', 'FLASH_SALE')) = (amount IS NOT NULL)", name="amount_off"),
        CheckConstraint(
            "(kind = 'BUY_N_GET_M') = (buy IS NOT NULL) AND (buy IS NULL) = (get IS NULL)", name="units_free"
        ),
        CheckConstraint(
            "(kind = 'FLASH_SALE') = (share IS NOT NULL) AND (share IS NULL) = (variant_id IS NULL)",
            name="flash_sale",
        ),
        CheckConstraint("percent > 0 AND percent <= 100", name="percent"),
        CheckConstraint("amount > 0 AND minimum_amount >= 0 AND cap_amount > 0", name="amounts"),
        CheckConstraint("buy > 0 AND get > 0 AND minimum_quantity >= 0", name="units"),
        CheckConstraint(
            "currency IS NOT NULL OR (amount IS NULL AND minimum_amount = 0 AND cap_amount IS NULL)",
            name="currency",
        ),
        CheckConstraint("starts_at < ends_at", name="window"),
        CheckConstraint("used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name="used"),
        CheckConstraint("sold >= 0 AND (share IS NULL OR sold <= share)", name="sold"),
        CheckConstraint("usage_limit_per_buyer > 0 AND share_per_buyer > 0", name="per_buyer"),
        Index("uq_offers_code", "code", unique=True, sqlite_where=VALID, postgresql_where=VALID),
        Index(
            "ix_offers_automatic",
            "ends_at",
            "starts_at",
            sqlite_where=AUTOMATIC,
            postgresql_where=AUTOMATIC,
        ),
        Index("ix_offers_variant_id_ends_at", "variant_id", "ends_at"),
    )

    id: Mapped[Id]
    code: Mapped[str | None]
    title: Mapped[str]
    kind: Mapped[OfferKind]
    percent: Mapped[int | None]
    amount: Mapped[Minor | None]
    """What a FIXED offer takes off; what one unit costs in a FLASH_SALE."""
    tiers: Mapped[list[dict[str, int]]]
    """[{"minimum": 30000, "amount": 4000}, ...] of a FULL_REDUCTION."""
    repeating: Mapped[bool]
    """Whether a FULL_REDUCTION gives its step as often as it fits."""
    buy: Mapped[int | None]
    get: Mapped[int | None]
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    share: Mapped[int | None]
    """Units a FLASH_SALE has at its price."""
    sold: Mapped[int]
    share_per_buyer: Mapped[int | None]
    scope: Mapped[ScopeKind]
    scope_ids: Mapped[list[int]]
    scope_brands: Mapped[list[str]]
    currency: Mapped[CurrencyCode | None]
    """None for any, which only an offer without amounts can be."""
    minimum_amount: Mapped[Minor]
    minimum_quantity: Mapped[int]
    cap_amount: Mapped[Minor | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    usage_limit: Mapped[int | None]
    used: Mapped[int]
    usage_limit_per_buyer: Mapped[int | None]
    priority: Mapped[int]
    stackable: Mapped[bool]
    exclusion_groups: Mapped[list[str]]
    translations: Mapped[Translations]
    version: Mapped[int]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]

    @property
    def minimum(self) -> Money | None:
        return self.money(self.minimum_amount or None)

    @property
    def cap(self) -> Money | None:
        return self.money(self.cap_amount)

    @property
    def reduction(self) -> Money | None:
        """What a FIXED offer takes off."""
        return self.money(self.amount) if self.kind is OfferKind.FIXED else None

    @property
    def flash_price(self) -> Money | None:
        return self.money(self.amount) if self.kind is OfferKind.FLASH_SALE else None

    @property
    def left(self) -> int | None:
        """Units left at the price of a FLASH_SALE."""
        return None if self.share is None else self.share - self.sold

    def money(self, minor: int | None) -> Money | None:
        return Money(minor, self.currency) if minor is not None and self.currency else None


class OfferUse(HasCurrency, Base):
    """An order that an offer made cheaper, as both stood when it was placed."""

    __tablename__ = "offer_uses"
    __table_args__ = (
        UniqueConstraint("order_id", "offer_id"),
        CheckConstraint("amount >= 0 AND flash_units >= 0", name="amount"),
        Index("ix_offer_uses_offer_id_account_id", "offer_id", "account_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    position: Mapped[int]
    """Its place in the order of application, from 1."""
    title: Mapped[str]
    code: Mapped[str | None]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    flash_units: Mapped[int]
    """Less those that were cancelled, while anything of it stands."""
    used_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    """When the order, or all of it that a flash sale was for, was cancelled: somebody else may use it."""

    @property
    def saved(self) -> Money:
        return self.money(self.amount)


class OfferBuyer(Base):
    """What one customer has had of an offer that is limited per customer."""

    __tablename__ = "offer_buyers"
    __table_args__ = (CheckConstraint("uses >= 0 AND flash_units >= 0", name="had"),)

    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    uses: Mapped[int]
    flash_units: Mapped[int]
