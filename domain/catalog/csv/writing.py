"""Writing products as rows of a CSV file."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import zip_longest

from domain.catalog.csv.cells import join_values
from domain.catalog.csv.columns import (
    COLUMNS,
    OPTION_NAMES,
    OPTION_VALUES,
    Column,
    ColumnFamily,
    family_column,
    is_variant_column,
    known_column,
)
from domain.catalog.csv.product_rows import NO_CHOICE, NO_OPTION
from domain.catalog.csv.spreadsheet import mark_text
from domain.catalog.product import (
    PRODUCT_TEXTS,
    VARIANT_TEXTS,
    PictureDraft,
    PriceDraft,
    ProductDraft,
    VariantDraft,
    product_texts_of,
    variant_texts_of,
)
from models.catalog import SOLD_STATUSES, VariantSize
from models.money import CurrencyCode

Cells = dict[str, str]


def columns_of(products: Iterable[ProductDraft], currency: CurrencyCode) -> Iterator[str]:
    """The columns that products need, with repetitions."""
    for draft in products:
        for row in _product_rows(draft, currency):
            yield from row


class CsvWriter:
    """Writes a file, some products at a time, that `read_products` turns into the same products again.

    Texts are written as they are, also those a spreadsheet would take for a formula ("=1+1"): a character
    put in front of them would come back as part of the text. Only what would be read as such a character gets
    another one.
    """

    def __init__(self, columns: Iterable[str], *, currency: CurrencyCode) -> None:
        self.currency = currency
        self.lines = io.StringIO(newline="")
        self.writer = csv.DictWriter(
            self.lines, fieldnames=list(dict.fromkeys((*COLUMNS, *columns))), restval=""
        )

    def header(self) -> bytes:
        self.writer.writeheader()
        return self._take_bytes()

    def rows(self, products: Iterable[ProductDraft]) -> bytes:
        for draft in products:
            self.writer.writerows(map(self._mark_texts, _product_rows(draft, self.currency)))
        return self._take_bytes()

    def _mark_texts(self, cells: Cells) -> Cells:
        return {
            column: mark_text(text)
            if text[:1] in ("'", "=") and known_column(column, self.currency)
            else text
            for column, text in cells.items()
        }

    def _take_bytes(self) -> bytes:
        text = self.lines.getvalue()
        self.lines.seek(0)
        self.lines.truncate()
        return text.encode()


def _product_rows(draft: ProductDraft, currency: CurrencyCode) -> Iterator[Cells]:
    for place, (variant, picture) in enumerate(zip_longest(_variant_rows(draft), draft.pictures)):
        cells: Cells = {Column.HANDLE: draft.slug}
        if place == 0:
            cells |= _product_cells(draft)
        if variant is not None:
            cells |= _variant_cells(variant, currency)
        if picture is not None:
            cells |= _picture_cells(picture)
        yield cells


def _variant_rows(draft: ProductDraft) -> list[VariantDraft | None]:
    """The variants, one a row; None, a row of the product only, comes first where it is needed.

    It is needed when unknown columns of the first variant would be read as those of the product.
    """
    separate = not draft.variants or not all(map(is_variant_column, draft.variants[0].columns))
    return [None, *draft.variants] if separate else [*draft.variants]


def _product_cells(draft: ProductDraft) -> Cells:
    published = draft.status in SOLD_STATUSES
    return {
        **{PRODUCT_TEXTS[name].column: text for name, text in product_texts_of(draft).items()},
        Column.CATEGORY: join_values(draft.category_path, ">") or draft.taxonomy_id,
        Column.TAGS: join_values(draft.tags, ","),
        Column.PUBLISHED: _format_flag(published),
        **_option_name_cells(draft.variants),
        Column.STATUS: draft.status.lower(),
        **_translation_cells(draft.translations),
        **{
            family_column(ColumnFamily.ATTRIBUTE, code): join_values(values, ";")
            for code, values in draft.attributes.items()
        },
        **draft.columns,
    }


def _translation_cells(translations: Mapping[str, Mapping[str, str]]) -> Cells:
    return {
        family_column(PRODUCT_TEXTS[name].column, language): text
        for language, texts in translations.items()
        for name, text in texts.items()
    }


def _option_name_cells(variants: tuple[VariantDraft, ...]) -> Cells:
    if not variants:
        return {}
    names = [name for name, _ in variants[0].options] or [NO_OPTION]
    return {
        **dict(zip(OPTION_NAMES, names, strict=False)),
        **{
            family_column(column, language): name
            for variant in reversed(variants)
            for language, pairs in variant.option_translations.items()
            for column, (name, _) in zip(OPTION_NAMES, pairs, strict=False)
            if name
        },
    }


def _variant_cells(variant: VariantDraft, currency: CurrencyCode) -> Cells:
    chosen = [value for _, value in variant.options] or [NO_CHOICE]
    return {
        **dict(zip(OPTION_VALUES, chosen, strict=False)),
        **{
            family_column(column, language): value
            for language, pairs in variant.option_translations.items()
            for column, (_, value) in zip(OPTION_VALUES, pairs, strict=False)
            if value
        },
        **{VARIANT_TEXTS[name].column: text or "" for name, text in variant_texts_of(variant).items()},
        Column.GRAMS: str(variant.weight_grams),
        Column.TRACKER: "shopify" if variant.tracked else "",
        Column.POLICY: "continue" if variant.sells_when_out else "deny",
        Column.REQUIRES_SHIPPING: _format_flag(variant.requires_shipping),
        Column.TAXABLE: _format_flag(variant.taxable),
        Column.VARIANT_PICTURE: variant.picture_url or "",
        Column.WEIGHT_UNIT: variant.weight_unit,
        Column.SIZE: format_size(variant.size),
        **_price_cells(variant.prices, currency),
        **_stock_cells(variant.stock),
        **variant.columns,
    }


def _price_cells(prices: Mapping[CurrencyCode, PriceDraft], currency: CurrencyCode) -> Cells:
    cells: Cells = {}
    for code, price in prices.items():
        main = code is currency
        cells[Column.PRICE if main else family_column(ColumnFamily.PRICE, code)] = str(price.amount.amount)
        if price.compare_at is not None:
            name = Column.COMPARE_AT if main else family_column(ColumnFamily.COMPARE_AT, code)
            cells[name] = str(price.compare_at.amount)
    return cells


def _stock_cells(stock: Mapping[str, int]) -> Cells:
    return {
        family_column(ColumnFamily.QUANTITY, code) if code else Column.QUANTITY: str(units)
        for code, units in stock.items()
    }


def _picture_cells(picture: PictureDraft) -> Cells:
    return {
        Column.PICTURE: picture.url,
        Column.PICTURE_POSITION: str(picture.position),
        Column.PICTURE_ALT: picture.alt,
        **{
            family_column(Column.PICTURE_ALT, language): alt for language, alt in picture.translations.items()
        },
    }


def format_size(size: VariantSize | None) -> str:
    return "x".join(map(str, astuple(size))) if size else ""


def _format_flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"
