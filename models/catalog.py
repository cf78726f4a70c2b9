"""Products, variants, prices, pictures, categories and attributes."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, JsonObject, Minor, Translations
from models.money import CurrencyCode, Money
from models.picture import PICTURE_CHECK_INDEXES, PictureCheckColumns


class ProductStatus(StrEnum):
    """Whether customers can see a product."""

    DRAFT = "DRAFT"
    """In preparation; customers do not see it."""
    ACTIVE = "ACTIVE"
    """Customers see it and can buy it."""
    UNLISTED = "UNLISTED"
    """Customers who have its link see it and can buy it; no list and no search has it."""
    ARCHIVED = "ARCHIVED"
    """No longer sold."""


SOLD_STATUSES = frozenset({ProductStatus.ACTIVE, ProductStatus.UNLISTED})
"""Statuses in which customers can open a product and buy it."""

CATEGORY_DEPTH_LIMIT = 12
"""Levels at which categories stand; the largest public taxonomy has 8."""


class AttributeType(StrEnum):
    """What kind of value an attribute takes."""

    ENUM = "ENUM"
    """One or more of a list of values."""
    NUMBER = "NUMBER"
    """A number, with the unit of the attribute."""
    BOOLEAN = "BOOLEAN"
    """Yes or no."""
    TEXT = "TEXT"
    """A short text."""
    DATE = "DATE"
    """A day."""


class PriceChangeStatus(StrEnum):
    """The state of a price change."""

    SCHEDULED = "SCHEDULED"
    """It has not begun yet."""
    RUNNING = "RUNNING"
    """It is the price now; the price before comes back when it ends."""
    DONE = "DONE"
    """It has taken effect; one with an end is over."""
    CANCELLED = "CANCELLED"
    """Staff have cancelled it before its end."""


class Category(Base):
    """A category of products, in a tree.

    `path` holds the ids from the root down, such as "/1/7/": a subtree has one prefix.
    """

    __tablename__ = "categories"
    __table_args__ = (Index("ix_categories_parent_id_position", "parent_id", "position"),)

    id: Mapped[Id]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    path: Mapped[str] = mapped_column(index=True)
    depth: Mapped[int]
    position: Mapped[int]
    taxonomy_id: Mapped[str | None] = mapped_column(unique=True)
    translations: Mapped[Translations]
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    archived_at: Mapped[datetime | None]
    """When it was archived: nothing new uses it, and what has used it shows it still."""

    @property
    def path_ids(self) -> list[int]:
        """The ids from the root down to this one."""
        return [int(part) for part in self.path.strip("/").split("/")]


class CategorySlug(Base):
    """A former slug of a category, which leads to it still."""

    __tablename__ = "category_slugs"

    slug: Mapped[str] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), index=True)


class Attribute(Base):
    """A property of products, such as a colour or a weight."""

    __tablename__ = "attributes"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    type: Mapped[AttributeType]
    unit: Mapped[str | None]
    filterable: Mapped[bool]
    taxonomy_id: Mapped[str | None] = mapped_column(unique=True)
    translations: Mapped[Translations]
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    archived_at: Mapped[datetime | None]
    """When it was archived: nothing new uses it, and what has used it shows it still."""


class AttributeValue(Base):
    """A value that an ENUM attribute allows."""

    __tablename__ = "attribute_values"
    __table_args__ = (UniqueConstraint("attribute_id", "code"),)

    id: Mapped[Id]
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    code: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]
    translations: Mapped[Translations]


class CategoryAttribute(Base):
    """An attribute of the products of a category and of all below it."""

    __tablename__ = "category_attributes"

    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"), primary_key=True, index=True)
    required: Mapped[bool]


class PictureSize(StrEnum):
    """How large a picture is shown."""

    THUMBNAIL = "THUMBNAIL"
    """At most 160 pixels wide and high, for rows of lists."""
    SMALL = "SMALL"
    """At most 400 pixels wide and high, for tiles."""
    MEDIUM = "MEDIUM"
    """At most 800 pixels wide and high, for a page on a phone."""
    LARGE = "LARGE"
    """At most 1600 pixels wide and high, for a whole screen."""


class Media(PictureCheckColumns, Base):
    """A picture: uploaded to the shop under a random name, or elsewhere by its address."""

    __tablename__ = "media"
    __table_args__ = PICTURE_CHECK_INDEXES

    id: Mapped[Id]
    url: Mapped[str]
    alt: Mapped[str]
    translations: Mapped[Translations] = mapped_column(default=dict, server_default="{}")
    content_type: Mapped[str | None]
    size: Mapped[int | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)
    """A 64-bit perceptual hash, similar for similar pictures; None where it was not computed."""
    uploader_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Product(Base):
    """Something the shop sells, in one or more variants."""

    __tablename__ = "products"
    __table_args__ = (
        Index("ix_products_status_published_at_id", "status", "published_at", "id"),
        Index("ix_products_category_id_status", "category_id", "status"),
        Index("ix_products_brand", "brand"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str]
    brand: Mapped[str]
    product_type: Mapped[str]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    status: Mapped[ProductStatus]
    tags: Mapped[list[str]]
    seo_title: Mapped[str]
    seo_description: Mapped[str]
    translations: Mapped[Translations]
    columns: Mapped[dict[str, str]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    publish_as: Mapped[ProductStatus | None]
    """The status that it gets when the import which made it ends; None for one that waits for no import."""


class ProductSlug(Base):
    """A former slug of a product, which leads to it still."""

    __tablename__ = "product_slugs"

    slug: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)


class ProductMedia(Base):
    """A picture of a product, at its position."""

    __tablename__ = "product_media"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"), index=True)


class ProductAttribute(Base):
    """One value of an attribute of a product, in the one column that the type of the attribute uses."""

    __tablename__ = "product_attributes"
    __table_args__ = (
        Index("ix_product_attributes_attribute_id_value_id", "attribute_id", "value_id", "product_id"),
        CheckConstraint(
            "CASE WHEN value_id IS NULL THEN 0 ELSE 1 END + CASE WHEN number IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN boolean IS NULL THEN 0 ELSE 1 END + CASE WHEN text IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN date IS NULL THEN 0 ELSE 1 END = 1",
            name="one_value",
        ),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    value_id: Mapped[int | None] = mapped_column(ForeignKey("attribute_values.id"))
    number: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    boolean: Mapped[bool | None]
    text: Mapped[str | None]
    date: Mapped[date | None]


@dataclass(frozen=True, slots=True)
class VariantSize:
    """The dimensions of one unit in its package."""

    length_mm: int
    width_mm: int
    height_mm: int


class Variant(Base):
    """One thing that can be put into a cart: a size, a colour, a pack."""

    __tablename__ = "variants"
    __table_args__ = (
        Index("ix_variants_product_id_position", "product_id", "position"),
        Index(
            "ix_variants_media_id",
            "media_id",
            sqlite_where=text("media_id IS NOT NULL"),
            postgresql_where=text("media_id IS NOT NULL"),
        ),
        CheckConstraint("weight_grams >= 0", name="weight"),
    )

    id: Mapped[Id]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    position: Mapped[int]
    sku: Mapped[str | None] = mapped_column(index=True)
    """Several variants may have the same: a key of nothing."""
    barcode: Mapped[str | None] = mapped_column(index=True)
    options: Mapped[list[JsonObject]]
    """Each with `name` and `value`, and `translations` where it has any."""
    """[{"name": "Size", "value": "M"}, ...]; empty for a product with one variant."""
    weight_grams: Mapped[int]
    weight_unit: Mapped[str]
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    tracked: Mapped[bool]
    sells_when_out: Mapped[bool]
    low_stock_at: Mapped[int | None]
    """Stock of this many units or fewer is low; None for the shop's default."""
    requires_shipping: Mapped[bool]
    taxable: Mapped[bool]
    media_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"))
    columns: Mapped[dict[str, str]]
    archived_at: Mapped[datetime | None]

    @property
    def size(self) -> VariantSize | None:
        """The dimensions of one unit; None where they are not all known."""
        if self.length_mm is None or self.width_mm is None or self.height_mm is None:
            return None
        return VariantSize(self.length_mm, self.width_mm, self.height_mm)

    @property
    def can_sell_out(self) -> bool:
        """Whether no more can be bought than there are in stock."""
        return self.tracked and not self.sells_when_out

    @property
    def is_backordered_when_out(self) -> bool:
        """Whether what is bought beyond the stock waits for more of it to come."""
        return self.tracked and self.sells_when_out

    @property
    def name(self) -> str:
        return " / ".join(option["value"] for option in self.options)


class Price(HasCurrency, Base):
    """The price of a variant in one currency."""

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("compare_at_amount >= 0", name="compare_at_amount"),
    )

    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    currency: Mapped[CurrencyCode] = mapped_column(primary_key=True)
    amount: Mapped[Minor]
    compare_at_amount: Mapped[Minor | None]

    @property
    def price(self) -> Money:
        return self.money(self.amount)

    @property
    def compare_at(self) -> Money | None:
        return None if self.compare_at_amount is None else self.money(self.compare_at_amount)


class PriceChange(HasCurrency, Base):
    """A scheduled price of a variant: from a moment on, or from one moment to another.

    `due_at` is when it next begins or ends.
    """

    __tablename__ = "price_changes"
    __table_args__ = (
        Index("ix_price_changes_variant_id_currency_starts_at", "variant_id", "currency", "starts_at"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("compare_at_amount >= 0", name="compare_at_amount"),
        CheckConstraint("ends_at > starts_at", name="window"),
    )

    id: Mapped[Id]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    compare_at_amount: Mapped[Minor | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    status: Mapped[PriceChangeStatus]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    before_amount: Mapped[Minor | None]
    """The price that comes back at the end, in minor units; None where there was none."""
    before_compare_at_amount: Mapped[Minor | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """The account that scheduled it."""
    created_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        return self.money(self.amount)

    @property
    def compare_at(self) -> Money | None:
        return None if self.compare_at_amount is None else self.money(self.compare_at_amount)
