"""Products as rows of a file."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.interchange.columns import Column, Family, member_name, of_variant
from domain.catalog.interchange.product import NO_CHOICE, NO_OPTION
from domain.catalog.interchange.values import joined
from models.catalog import ProductStatus
from models.money import CurrencyCode

TRANSLATED = {"title": Family.TITLE, "description": Family.BODY}

Cells = dict[str, str]


def columns_of(products: Iterable[ProductDraft], currency: CurrencyCode) -> Iterator[str]:
    """The columns that products need, some of them again and again."""
    for draft in products:
        for row in _rows(draft, currency):
            yield from row


class Writer:
    """Writes a file that `read_products` turns into the same products again, some of them at a time.

    Texts stand in it exactly as they are, also those a spreadsheet would take for a formula ("=1+1"): the
    file is for machines, and a character put in front of them would come back as part of the text.
    """

    def __init__(self, columns: Iterable[str], *, currency: CurrencyCode) -> None:
        self.currency = currency
        self.lines = io.StringIO(newline="")
        self.writer = csv.DictWriter(
            self.lines, fieldnames=list(dict.fromkeys((*Column, *columns))), restval=""
        )

    def header(self) -> bytes:
        self.writer.writeheader()
        return self._taken()

    def rows(self, products: Iterable[ProductDraft]) -> bytes:
        for draft in products:
            self.writer.writerows(_rows(draft, self.currency))
        return self._taken()

    def _taken(self) -> bytes:
        text = self.lines.getvalue()
        self.lines.seek(0)
        self.lines.truncate()
        return text.encode()


def _rows(draft: ProductDraft, currency: CurrencyCode) -> Iterator[Cells]:
    for place, (variant, picture) in enumerate(zip_longest(_variants(draft), draft.pictures)):
        cells: Cells = {Column.HANDLE: draft.slug}
        if place == 0:
            cells |= _product(draft)
        if variant is not None:
            cells |= _variant(variant, currency)
        if picture is not None:
            cells |= _picture(picture)
        yield cells


def _variants(draft: ProductDraft) -> list[VariantDraft | None]:
    """None leads, a row of the product's alone, when columns of the first variant would pass for its own."""
    alone = not draft.variants or not all(map(of_variant, draft.variants[0].columns))
    return [None, *draft.variants] if alone else [*draft.variants]


def _product(draft: ProductDraft) -> Cells:
    published = draft.status is ProductStatus.ACTIVE
    return {
        Column.TITLE: draft.title,
        Column.BODY: draft.description,
        Column.VENDOR: draft.brand,
        Column.CATEGORY: joined(draft.category_path, ">") or draft.taxonomy_id,
        Column.TYPE: draft.product_type,
        Column.TAGS: joined(draft.tags, ","),
        Column.PUBLISHED: _flag(published),
        **_option_names(draft.variants),
        Column.SEO_TITLE: draft.seo_title,
        Column.SEO_DESCRIPTION: draft.seo_description,
        Column.STATUS: draft.status.lower(),
        **_translations(draft.translations),
        **{member_name(Family.ATTRIBUTE, code): joined(told, ";") for code, told in draft.attributes.items()},
        **draft.columns,
    }


def _translations(translations: Mapping[str, Mapping[str, str]]) -> Cells:
    return {
        member_name(TRANSLATED[field], language): text
        for language, texts in translations.items()
        for field, text in texts.items()
    }


def _option_names(variants: tuple[VariantDraft, ...]) -> Cells:
    if not variants:
        return {}
    names = [name for name, _ in variants[0].options] or [NO_OPTION]
    return {f"Option{place} Name": name for place, name in enumerate(names, start=1)}


def _variant(variant: VariantDraft, currency: CurrencyCode) -> Cells:
    chosen = [value for _, value in variant.options] or [NO_CHOICE]
    return {
        **{f"Option{place} Value": value for place, value in enumerate(chosen, start=1)},
        Column.SKU: variant.sku or "",
        Column.GRAMS: str(variant.weight_grams),
        Column.TRACKER: "shopify" if variant.tracked else "",
        Column.POLICY: "continue" if variant.sells_when_out else "deny",
        Column.REQUIRES_SHIPPING: _flag(variant.requires_shipping),
        Column.TAXABLE: _flag(variant.taxable),
        Column.BARCODE: variant.barcode or "",
        Column.VARIANT_PICTURE: variant.picture_url or "",
        Column.WEIGHT_UNIT: variant.weight_unit,
        **_prices(variant.prices, currency),
        **_stock(variant.stock),
        **variant.columns,
    }


def _prices(prices: Mapping[CurrencyCode, PriceDraft], currency: CurrencyCode) -> Cells:
    cells: Cells = {}
    for code, price in prices.items():
        main = code is currency
        cells[Column.PRICE if main else member_name(Family.PRICE, code)] = str(price.amount.amount)
        if price.compare_at is not None:
            name = Column.COMPARE_AT if main else member_name(Family.COMPARE_AT, code)
            cells[name] = str(price.compare_at.amount)
    return cells


def _stock(stock: Mapping[str, int]) -> Cells:
    return {
        member_name(Family.QUANTITY, code) if code else Column.QUANTITY: str(units)
        for code, units in stock.items()
    }


def _picture(picture: PictureDraft) -> Cells:
    return {
        Column.PICTURE: picture.url,
        Column.PICTURE_POSITION: str(picture.position),
        Column.PICTURE_ALT: picture.alt,
    }


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"
