"""Keeping what an import file does not mention."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.csv.columns import (
    COLUMNS,
    OPTION_NAMES,
    OPTION_VALUES,
    Column,
    ColumnFamily,
    ColumnKey,
    describes_variants,
)
from domain.catalog.lock import lock_catalogue
from domain.catalog.product import (
    PRODUCT_TEXTS,
    VARIANT_TEXTS,
    PictureDraft,
    PriceDraft,
    ProductDraft,
    ProductRows,
    VariantDraft,
    drafts_of,
    load_products_by_slug,
    match_variants,
)
from models import CurrencyCode
from models.sql.batches import in_batches

PRODUCT_BATCH = 200
"""Products looked up in one statement."""

PRODUCT_COLUMNS: Mapping[str, Set[str]] = {
    **{name: {text.column} for name, text in PRODUCT_TEXTS.items()},
    "category_path": {Column.CATEGORY},
    "tags": {Column.TAGS},
    "status": {Column.STATUS, Column.PUBLISHED},
}
"""Fields of a product draft, and the columns of which a file has at least one when it mentions the field."""

VARIANT_COLUMNS: Mapping[str, Set[str]] = {
    **{name: {text.column} for name, text in VARIANT_TEXTS.items()},
    "options": {*OPTION_NAMES, *OPTION_VALUES},
    "weight_grams": {Column.GRAMS},
    "weight_unit": {Column.WEIGHT_UNIT},
    "size": {Column.SIZE},
    "tracked": {Column.TRACKER},
    "sells_when_out": {Column.POLICY},
    "requires_shipping": {Column.REQUIRES_SHIPPING},
    "taxable": {Column.TAXABLE},
    "picture_url": {Column.VARIANT_PICTURE},
}


async def merge_missing(
    session: AsyncSession, drafts: Sequence[ProductDraft], columns: Set[ColumnKey]
) -> list[ProductDraft]:
    """The drafts of a file with these columns, filled up from the products that have the same slugs.

    A file with all simple columns, such as the shop's own, mentions everything.
    """
    if columns >= set(COLUMNS):
        return list(drafts)
    await lock_catalogue(session)
    found: dict[str, ProductRows] = {}
    for batch in in_batches([draft.slug for draft in drafts], PRODUCT_BATCH):
        found |= await load_products_by_slug(session, batch)
    before = dict(zip(found, await drafts_of(session, found.values()), strict=True)) if found else {}
    return [
        merge_product(draft, before[draft.slug], found[draft.slug], columns)
        if draft.slug in before
        else draft
        for draft in drafts
    ]


def merge_product(
    draft: ProductDraft, before: ProductDraft, rows: ProductRows, columns: Set[ColumnKey]
) -> ProductDraft:
    """The draft, and what `before` has in columns the file does not have.

    The status of one that waits for the end of an import is the one it gets then: the import goes on.
    """
    before = replace(before, status=rows.product.publish_as or before.status)
    return replace(
        draft,
        **{name: getattr(before, name) for name, known in PRODUCT_COLUMNS.items() if not known & columns},
        translations=_merge_translations(draft, before, columns),
        pictures=_merge_pictures(draft, before, columns),
        attributes={
            code: values
            for code, values in before.attributes.items()
            if (ColumnFamily.ATTRIBUTE, code) not in columns
        }
        | dict(draft.attributes),
        variants=_merge_variants(draft, before, rows, columns),
        columns=_merge_unknown_columns(draft, before, columns),
    )


def _merge_pictures(
    draft: ProductDraft, before: ProductDraft, columns: Set[ColumnKey]
) -> tuple[PictureDraft, ...]:
    """The pictures, each with what the one of the same address shows in languages without a column."""
    if Column.PICTURE not in columns:
        return before.pictures
    known = {
        picture.url: {
            language: alt
            for language, alt in picture.translations.items()
            if (Column.PICTURE_ALT, language) not in columns
        }
        for picture in before.pictures
    }
    return tuple(
        replace(each, translations=known.get(each.url, {}) | dict(each.translations))
        for each in draft.pictures
    )


def _merge_option_translations(
    draft: VariantDraft, before: VariantDraft, columns: Set[ColumnKey]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """The translations, and those of options that stay what they are in languages without a column."""
    if not {*OPTION_NAMES, *OPTION_VALUES} & columns:
        return dict(before.option_translations)
    with_columns = {column[1] for column in columns if column[0] in {*OPTION_NAMES, *OPTION_VALUES}}
    stays = dict(enumerate(before.options))
    kept = {
        language: tuple(
            pairs[place] if stays.get(place) == option else ("", "")
            for place, option in enumerate(draft.options)
        )
        for language, pairs in before.option_translations.items()
        if language not in with_columns
    }
    found = kept | dict(draft.option_translations)
    return {language: pairs for language, pairs in found.items() if any(map(any, pairs))}


def _merge_translations(
    draft: ProductDraft, before: ProductDraft, columns: Set[ColumnKey]
) -> dict[str, dict[str, str]]:
    merged = {
        language: {
            name: text
            for name, text in texts.items()
            if (PRODUCT_TEXTS[name].column, language) not in columns
        }
        | dict(draft.translations.get(language, {}))
        for language, texts in before.translations.items()
    }
    new = {language: dict(texts) for language, texts in draft.translations.items() if language not in merged}
    return {language: texts for language, texts in (merged | new).items() if texts}


def _merge_variants(
    draft: ProductDraft, before: ProductDraft, rows: ProductRows, columns: Set[ColumnKey]
) -> tuple[VariantDraft, ...]:
    """A file without any column of variants keeps them all."""
    if not any(map(describes_variants, columns)):
        return before.variants
    known = {row.id: each for row, each in zip(rows.on_sale, before.variants, strict=True)}
    matches, _ = match_variants(draft.variants, rows.on_sale)
    return tuple(
        _merge_variant(each.draft, known[each.row.id], columns) if each.row else each.draft
        for each in matches
    )


def _merge_variant(draft: VariantDraft, before: VariantDraft, columns: Set[ColumnKey]) -> VariantDraft:
    return replace(
        draft,
        **{name: getattr(before, name) for name, known in VARIANT_COLUMNS.items() if not known & columns},
        prices=_merge_prices(draft, before, columns),
        option_translations=_merge_option_translations(draft, before, columns),
        columns=_merge_unknown_columns(draft, before, columns),
    )


def _merge_prices(
    draft: VariantDraft, before: VariantDraft, columns: Set[ColumnKey]
) -> dict[CurrencyCode, PriceDraft]:
    merged = dict(draft.prices)
    for currency, price in before.prices.items():
        if (ColumnFamily.PRICE, currency) not in columns:
            merged[currency] = price
        elif currency in merged and (ColumnFamily.COMPARE_AT, currency) not in columns:
            merged[currency] = replace(merged[currency], compare_at=price.compare_at)
    return merged


def _merge_unknown_columns(
    draft: ProductDraft | VariantDraft, before: ProductDraft | VariantDraft, columns: Set[ColumnKey]
) -> dict[str, str]:
    return {name: text for name, text in before.columns.items() if name not in columns} | dict(draft.columns)
