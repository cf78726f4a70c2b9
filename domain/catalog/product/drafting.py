"""Drafts of products as they are stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.product.rows import ProductRows, load_products_by_id
from domain.catalog.product.text_fields import (
    product_texts_of,
    variant_texts_of,
    with_product_texts,
    with_variant_texts,
)
from domain.catalog.product.variant_matching import options_of
from domain.catalog.taxonomy import AttributeWithValues, Path, attributes_by_id
from domain.stock import levels_by_variant
from models import Category, Media, Price, StockLevel, Variant, Warehouse


@dataclass(frozen=True, slots=True)
class DraftNames:
    """What drafts call categories, attributes and warehouses, by their ids."""

    categories: Mapping[int, Path]
    attributes: Mapping[int, AttributeWithValues]
    warehouses: Mapping[int, str]
    """Codes; that of the main warehouse is ""."""


async def draft_of(session: AsyncSession, rows: ProductRows) -> ProductDraft:
    """One product without its stock; saving the draft leaves the stock alone."""
    return (await drafts_of(session, [rows]))[0]


async def drafts_of(session: AsyncSession, products: Iterable[ProductRows]) -> list[ProductDraft]:
    """Products without their stock; saving the drafts leaves the stock alone."""
    names = await load_draft_names(session)
    return [_draft_product(rows, {}, names) for rows in products]


async def load_drafts(session: AsyncSession, ids: Collection[int], names: DraftNames) -> list[ProductDraft]:
    """Products with their stock, in the order of `ids`."""
    found = await load_products_by_id(session, ids)
    stock = await levels_by_variant(session, [row.id for rows in found.values() for row in rows.on_sale])
    return [_draft_product(found[product_id], stock, names) for product_id in ids]


async def load_draft_names(session: AsyncSession) -> DraftNames:
    categories = {row.id: row for row in await session.scalars(select(Category))}
    paths = {row.id: tuple(categories[above].name for above in row.path_ids) for row in categories.values()}
    warehouses = await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id))
    codes = {row.id: row.code if place else "" for place, row in enumerate(warehouses)}
    return DraftNames(paths, await attributes_by_id(session), codes)


def _draft_product(
    rows: ProductRows, stock: Mapping[int, Sequence[StockLevel]], names: DraftNames
) -> ProductDraft:
    row = rows.product
    draft = ProductDraft(
        slug=row.slug,
        category_path=names.categories[row.category_id] if row.category_id else (),
        tags=tuple(row.tags),
        status=row.status,
        translations=dict(sorted(row.translations.items())),
        attributes=_draft_attributes(rows, names),
        pictures=tuple(
            PictureDraft(media.url, media.alt, position, alt_translations_of(media))
            for position, media in enumerate(rows.pictures, start=1)
        ),
        variants=tuple(_draft_variant(rows, each, stock.get(each.id, ()), names) for each in rows.on_sale),
        columns=dict(sorted(row.columns.items())),
    )
    return with_product_texts(draft, product_texts_of(row))


def _draft_attributes(rows: ProductRows, names: DraftNames) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for row in rows.attributes:
        attribute = names.attributes[row.attribute_id]
        found[attribute.row.code] += (attribute.format(row),)
    return dict(sorted(found.items()))


def _draft_variant(
    rows: ProductRows, row: Variant, stock: Sequence[StockLevel], names: DraftNames
) -> VariantDraft:
    """A variant; units of one whose stock is not tracked are left out."""
    draft = VariantDraft(
        options=options_of(row),
        option_translations=option_translations_of(row),
        prices={currency: _draft_price(price) for currency, price in rows.prices.get(row.id, {}).items()},
        weight_grams=row.weight_grams,
        weight_unit=row.weight_unit,
        size=row.size,
        stock={names.warehouses[level.warehouse_id]: level.on_hand for level in stock} if row.tracked else {},
        tracked=row.tracked,
        sells_when_out=row.sells_when_out,
        requires_shipping=row.requires_shipping,
        taxable=row.taxable,
        picture_url=rows.media[row.media_id].url if row.media_id else None,
        columns=dict(sorted(row.columns.items())),
    )
    return with_variant_texts(draft, variant_texts_of(row))


def alt_translations_of(media: Media) -> dict[str, str]:
    """What a picture shows, by language."""
    texts = {language: each.get("alt", "") for language, each in sorted((media.translations or {}).items())}
    return {language: alt for language, alt in texts.items() if alt}


def option_translations_of(row: Variant) -> dict[str, tuple[tuple[str, str], ...]]:
    """Names and values of all options of a variant, by language."""
    translations = [option.get("translations", {}) for option in row.options]
    languages = sorted({language for each in translations for language in each})
    return {
        language: tuple(
            (texts.get("name", ""), texts.get("value", ""))
            for texts in (each.get(language, {}) for each in translations)
        )
        for language in languages
    }


def _draft_price(row: Price) -> PriceDraft:
    return PriceDraft(row.price, row.compare_at)
