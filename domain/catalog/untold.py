"""A file says only what it has columns for; the rest of a product stays as it was."""

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.drafts import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.exporting import drafts_of
from domain.catalog.interchange.columns import (
    OPTION_NAMES,
    OPTION_VALUES,
    Column,
    Family,
    Told,
    speaks_of_variants,
)
from domain.catalog.lock import alone
from domain.catalog.pairing import pair
from domain.catalog.stored import Stored, stored_by_slug
from models import CurrencyCode

PRODUCTS = 200
"""Products looked up at once."""

PLAIN = {
    "description": {Column.BODY},
    "brand": {Column.VENDOR},
    "product_type": {Column.TYPE},
    "category_path": {Column.CATEGORY},
    "tags": {Column.TAGS},
    "status": {Column.STATUS, Column.PUBLISHED},
    "seo_title": {Column.SEO_TITLE},
    "seo_description": {Column.SEO_DESCRIPTION},
    "pictures": {Column.PICTURE},
}
"""What a product says, and the columns it stands in."""

PLAIN_OF_VARIANT = {
    "options": {*OPTION_NAMES, *OPTION_VALUES},
    "sku": {Column.SKU},
    "barcode": {Column.BARCODE},
    "weight_grams": {Column.GRAMS},
    "weight_unit": {Column.WEIGHT_UNIT},
    "tracked": {Column.TRACKER},
    "sells_when_out": {Column.POLICY},
    "requires_shipping": {Column.REQUIRES_SHIPPING},
    "taxable": {Column.TAXABLE},
    "picture_url": {Column.VARIANT_PICTURE},
}


async def with_untold(
    session: AsyncSession, drafts: Sequence[ProductDraft], told: Set[Told]
) -> list[ProductDraft]:
    """The drafts of a file, each with what the product of this slug has in columns that the file has not.

    A file with all the plain columns, such as the shop's own, says everything.
    """
    if told >= set(Column):
        return list(drafts)
    await alone(session)
    found: dict[str, Stored] = {}
    for batch in batches([draft.slug for draft in drafts], PRODUCTS):
        found |= await stored_by_slug(session, batch)
    before = dict(zip(found, await drafts_of(session, found.values()), strict=True)) if found else {}
    return [
        kept(draft, before[draft.slug], found[draft.slug], told) if draft.slug in before else draft
        for draft in drafts
    ]


def kept(draft: ProductDraft, before: ProductDraft, stored: Stored, told: Set[Told]) -> ProductDraft:
    return replace(
        draft,
        **_untold(before, PLAIN, told),
        translations=_translations(draft, before, told),
        attributes={
            code: texts for code, texts in before.attributes.items() if (Family.ATTRIBUTE, code) not in told
        }
        | dict(draft.attributes),
        variants=_variants(draft, before, stored, told),
        columns=_columns(draft, before, told),
    )


def _untold(
    before: ProductDraft | VariantDraft, plain: dict[str, set[Column]], told: Set[Told]
) -> dict[str, Any]:
    return {name: getattr(before, name) for name, columns in plain.items() if not columns & told}


def _translations(draft: ProductDraft, before: ProductDraft, told: Set[Told]) -> dict[str, dict[str, str]]:
    families = {"title": Family.TITLE, "description": Family.BODY}
    found = {
        language: {name: text for name, text in texts.items() if (families[name], language) not in told}
        | dict(draft.translations.get(language, {}))
        for language, texts in before.translations.items()
    }
    new = {language: dict(texts) for language, texts in draft.translations.items() if language not in found}
    return {language: texts for language, texts in (found | new).items() if texts}


def _variants(
    draft: ProductDraft, before: ProductDraft, stored: Stored, told: Set[Told]
) -> tuple[VariantDraft, ...]:
    """A file without any column of variants speaks of none."""
    if not any(map(speaks_of_variants, told)):
        return before.variants
    known = {row.id: each for row, each in zip(stored.on_sale, before.variants, strict=True)}
    pairs, _ = pair(draft.variants, stored.on_sale)
    return tuple(_variant(each.draft, known[each.row.id], told) if each.row else each.draft for each in pairs)


def _variant(draft: VariantDraft, before: VariantDraft, told: Set[Told]) -> VariantDraft:
    return replace(
        draft,
        **_untold(before, PLAIN_OF_VARIANT, told),
        prices=_prices(draft, before, told),
        columns=_columns(draft, before, told),
    )


def _prices(draft: VariantDraft, before: VariantDraft, told: Set[Told]) -> dict[CurrencyCode, PriceDraft]:
    found = dict(draft.prices)
    for currency, price in before.prices.items():
        if (Family.PRICE, currency) not in told:
            found[currency] = price
        elif currency in found and (Family.COMPARE_AT, currency) not in told:
            found[currency] = replace(found[currency], compare_at=price.compare_at)
    return found


def _columns(
    draft: ProductDraft | VariantDraft, before: ProductDraft | VariantDraft, told: Set[Told]
) -> dict[str, str]:
    return {name: text for name, text in before.columns.items() if name not in told} | dict(draft.columns)
