"""Tables of promotions and their use by orders."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor, Translations
from models.money import CurrencyCode, Money


class PromotionKind(StrEnum):
    """How a promotion reduces what is paid."""

    PERCENT = "PERCENT"
    """A percentage of the items' price."""
    FIXED = "FIXED"
    """An amount of money."""
    FULL_REDUCTION = "FULL_REDUCTION"
    """The amount of the highest tier the items' price reaches."""
    BUY_N_GET_M = "BUY_N_GET_M"
    """What the cheapest units cost, taken off all units of the sets."""
    FREE_SHIPPING = "FREE_SHIPPING"
    """The shipping fees of the deliveries."""
    FLASH_SALE = "FLASH_SALE"
    """A special price for a limited number of units."""


class PromotionScopeKind(StrEnum):
    """The items a promotion is for."""

    ALL = "ALL"
    """All items."""
    CATEGORIES = "CATEGORIES"
    """Items in some categories, or below them."""
    PRODUCTS = "PRODUCTS"
    """Some products."""
    VARIANTS = "VARIANTS"
    """Some variants."""
    BRANDS = "BRANDS"
    """Items of some brands."""


NOT_ARCHIVED = text("archived_at IS NULL")
AUTOMATIC = text("archived_at IS NULL AND code IS NULL")


class Promotion(Base):
    """A coupon, or without a code an automatic promotion; its kind decides which of the terms are set.

    `used` is counted only while there is a usage limit, so that orders do not wait for each other's count.
    """

    __tablename__ = "promotions"
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
        Index(
            "uq_promotions_code",
            "code",
            unique=True,
            sqlite_where=NOT_ARCHIVED,
            postgresql_where=NOT_ARCHIVED,
        ),
        Index(
            "ix_promotions_automatic",
            "ends_at",
            "starts_at",
            sqlite_where=AUTOMATIC,
            postgresql_where=AUTOMATIC,
        ),
        Index("ix_promotions_variant_id_ends_at", "variant_id", "ends_at"),
    )

    id: Mapped[Id]
    code: Mapped[str | None]
    title: Mapped[str]
    kind: Mapped[PromotionKind]
    percent: Mapped[int | None]
    amount: Mapped[Minor | None]
    """What a FIXED promotion takes off, or what one unit costs in a FLASH_SALE."""
    tiers: Mapped[list[dict[str, int]]]
    """[{"minimum": 30000, "amount": 4000}, ...] of a FULL_REDUCTION."""
    repeating: Mapped[bool]
    """Whether a FULL_REDUCTION gives its best tier as often as it fits."""
    buy: Mapped[int | None]
    get: Mapped[int | None]
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    share: Mapped[int | None]
    """Units a FLASH_SALE has at its price."""
    sold: Mapped[int]
    share_per_buyer: Mapped[int | None]
    scope: Mapped[PromotionScopeKind]
    scope_ids: Mapped[list[int]]
    scope_brands: Mapped[list[str]]
    currency: Mapped[CurrencyCode | None]
    """None for any currency, which only a promotion without amounts can have."""
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
        """What a FIXED promotion takes off."""
        return self.money(self.amount) if self.kind is PromotionKind.FIXED else None

    @property
    def flash_price(self) -> Money | None:
        return self.money(self.amount) if self.kind is PromotionKind.FLASH_SALE else None

    @property
    def left(self) -> int | None:
        """Units left at the price of a FLASH_SALE."""
        return None if self.share is None else self.share - self.sold

    def money(self, minor: int | None) -> Money | None:
        return Money(minor, self.currency) if minor is not None and self.currency else None


class PromotionUse(HasCurrency, Base):
    """The use of a promotion by an order, with title, code and amount as they were when it was placed."""

    __tablename__ = "promotion_uses"
    __table_args__ = (
        UniqueConstraint("order_id", "promotion_id"),
        CheckConstraint("amount >= 0 AND flash_units >= 0", name="amount"),
        Index("ix_promotion_uses_promotion_id_account_id", "promotion_id", "account_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    position: Mapped[int]
    """Its place in the order of application, from 1."""
    title: Mapped[str]
    code: Mapped[str | None]
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    flash_units: Mapped[int]
    """Units at the price of a flash sale, without those that were cancelled since."""
    used_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    """When the order, or all of it that a flash sale was for, was cancelled, so that others may use it."""

    @property
    def saved(self) -> Money:
        return self.money(self.amount)


class PromotionBuyer(Base):
    """The uses and flash sale units of one customer, of a promotion that is limited per customer."""

    __tablename__ = "promotion_buyers"
    __table_args__ = (CheckConstraint("uses >= 0 AND flash_units >= 0", name="had"),)

    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    uses: Mapped[int]
    flash_units: Mapped[int]
