"""One product, one category, and what hangs on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import strawberry

from domain.catalog.limits import LANGUAGE
from domain.catalog.numbers import spelled
from domain.errors import Invalid, NotFound
from domain.language import canonical
from loaders.catalog import every_attribute, every_category, root_categories
from loaders.listing import CountedValue
from models import (
    Attribute,
    AttributeType,
    AttributeValue,
    Category,
    CategoryAttribute,
    CurrencyCode,
    Media,
    Money,
    Price,
    Product,
    ProductAttribute,
    ProductStatus,
    Variant,
)
from resolvers.context import Info, Viewer
from resolvers.ids import parse_id, row_id

FLAGS = {"zh": ("否", "是"), "en": ("no", "yes")}


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The least and the most something costs."""

    min: Money
    max: Money


@dataclass(frozen=True, slots=True)
class VariantOption:
    """What sets a variant apart from its sisters."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ProductTranslation:
    """The texts of a product in another language; null where one is missing."""

    language: str
    title: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class CategoryAttributeShown:
    """An attribute that the products of a category have."""

    attribute: Attribute
    required: bool
    inherited: bool


def likes(info: Info, *, language: str | None = None, currency: CurrencyCode | None = None) -> Viewer:
    """The viewer as this root field is to be answered; what has no such text falls back to the original."""
    if language is not None and not LANGUAGE.fullmatch(language):
        raise Invalid(f"This is no language tag: {language[:20]!r}.", field=("language",))
    return info.context.like(info, language=language and canonical(language), currency=currency)


async def product(
    info: Info,
    id: strawberry.ID | None = None,
    slug: str | None = None,
    language: str | None = None,
    currency: CurrencyCode | None = None,
) -> Product | None:
    """One product by its id or its slug; null when customers cannot see it.

    id: its global id
    slug: its part of the address
    language: tell it in this language, as a tag such as "zh-CN", instead of the viewer's own
    currency: tell its prices in this currency instead of the viewer's own
    """
    likes(info, language=language, currency=currency)
    if (id is None) == (slug is None):
        raise Invalid("Name a product by its id or by its slug.", field=("id",))
    found = await (product_of_slug(info, slug) if slug is not None else product_of_id(info, id or ""))
    if found is not None:
        info.context.note_view(found.id)
    return found


async def product_view(info: Info, id: strawberry.ID) -> Product:
    """Say that a customer looks at a product whose page was read by GET: a browser or a CDN may have had it
    already, so such answers count no view. Others count theirs by themselves.

    id: the product's global id
    """
    found = await find_product(info, row_id(id, "Product"))
    if found is None:
        raise NotFound("product", field=("id",))
    info.context.note_view(found.id)
    return found


async def product_of_slug(info: Info, slug: str) -> Product | None:
    return visible(info, await info.context.load.slug_product.load(slug))


async def product_of_id(info: Info, id: str) -> Product | None:
    parsed = parse_id(id)
    return await find_product(info, parsed[1]) if parsed and parsed[0] == "Product" else None


async def find_product(info: Info, product_id: int) -> Product | None:
    return visible(info, await info.context.load.product.load(product_id))


def visible(info: Info, product: Product | None) -> Product | None:
    """Customers see what is ACTIVE, staff everything."""
    seen = product is not None and (product.status is ProductStatus.ACTIVE or info.context.viewer.is_staff)
    return product if seen else None


async def find_variant(info: Info, variant_id: int) -> Variant | None:
    """As far as its product can be seen."""
    variant = await info.context.load.variant.load(variant_id)
    return variant if variant and await find_product(info, variant.product_id) else None


async def find_media(info: Info, media_id: int) -> Media | None:
    """Pictures of products, one's own, and for staff all."""
    viewer = info.context.viewer
    media = await info.context.load.media.load(media_id)
    if media is None or viewer.is_staff or viewer.owns(media.uploader_id):
        return media
    return media if await info.context.load.public_media.load(media_id) else None


async def find_category(info: Info, category_id: int) -> Category | None:
    return await info.context.load.category.load(category_id)


async def find_attribute(info: Info, attribute_id: int) -> Attribute | None:
    return await info.context.load.attribute.load(attribute_id)


async def category(
    info: Info, id: strawberry.ID | None = None, slug: str | None = None, language: str | None = None
) -> Category | None:
    """One category by its id or its slug.

    id: its global id
    slug: its part of the address
    language: tell it in this language, as a tag such as "zh-CN", instead of the viewer's own
    """
    likes(info, language=language)
    if (id is None) == (slug is None):
        raise Invalid("Name a category by its id or by its slug.", field=("id",))
    return await named_category(info, slug if slug is not None else id or "", by_slug=slug is not None)


async def named_category(info: Info, name: str, *, by_slug: bool) -> Category | None:
    if by_slug:
        return await info.context.load.slug_category.load(name)
    parsed = parse_id(name)
    return await find_category(info, parsed[1]) if parsed and parsed[0] == "Category" else None


async def categories(info: Info, roots: bool = True, language: str | None = None) -> Sequence[Category]:
    """The tree of categories.

    roots: true for the roots only, whose children lead on; false for all of them, the roots first
    language: tell them in this language, as a tag such as "zh-CN", instead of the viewer's own
    """
    likes(info, language=language)
    reads = info.context.shop.database.reads
    return await (root_categories(reads) if roots else every_category(reads))


async def attributes(info: Info) -> Sequence[Attribute]:
    """Every attribute the shop knows, by code."""
    return await every_attribute(info.context.shop.database.reads)


async def category_ancestors(categories: Sequence[Category], info: Info) -> Sequence[Sequence[Category]]:
    """The categories above it, the root first."""
    above = {each for category in categories for each in category.line[:-1]}
    rows = dict(zip(above, await info.context.load.category.load_many(list(above)), strict=True))
    return [[row for each in category.line[:-1] if (row := rows[each])] for category in categories]


async def category_attributes(
    categories: Sequence[Category], info: Info
) -> Sequence[Sequence[CategoryAttributeShown]]:
    """What its products are described by: what it says itself, and what it inherits."""
    lines = list({each for category in categories for each in category.line})
    said = dict(zip(lines, await info.context.load.category_attributes.load_many(lines), strict=True))
    ids = list({row.attribute_id for rows in said.values() for row in rows})
    known = dict(zip(ids, await info.context.load.attribute.load_many(ids), strict=True))
    found = [[row for each in category.line for row in said[each]] for category in categories]
    return [shown(category, rows, known) for category, rows in zip(categories, found, strict=True)]


def shown(
    category: Category, rows: Sequence[CategoryAttribute], known: Mapping[int, Attribute | None]
) -> list[CategoryAttributeShown]:
    """Each attribute once: what a category says itself counts before what it inherits."""
    nearest = {row.attribute_id: row for row in rows}
    return [
        CategoryAttributeShown(attribute, row.required, inherited=row.category_id != category.id)
        for attribute_id, row in nearest.items()
        if (attribute := known[attribute_id])
    ]


async def price(
    variants: Sequence[Variant], info: Info, currency: CurrencyCode | None = None
) -> Sequence[Money | None]:
    """What one costs; null when it is not sold in this currency.

    currency: another one than the viewer's own
    """
    return [row.price if row else None for row in await prices_in(variants, info, currency)]


async def compare_at_price(
    variants: Sequence[Variant], info: Info, currency: CurrencyCode | None = None
) -> Sequence[Money | None]:
    """What one cost before the price was lowered; null when it was not.

    currency: another one than the viewer's own
    """
    return [row.compare_at if row else None for row in await prices_in(variants, info, currency)]


async def prices_in(
    variants: Sequence[Variant], info: Info, currency: CurrencyCode | None
) -> list[Price | None]:
    wanted = currency or info.context.viewer_of(info).currency
    found = await info.context.load.variant_prices.load_many([variant.id for variant in variants])
    return [next((row for row in rows if row.currency is wanted), None) for rows in found]


async def price_range(
    products: Sequence[Product], info: Info, currency: CurrencyCode | None = None
) -> Sequence[PriceRange | None]:
    """What its cheapest and its dearest variant cost; null when none is sold in this currency.

    currency: another one than the viewer's own
    """
    found = await info.context.load.product_variants.load_many([product.id for product in products])
    rows = iter(await prices_in([variant for variants in found for variant in variants], info, currency))
    prices = [[row.price for _ in variants if (row := next(rows))] for variants in found]
    return [PriceRange(min(some), max(some)) if some else None for some in prices]


def variant_options(root: Variant) -> list[VariantOption]:
    """What sets it apart from the other variants, such as its size."""
    return [VariantOption(option["name"], option["value"]) for option in root.options]


def product_translations(root: Product) -> list[ProductTranslation]:
    """All other languages it is described in."""
    return [
        ProductTranslation(language, texts.get("title"), texts.get("description"))
        for language, texts in sorted(root.translations.items())
    ]


async def attribute_text(said: Sequence[ProductAttribute], info: Info) -> Sequence[str]:
    """The value as people read it, in their language and with its unit."""
    attributes = await info.context.load.attribute.load_many([row.attribute_id for row in said])
    values = await info.context.load.attribute_value.load_many([row.value_id or 0 for row in said])
    return [
        spoken(info, attribute, value, row)
        for row, attribute, value in zip(said, attributes, values, strict=True)
        if attribute
    ]


def attribute_number(root: ProductAttribute) -> Decimal | None:
    """The value of a NUMBER attribute, without its unit."""
    return None if root.number is None else Decimal(spelled(root.number))


def spoken(
    info: Info, attribute: Attribute, value: AttributeValue | None, row: ProductAttribute | CountedValue
) -> str:
    viewer = info.context.viewer_of(info)
    read = viewer.read
    match attribute.type:
        case AttributeType.ENUM:
            return read(value.translations, "name", value.name) if value else ""
        case AttributeType.NUMBER:
            unit = read(attribute.translations, "unit", attribute.unit or "")
            return f"{spelled(row.number or Decimal(0))} {unit}".strip()
        case AttributeType.BOOLEAN:
            return FLAGS["zh" if viewer.language.startswith("zh") else "en"][bool(row.boolean)]
        case AttributeType.DATE:
            return row.date.isoformat() if row.date else ""
        case AttributeType.TEXT:
            return row.text or ""
