"""One product, its variants, prices, options and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.catalog.product import LANGUAGE_TAG
from domain.errors import Invalid, NotFound
from domain.language import canonical_tag
from models import SOLD_STATUSES, CurrencyCode, Media, Money, Price, Product, Variant
from models.base import JsonObject
from resolvers.context import Info, Viewer
from resolvers.guard import Permission
from resolvers.ids import parse_id, row_id


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The lowest and the highest of some prices."""

    min: Money
    max: Money


@dataclass(frozen=True, slots=True)
class VariantOption:
    """An option that sets a variant apart from the other variants of its product."""

    name: str
    value: str
    translations: Sequence["VariantOptionTranslation"] = ()


@dataclass(frozen=True, slots=True)
class VariantOptionTranslation:
    """An option in another language; null where a text is missing."""

    language: str
    name: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class MediaTranslation:
    """What a picture shows, in another language."""

    language: str
    alt: str


@dataclass(frozen=True, slots=True)
class ProductTranslation:
    """The texts of a product in another language; null where one is missing."""

    language: str
    title: str | None
    description: str | None


def apply_preferences(
    info: Info, *, language: str | None = None, currency: CurrencyCode | None = None
) -> Viewer:
    """The viewer with the language and currency that this root field was given, for all fields below it.

    Raises Invalid for what is no language tag.
    """
    if language is not None and not LANGUAGE_TAG.fullmatch(language):
        raise Invalid("This is no language tag.", field=("language",))
    return info.context.prefer(info, language=language and canonical_tag(language), currency=currency)


async def product(
    info: Info,
    id: strawberry.ID | None = None,
    slug: str | None = None,
    language: str | None = None,
    currency: CurrencyCode | None = None,
) -> Product | None:
    """One product by its id or its slug; null when the viewer cannot see it.

    id: its global id
    slug: its part of the address
    language: the language of its texts, as a tag such as "zh-CN"; the viewer's own when left out
    currency: the currency of its prices; the viewer's own when left out
    """
    apply_preferences(info, language=language, currency=currency)
    if (id is None) == (slug is None):
        raise Invalid("Name a product by its id or by its slug.", field=("id",))
    found = await (
        find_product_by_slug(info, slug) if slug is not None else find_product_by_global_id(info, id or "")
    )
    if found is not None:
        info.context.note_view(found.id)
    return found


async def product_view(info: Info, id: strawberry.ID) -> Product:
    """Counts a view of a product whose page was loaded by GET: a browser or CDN may have answered from its
    cache, so those requests count no view. Pages loaded by POST are counted without it.

    id: the product
    """
    found = await find_product(info, row_id(id, "Product"))
    if found is None:
        raise NotFound("product", field=("id",))
    info.context.note_view(found.id)
    return found


async def find_product_by_slug(info: Info, slug: str) -> Product | None:
    return visible_product(info, await info.context.load.slug_product.load(slug))


async def find_product_by_global_id(info: Info, id: str) -> Product | None:
    parsed = parse_id(id)
    return await find_product(info, parsed[1]) if parsed and parsed[0] == "Product" else None


async def find_product(info: Info, product_id: int) -> Product | None:
    return visible_product(info, await info.context.load.product.load(product_id))


def visible_product(info: Info, product: Product | None) -> Product | None:
    """The product, where the viewer may see it: everybody sees those that are sold, the staff all."""
    is_visible = product is not None and (
        product.status in SOLD_STATUSES or info.context.viewer.may(Permission.CATALOG_VIEW)
    )
    return product if is_visible else None


async def find_variant(info: Info, variant_id: int) -> Variant | None:
    """The variant, where the viewer may see its product."""
    variant = await info.context.load.variant.load(variant_id)
    return variant if variant and await find_product(info, variant.product_id) else None


async def find_media(info: Info, media_id: int) -> Media | None:
    """The picture, where it is on a product customers see or is the viewer's own; staff see all."""
    viewer = info.context.viewer
    media = await info.context.load.media.load(media_id)
    if media is None or viewer.may(Permission.MEDIA_VIEW) or viewer.owns(media.uploader_id):
        return media
    return media if await info.context.load.public_media.load(media_id) else None


async def price(
    variants: Sequence[Variant], info: Info, currency: CurrencyCode | None = None
) -> Sequence[Money | None]:
    """The price of one unit; null when it is not sold in this currency.

    currency: the viewer's own when left out
    """
    return [row.price if row else None for row in await load_prices(variants, info, currency)]


async def compare_at_price(
    variants: Sequence[Variant], info: Info, currency: CurrencyCode | None = None
) -> Sequence[Money | None]:
    """The price of one unit before it was lowered; null when it was not.

    currency: the viewer's own when left out
    """
    return [row.compare_at if row else None for row in await load_prices(variants, info, currency)]


async def load_prices(
    variants: Sequence[Variant], info: Info, currency: CurrencyCode | None
) -> list[Price | None]:
    """The price of each variant in `currency`, or in the viewer's own; None where it has none."""
    shown = currency or info.context.viewer_of(info).currency
    found = await info.context.load.variant_prices.load_many([variant.id for variant in variants])
    return [next((row for row in rows if row.currency is shown), None) for rows in found]


async def price_range(
    products: Sequence[Product], info: Info, currency: CurrencyCode | None = None
) -> Sequence[PriceRange | None]:
    """The prices of its cheapest and its most expensive variant; null when none is sold in this currency.

    currency: the viewer's own when left out
    """
    found = await info.context.load.product_variants.load_many([product.id for product in products])
    rows = iter(await load_prices([variant for variants in found for variant in variants], info, currency))
    prices = [[row.price for _ in variants if (row := next(rows))] for variants in found]
    return [PriceRange(min(some), max(some)) if some else None for some in prices]


def variant_options(root: Variant, info: Info) -> list[VariantOption]:
    """The options that set it apart from the other variants, such as its size."""
    viewer = info.context.viewer_of(info)
    return [
        VariantOption(
            *translate_option(viewer, option),
            [
                VariantOptionTranslation(language, texts.get("name"), texts.get("value"))
                for language, texts in sorted(option.get("translations", {}).items())
            ],
        )
        for option in root.options
    ]


def translate_option(viewer: Viewer, option: JsonObject) -> tuple[str, str]:
    """Name and value of a stored option in the viewer's language."""
    translations = option.get("translations", {})
    name = viewer.translate(translations, "name", option["name"])
    return name, viewer.translate(translations, "value", option["value"])


def variant_name(root: Variant, info: Info) -> str:
    """The values of its options, such as "Red / M"; empty for the only variant of a product."""
    viewer = info.context.viewer_of(info)
    return " / ".join(translate_option(viewer, option)[1] for option in root.options)


def media_translations(root: Media) -> list[MediaTranslation]:
    """What it shows, in other languages."""
    return [
        MediaTranslation(language, texts["alt"])
        for language, texts in sorted(root.translations.items())
        if texts.get("alt")
    ]


def product_translations(root: Product) -> list[ProductTranslation]:
    """Its texts in other languages."""
    return [
        ProductTranslation(language, texts.get("title"), texts.get("description"))
        for language, texts in sorted(root.translations.items())
    ]
