"""Drafts: a whole product as a form, a file or a feed describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.catalog.product.text_fields import ProductTexts, VariantTexts
from models.catalog import ProductStatus, VariantSize
from models.money import CurrencyCode, Money


@dataclass(frozen=True, slots=True)
class PriceDraft:
    """A price and, when it is reduced, the price before (`compare_at`)."""

    amount: Money
    compare_at: Money | None = None


@dataclass(frozen=True, slots=True)
class PictureDraft:
    """A picture by its address; position counts from 1."""

    url: str
    alt: str = ""
    position: int = 1
    translations: Mapping[str, str] = field(default_factory=dict)
    """What it shows in other languages, by language tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft(VariantTexts):
    """One thing that can be put into a cart."""

    options: tuple[tuple[str, str], ...] = ()
    """Pairs of an option's name and its value, in order."""
    option_translations: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Language tag -> names and values of the options in this order, "" for one that is not translated."""
    prices: Mapping[CurrencyCode, PriceDraft] = field(default_factory=dict)
    weight_grams: int = 0
    weight_unit: str = "kg"
    size: VariantSize | None = None
    """The dimensions of one unit in its package."""
    stock: Mapping[str, int] = field(default_factory=dict)
    """Units on hand by warehouse code; the key "" is the shop's main warehouse."""
    tracked: bool = True
    sells_when_out: bool = False
    requires_shipping: bool = True
    taxable: bool = True
    picture_url: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of the file the shop has no field for, kept so that an export has them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft(ProductTexts):
    """A whole product."""

    slug: str
    category_path: tuple[str, ...] = ()
    """Names from the root down; empty when the product has no category."""
    taxonomy_id: str = ""
    """The category by its id in the standard taxonomy, where the source names no path."""
    tags: tuple[str, ...] = ()
    status: ProductStatus = ProductStatus.ACTIVE
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language tag -> name of a text field that is translated -> text."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Attribute code -> its values as text."""
    pictures: tuple[PictureDraft, ...] = ()
    variants: tuple[VariantDraft, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of the file the shop has no field for, kept so that an export has them again."""
    line: int = field(default=0, compare=False)
    """The line of the file it starts on; not part of the product."""
