"""The plain texts of products and variants: one table for import, export, editing, merging and storing.

A line in `ProductTexts` or `VariantTexts` and a column of the same name on the row make a text field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from domain.catalog.limits import NAME_LIMIT, SEO_LIMIT
from domain.catalog.problems import WrongText
from domain.catalog.product.html import clean_html


@dataclass(frozen=True, slots=True)
class TextField:
    """How one text is called in files, and what it may be."""

    column: str
    """Its column in a CSV file."""
    other_columns: tuple[str, ...] = ()
    """Other names of that column, which are read but not written."""
    limit: int = NAME_LIMIT
    """Characters; HTML has a limit of its own."""
    required: bool = False
    html: bool = False
    translated: bool = False
    """Whether `translations` may have it, in a file under the column with a language: "Title / en"."""

    def parse(self, text: str) -> str:
        """The text as it is stored; ValueError says what is wrong with it."""
        if self.html:
            return clean_html(text)
        if len(text) > self.limit:
            raise WrongText(
                "has {length} characters; at most {limit} are taken", length=len(text), limit=self.limit
            )
        return text


def product_text(
    column: str,
    *other_columns: str,
    limit: int = NAME_LIMIT,
    required: bool = False,
    html: bool = False,
    translated: bool = False,
) -> str:
    text = TextField(column, other_columns, limit, required, html, translated)
    return field(default="", metadata={TextField: text})


def variant_text(column: str, *other_columns: str, limit: int = NAME_LIMIT) -> str | None:
    """A text a variant may lack: None, never ""."""
    return field(default=None, metadata={TextField: TextField(column, other_columns, limit)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTexts:
    """The plain texts of a product."""

    title: str = product_text("Title", required=True, translated=True)
    description: str = product_text("Body (HTML)", "Body", "Description", html=True, translated=True)
    brand: str = product_text("Vendor")
    product_type: str = product_text("Type", "Custom Product Type")
    seo_title: str = product_text("SEO Title", limit=SEO_LIMIT)
    seo_description: str = product_text("SEO Description", limit=SEO_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantTexts:
    """The plain texts of a variant."""

    sku: str | None = variant_text("Variant SKU", "SKU")
    barcode: str | None = variant_text("Variant Barcode", "Barcode", "Barcodes", "Variant Barcodes")


def _table_of(texts: type[ProductTexts | VariantTexts]) -> Mapping[str, TextField]:
    return {each.name: each.metadata[TextField] for each in fields(texts)}


PRODUCT_TEXTS = _table_of(ProductTexts)
"""The text fields of a product by name."""

VARIANT_TEXTS = _table_of(VariantTexts)
TRANSLATED_TEXTS = {name: text for name, text in PRODUCT_TEXTS.items() if text.translated}

ProductT = TypeVar("ProductT", bound=ProductTexts)
VariantT = TypeVar("VariantT", bound=VariantTexts)


def product_texts_of(source: object) -> dict[str, str]:
    """The texts of a product's row, draft or input by name, those left out that are None."""
    texts = {name: getattr(source, name) for name in PRODUCT_TEXTS}
    return {name: text for name, text in texts.items() if text is not None}


def translated_texts_of(source: object) -> dict[str, str]:
    """The translated texts of an input by name."""
    return {name: getattr(source, name) for name in TRANSLATED_TEXTS}


def variant_texts_of(source: object) -> dict[str, str | None]:
    """The texts of a variant's row, draft or input by name."""
    return {name: getattr(source, name) or None for name in VARIANT_TEXTS}


def with_product_texts(draft: ProductT, texts: Mapping[str, str]) -> ProductT:
    """The draft with these texts in place of its own."""
    return replace(draft, **texts)


def with_variant_texts(draft: VariantT, texts: Mapping[str, str | None]) -> VariantT:
    """The draft with these texts in place of its own; a blank one is None."""
    return replace(draft, **{name: text or None for name, text in texts.items()})
