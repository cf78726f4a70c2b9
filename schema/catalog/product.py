"""Types of products and their variants, categories, attributes, prices and pictures."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import catalog as resolve
from resolvers.descriptions import describe_enum
from resolvers.picture import media_url
from schema.cache_control import NEVER, SECONDS
from schema.limits.sizes import FEW, MANY, SOME
from schema.node import Node
from schema.rows import batched, field, loaded, plain_list, row_type, translated
from schema.scalars import Money
from schema.stock import Availability, NearbyAvailability, StockLevel

if TYPE_CHECKING:
    from schema.promotion import FlashSale

LaterFlashSale = Annotated["FlashSale", strawberry.lazy("schema.promotion")]

ProductStatus = describe_enum(models.ProductStatus)
AttributeType = describe_enum(models.AttributeType)
ClaimExclusion = describe_enum(models.ClaimExclusion)
PictureSize = describe_enum(models.PictureSize)
PriceChangeStatus = describe_enum(models.PriceChangeStatus)


@row_type(models.Media)
class Media(Node):
    """A picture."""

    url: str = field(media_url)
    alt: str = translated("alt")
    """What it shows, for people who cannot see it."""
    translations: list["MediaTranslation"] = field(resolve.media_translations, size=FEW)
    content_type: str | None
    """Its media type, such as "image/png"; null for a picture at an address elsewhere."""
    width: int | None
    """The width in pixels, where known."""
    height: int | None
    """The height in pixels, where known."""


@row_type(resolve.MediaTranslation)
class MediaTranslation:
    """What a picture shows, in another language."""

    language: str
    """The language, as a tag."""
    alt: str
    """What it shows, for people who cannot see it."""


@row_type(models.AttributeValue)
class AttributeValue:
    """One value that an ENUM attribute allows."""

    code: str
    """Its code in filters and product files."""
    name: str = translated("name")
    """The name people read."""


@row_type(models.Attribute)
class Attribute(Node):
    """A property that products have in common."""

    code: str
    """Its code in filters and product files."""
    name: str = translated("name")
    """The name people read."""
    type: models.AttributeType
    """The kind of value it takes."""
    unit: str | None = translated("unit")
    """The unit of its numbers."""
    filterable: bool
    """Whether customers can filter products by it."""
    values: list[AttributeValue] = loaded("attribute_values", size=MANY)
    """The values an ENUM attribute allows, in order; empty for other types."""
    archived_at: datetime | None
    """When it was archived: it is not listed any more; null while it is in use."""
    version: int
    """Increases with each change; pass it to `attributeSave` so that no change of others is overwritten."""


@row_type(models.ProductAttribute)
class ProductAttribute:
    """One value of one attribute of a product."""

    attribute: Attribute = loaded("attribute", key="attribute_id")
    """The attribute."""
    text: str = batched(resolve.attribute_text)
    value: AttributeValue | None = loaded("attribute_value", key="value_id")
    """The value of an ENUM attribute."""
    number: Decimal | None = field(resolve.attribute_number)
    boolean: bool | None
    """The value of a BOOLEAN attribute."""
    date: date | None
    """The value of a DATE attribute."""


@row_type(resolve.EffectiveAttribute)
class CategoryAttribute:
    """An attribute that the products of a category have."""

    attribute: Attribute
    """The attribute."""
    required: bool
    """Whether a product is incomplete without it."""
    inherited: bool
    """Whether it comes from a category above."""


@row_type(models.Category)
class Category(Node):
    """A category in the tree of categories."""

    slug: str
    """Its part of the address; a query by a former slug returns the present one: redirect to it."""
    name: str = translated("name")
    """The name people read."""
    depth: int
    """The number of categories above it; 0 for a root."""
    position: int
    """Its place among the categories of the same parent."""
    parent: "Category | None" = loaded("category", key="parent_id")
    """The category it belongs to; null for a root."""
    children: list["Category"] = loaded("category_children", size=SOME)
    """The categories right below it, in order."""
    ancestors: list["Category"] = batched(resolve.category_ancestors, size=FEW)
    attributes: list[CategoryAttribute] = batched(resolve.category_attributes, size=MANY)
    archived_at: datetime | None
    """When it was archived: it is not listed any more; null while it is in use."""
    version: int
    """Increases with each change; pass it to `categorySave` so that no change of others is overwritten."""


@row_type(resolve.VariantOption)
class VariantOption:
    """An option that sets a variant apart from the other variants of its product."""

    name: str
    """The name of the option, such as "Size"."""
    value: str
    """The value this variant has."""
    translations: list["VariantOptionTranslation"] = plain_list(size=FEW)
    """Both in other languages."""


@row_type(resolve.VariantOptionTranslation)
class VariantOptionTranslation:
    """An option in another language; null where a text is missing."""

    language: str
    """The language, as a tag."""
    name: str | None
    """The name of the option."""
    value: str | None
    """The value this variant has."""


@row_type(models.Price)
class Price:
    """The price of a variant in one currency."""

    price: Money
    """The price of one unit."""
    compare_at: Money | None
    """The price of one unit before it was lowered."""


@row_type(models.PriceChange)
class PriceChange(Node):
    """A scheduled change of a price: from a moment on, or for a period."""

    variant: "Variant" = loaded("variant", key="variant_id")
    """The variant."""
    price: Money
    """The new price of one unit."""
    compare_at: Money | None
    """The price that is shown as the one before."""
    starts_at: datetime
    """When it begins."""
    ends_at: datetime | None
    """When it ends; null for good."""
    status: models.PriceChangeStatus
    """Its state."""


@row_type(models.VariantSize)
class VariantSize:
    """The dimensions of one unit in its package."""

    length_mm: int
    """Its longest side, in millimetres."""
    width_mm: int
    """Its second side, in millimetres."""
    height_mm: int
    """Its third side, in millimetres."""


@row_type(models.Variant)
class Variant(Node):
    """A variant of a product, such as a size or a colour: what is put into a cart."""

    product: "Product" = loaded("product", key="product_id")
    """The product."""
    name: str = field(resolve.variant_name)
    sku: str | None
    """The stock keeping unit: the shop's own code."""
    barcode: str | None
    """The number under the barcode on the package."""
    options: list[VariantOption] = field(resolve.variant_options, size=FEW)
    price: Money | None = batched(resolve.price)
    compare_at_price: Money | None = batched(resolve.compare_at_price)
    prices: list[Price] = loaded("variant_prices", size=FEW)
    """Its prices in all currencies it is sold in."""
    price_changes: list[PriceChange] | None = batched(resolve.variant_price_changes, public=NEVER, size=FEW)
    flash_sale: LaterFlashSale | None = batched(resolve.variant_flash_sales, public=SECONDS)
    availability: Availability = batched(resolve.variant_availability, public=SECONDS)
    availability_near: NearbyAvailability = batched(resolve.availability_near, public=SECONDS)
    stock: list[StockLevel] | None = batched(resolve.variant_stock, public=NEVER, size=SOME)
    tracked: bool
    """Whether the shop counts its units."""
    sells_when_out: bool
    """Whether it can be bought when none is left."""
    low_stock_at: int | None = field(resolve.low_stock_at)
    requires_shipping: bool
    """Whether it has to be shipped."""
    taxable: bool
    """Whether tax is due on it."""
    weight_grams: int
    """The weight of one unit, in grams."""
    size: VariantSize | None
    """The dimensions of one unit in its package; null where they are not known."""
    media: Media | None = loaded("media", key="media_id")
    """Its own picture, where it has one."""
    archived_at: datetime | None
    """When it was taken off sale; null while it is on sale."""


@row_type(resolve.PriceRange)
class PriceRange:
    """The lowest and the highest of some prices."""

    min: Money
    """The lowest price."""
    max: Money
    """The highest price."""


@row_type(resolve.ProductTranslation)
class ProductTranslation:
    """The texts of a product in another language."""

    language: str
    """The language, as a tag: "en", "zh-CN"."""
    title: str | None
    """The title, where there is one."""
    description: str | None
    """The description as HTML, where there is one."""


@row_type(models.Product)
class Product(Node):
    """Something the shop sells, in one or more variants."""

    slug: str
    """Its part of the address; a query by a former slug returns the present one: redirect to it."""
    title: str = translated("title")
    """The title."""
    description: str = translated("description")
    """The description, as HTML that is safe to show."""
    brand: str
    """The brand; empty when unknown."""
    product_type: str
    """The kind of product, in the words of who entered it."""
    status: models.ProductStatus
    """Its state; customers see only ACTIVE products."""
    tags: list[str] = plain_list(size=SOME)
    """Tags."""
    seo_title: str
    """The title for search engines; empty for the title of the product."""
    seo_description: str
    """The description for search engines."""
    category: Category | None = loaded("category", key="category_id")
    """The category it belongs to."""
    media: list[Media] = loaded("product_media", size=FEW)
    """Its pictures, the main one first."""
    exclusion: models.ClaimExclusion | None = loaded("product_exclusion", key="id")
    """Why it cannot be returned without a reason, which the buyer confirms when ordering; null where it
    can."""
    variants: list[Variant] = loaded("product_variants", size=SOME)
    """Its variants that are on sale, in order."""
    attributes: list[ProductAttribute] = loaded("product_attributes", size=SOME)
    """The values of its attributes, by the name of the attribute."""
    price_range: PriceRange | None = batched(resolve.price_range)
    availability: Availability = batched(resolve.product_availability, public=SECONDS)
    translations: list[ProductTranslation] = field(resolve.product_translations, size=FEW)
    version: int
    """Increases with each change; pass it to `productUpdate` so that no change of others is overwritten."""
    created_at: datetime
    """When it was created."""
    updated_at: datetime
    """When it was last changed."""
    published_at: datetime | None
    """When it was first published."""
