"""What somebody outside says a product should be, before the shop has agreed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.catalog import ProductStatus
from models.money import CurrencyCode, Money


@dataclass(frozen=True, slots=True)
class PriceDraft:
    """A price and, when it is an offer, the price before."""

    amount: Money
    compare_at: Money | None = None


@dataclass(frozen=True, slots=True)
class PictureDraft:
    """A picture by its address; position counts from 1."""

    url: str
    alt: str = ""
    position: int = 1


@dataclass(frozen=True, slots=True)
class VariantDraft:
    """One thing that can be put into a cart. `options` pairs names with values, in order."""

    options: tuple[tuple[str, str], ...] = ()
    sku: str | None = None
    barcode: str | None = None
    prices: Mapping[CurrencyCode, PriceDraft] = field(default_factory=dict)
    weight_grams: int = 0
    weight_unit: str = "kg"
    stock: Mapping[str, int] = field(default_factory=dict)
    """Units on hand by warehouse code; the key "" means the shop's main warehouse."""
    tracked: bool = True
    sells_when_out: bool = False
    requires_shipping: bool = True
    taxable: bool = True
    picture_url: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of the file the shop has no field for, kept so that nothing is lost."""


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A whole product as one file, form or feed describes it."""

    slug: str
    title: str
    description: str = ""
    brand: str = ""
    product_type: str = ""
    category_path: tuple[str, ...] = ()
    """Names from the root down; empty when the product has no category."""
    taxonomy_id: str = ""
    """The category by its id in the standard taxonomy, where the source names no path."""
    tags: tuple[str, ...] = ()
    status: ProductStatus = ProductStatus.ACTIVE
    seo_title: str = ""
    seo_description: str = ""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language tag -> field ("title", "description") -> text."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Attribute code -> its values as text."""
    pictures: tuple[PictureDraft, ...] = ()
    variants: tuple[VariantDraft, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)
    """Where the file speaks of it; says nothing about the product."""
