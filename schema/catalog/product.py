"""Products and their variants, categories, attributes, prices and pictures."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import catalog as resolve
from resolvers.described import describe_enum
from schema.freshness import NEVER, SECONDS
from schema.node import Node
from schema.rows import batched, field, loaded, row_type, translated
from schema.scalars import Money
from schema.stock import Availability, NearbyAvailability, StockLevel

if TYPE_CHECKING:
    from schema.offer import FlashSale

LaterFlashSale = Annotated["FlashSale", strawberry.lazy("schema.offer")]

ProductStatus = describe_enum(models.ProductStatus)
AttributeType = describe_enum(models.AttributeType)
PriceChangeStatus = describe_enum(models.PriceChangeStatus)


@row_type(models.Media)
class Media(Node):
    """A picture."""

    url: str
    """Where it is."""
    alt: str
    """What it shows, for those who cannot see it."""
    content_type: str | None
    """Its kind, such as "image/png"; null for one that is kept elsewhere."""
    width: int | None
    """Pixels, where known."""
    height: int | None
    """Pixels, where known."""


@row_type(models.AttributeValue)
class AttributeValue:
    """One value an ENUM attribute allows."""

    code: str
    """What filters and files call it."""
    name: str = translated("name")
    """What people call it."""


@row_type(models.Attribute)
class Attribute(Node):
    """A property that products have in common."""

    code: str
    """What filters and files call it."""
    name: str = translated("name")
    """What people call it."""
    type: models.AttributeType
    """What kind of value it takes."""
    unit: str | None = translated("unit")
    """The unit of its numbers."""
    filterable: bool
    """Whether customers can choose by it."""
    values: list[AttributeValue] = loaded("attribute_values")
    """What it allows, in order; empty for other types than ENUM."""
    version: int
    """One higher with each change; pass it to `attributeSave` so that nobody's change is lost."""


@row_type(models.ProductAttribute)
class ProductAttribute:
    """One value of one attribute of a product."""

    attribute: Attribute = loaded("attribute", key="attribute_id")
    """What it is about."""
    text: str = batched(resolve.attribute_text)
    value: AttributeValue | None = loaded("attribute_value", key="value_id")
    """The value of an ENUM attribute."""
    number: Decimal | None = field(resolve.attribute_number)
    boolean: bool | None
    """The value of a BOOLEAN attribute."""
    date: date | None
    """The value of a DATE attribute."""


@row_type(resolve.CategoryAttributeShown)
class CategoryAttribute:
    """An attribute that the products of a category have."""

    attribute: Attribute
    """Which."""
    required: bool
    """Whether a product is incomplete without it."""
    inherited: bool
    """Whether a category above says so."""


@row_type(models.Category)
class Category(Node):
    """A place in the tree of what the shop sells."""

    slug: str
    """Its part of the address; asked for by one it had before, it answers with this one: redirect then."""
    name: str = translated("name")
    """What people call it."""
    depth: int
    """How far below the root it stands; 0 for a root."""
    position: int
    """Its place among its sisters."""
    parent: "Category | None" = loaded("category", key="parent_id")
    """The category it belongs to; null for a root."""
    children: list["Category"] = loaded("category_children")
    """The categories right below it, in order."""
    ancestors: list["Category"] = batched(resolve.category_ancestors)
    attributes: list[CategoryAttribute] = batched(resolve.category_attributes)
    version: int
    """One higher with each change; pass it to `categorySave` so that nobody's change is lost."""


@row_type(resolve.VariantOption)
class VariantOption:
    """What sets a variant apart from its sisters."""

    name: str
    """What they differ in, such as "Size"."""
    value: str
    """What this one has."""


@row_type(models.Price)
class Price:
    """What a variant costs in one currency."""

    price: Money
    """What one costs."""
    compare_at: Money | None
    """What one cost before the price was lowered."""


@row_type(models.PriceChange)
class PriceChange(Node):
    """A price that a variant will have by itself: from a moment on, or for a while."""

    variant: "Variant" = loaded("variant", key="variant_id")
    """What will cost it."""
    price: Money
    """What one will cost."""
    compare_at: Money | None
    """What is shown as the price before."""
    starts_at: datetime
    """From when on."""
    ends_at: datetime | None
    """Until when; null for good."""
    status: models.PriceChangeStatus
    """How far it has come."""


@row_type(models.Variant)
class Variant(Node):
    """One thing that can be put into a cart: a size, a colour, a pack."""

    product: "Product" = loaded("product", key="product_id")
    """What it is a variant of."""
    name: str
    """The values of its options; empty for a product with one variant."""
    sku: str | None
    """What the shop calls it."""
    barcode: str | None
    """What stands on the package."""
    options: list[VariantOption] = field(resolve.variant_options)
    price: Money | None = batched(resolve.price)
    compare_at_price: Money | None = batched(resolve.compare_at_price)
    prices: list[Price] = loaded("variant_prices")
    """What it costs in every currency it is sold in."""
    price_changes: list[PriceChange] | None = batched(resolve.variant_price_changes, public=NEVER)
    flash_sale: LaterFlashSale | None = batched(resolve.variant_flash_sales, public=SECONDS)
    availability: Availability = batched(resolve.variant_availability, public=SECONDS)
    availability_near: NearbyAvailability = batched(resolve.availability_near, public=SECONDS)
    stock: list[StockLevel] | None = batched(resolve.variant_stock, public=NEVER)
    tracked: bool
    """Whether its units are counted."""
    sells_when_out: bool
    """Whether it can be bought when none is left."""
    low_stock_at: int | None = field(resolve.low_stock_at)
    requires_shipping: bool
    """Whether it is a thing that has to be sent."""
    taxable: bool
    """Whether tax is due on it."""
    weight_grams: int
    """What one weighs."""
    media: Media | None = loaded("media", key="media_id")
    """The picture of this variant, where it has one of its own."""
    archived_at: datetime | None
    """Since when it is not sold any more; null while it is."""


@row_type(resolve.PriceRange)
class PriceRange:
    """The least and the most something costs."""

    min: Money
    """The least."""
    max: Money
    """The most."""


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
    """Its part of the address; asked for by one it had before, it answers with this one: redirect then."""
    title: str = translated("title")
    """What it is called."""
    description: str = translated("description")
    """What it is, as HTML that is safe to show."""
    brand: str
    """Who makes it; empty when unknown."""
    product_type: str
    """What whoever entered it calls its kind."""
    status: models.ProductStatus
    """Whether customers can see it."""
    tags: list[str]
    """Free words that belong to it."""
    seo_title: str
    """The title search engines show; empty for its own."""
    seo_description: str
    """The text search engines show."""
    category: Category | None = loaded("category", key="category_id")
    """Where it stands in the tree."""
    media: list[Media] = loaded("product_media")
    """Its pictures, the main one first."""
    variants: list[Variant] = loaded("product_variants")
    """What can be bought of it, in order."""
    attributes: list[ProductAttribute] = loaded("product_attributes")
    """Its properties, by name."""
    price_range: PriceRange | None = batched(resolve.price_range)
    availability: Availability = batched(resolve.product_availability, public=SECONDS)
    translations: list[ProductTranslation] = field(resolve.product_translations)
    version: int
    """One higher with each change; pass it to `productUpdate` so that nobody's change is lost."""
    created_at: datetime
    """When it was entered."""
    updated_at: datetime
    """When it was changed last."""
    published_at: datetime | None
    """When customers could see it first."""
