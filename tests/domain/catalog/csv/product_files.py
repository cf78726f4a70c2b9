"""Reading, writing and generating product files for tests."""

import os
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from domain.catalog.csv import CsvWriter, ParsedFile, columns_of, read_products
from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft, clean_html
from models.catalog import ProductStatus
from models.money import CurrencyCode, Money
from text.characters import clean_text

FOLDERS = os.environ.get("CARTWHEEL_SAMPLES", "").split(os.pathsep)
SAMPLES = sorted(path for folder in FOLDERS if folder for path in Path(folder).glob("*.csv"))
"""Product files of other shops, where somebody has some."""


def parse_text(text: str, *, currency: CurrencyCode = CurrencyCode.CNY) -> ParsedFile:
    return read_products(text.encode(), file="products.csv", currency=currency)


def write_csv(products: Sequence[ProductDraft], *, currency: CurrencyCode = CurrencyCode.CNY) -> bytes:
    writer = CsvWriter(columns_of(products, currency), currency=currency)
    return writer.header() + b"".join(writer.rows([product]) for product in products)


def join_rows(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


def only_product(parsed: ParsedFile) -> ProductDraft:
    assert parsed.problems == ()
    (product,) = parsed.products
    return product


TAGS = (
    "a",
    "b",
    "p",
    "pre",
    "table",
    "tr",
    "td",
    "li",
    "svg",
    "math",
    "style",
    "title",
    "select",
    "plaintext",
)
PIECES = st.sampled_from(
    [f"<{tag}>" for tag in TAGS]
    + [f"</{tag}>" for tag in TAGS]
    + [
        "\n",
        " ",
        "x",
        "&lt;",
        "<a href=javascript:x>",
        "<img src=x onerror=y>",
        "<!--",
        "-->",
        "&amp;lt;b&gt;",
    ]
)
HTML = st.lists(PIECES, max_size=12).map("".join)

# What a parsed file may hold: texts without white space around them, numbered pictures, equal option names.
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(LETTERS, max_size=20).map(clean_text).map(str.strip)
NAME = TEXT.filter(bool)

CODE = (
    st.text(string.ascii_letters + string.digits + "-_ ./", min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)
ADDRESS = st.sampled_from(["https://pics.test/", "http://pics.test/", "//pics.test/", "/media/"]).flatmap(
    lambda start: st.text(string.ascii_letters + "%?=&,;\"'", min_size=1, max_size=8).map(start.__add__)
)
BODY = st.one_of(TEXT, HTML).map(clean_html)
UNITS = st.integers(0, 1_000_000_000)
FOREIGN = st.sampled_from(["Gift Card", "Google Shopping / MPN", "Notes", "货架"])
FOREIGN_OF_VARIANT = st.sampled_from(
    ["Variant Tax Code", "Cost per item", "Price / International", "Tax code"]
)


AMOUNT = st.integers(0, 10**12 - 1)
PRICES = st.dictionaries(
    st.sampled_from(CurrencyCode), st.tuples(AMOUNT, st.none() | AMOUNT), max_size=3
).map(
    lambda amounts: {
        currency: PriceDraft(Money(amount, currency), Money(before, currency) if before else None)
        for currency, (amount, before) in amounts.items()
    }
)
VARIANT = st.builds(
    VariantDraft,
    barcode=st.none() | NAME,
    prices=PRICES,
    weight_grams=UNITS,
    weight_unit=st.sampled_from(["g", "kg", "lb", "oz"]),
    stock=st.dictionaries(st.just("") | CODE, UNITS, max_size=3),
    sells_when_out=st.booleans(),
    requires_shipping=st.booleans(),
    taxable=st.booleans(),
    picture_url=st.none() | ADDRESS,
    columns=st.dictionaries(FOREIGN | FOREIGN_OF_VARIANT, NAME, max_size=2),
)
"""A variant without options and SKU, which depend on its product."""

TRANSLATIONS = st.dictionaries(
    st.sampled_from(["en", "zh-CN"]),
    st.builds(lambda title, body: {"title": title, "description": body or "x"}, NAME, BODY),
)
ATTRIBUTES = st.dictionaries(CODE, st.lists(NAME, min_size=1, max_size=3).map(tuple), max_size=2)
PICTURES = st.lists(
    st.tuples(ADDRESS, TEXT, st.dictionaries(st.sampled_from(["en", "zh-CN"]), NAME)), max_size=4
)


@cache
def option_sets(count: int) -> st.SearchStrategy[list[tuple[tuple[str, str], ...]]]:
    """Sets of different values of `count` options; without options there is only one."""
    if count == 0:
        return st.lists(st.just(()), max_size=1)
    names = st.lists(NAME, min_size=count, max_size=count, unique=True)
    choices = st.lists(st.tuples(*[NAME] * count), max_size=4, unique=True)
    return st.builds(
        lambda names, choices: [tuple(zip(names, chosen, strict=True)) for chosen in choices], names, choices
    )


OPTION_SETS = st.integers(0, 5).flatmap(option_sets)
LANGUAGES = st.lists(st.sampled_from(["en", "zh-CN"]), unique=True, max_size=2)
COLUMNS = st.dictionaries(FOREIGN, NAME, max_size=2)
TAXONOMY_ID = st.sampled_from(["", "aa-1-2"])
NAMES = st.lists(NAME, max_size=3).map(tuple)
DIFFERENT_NAMES = st.lists(NAME, max_size=3, unique=True).map(tuple)
STATUS = st.sampled_from(ProductStatus)


def finish_variant(
    variant: VariantDraft,
    options: tuple[tuple[str, str], ...],
    sku: str | None,
    product_columns: Mapping[str, str],
) -> VariantDraft:
    """The variant with options and SKU, and without the columns that its product has."""
    columns = {name: value for name, value in variant.columns.items() if name not in product_columns}
    tracked = bool(variant.stock)
    return replace(variant, options=options, sku=sku, columns=columns, tracked=tracked)


@st.composite
def product_drafts(draw: st.DrawFn, slug: str) -> ProductDraft:
    columns = draw(COLUMNS)
    taxonomy_id, languages = draw(TAXONOMY_ID), draw(LANGUAGES)
    return ProductDraft(
        slug=slug,
        title=draw(NAME),
        description=draw(BODY),
        brand=draw(TEXT),
        product_type=draw(TEXT),
        category_path=() if taxonomy_id else draw(NAMES),
        taxonomy_id=taxonomy_id,
        tags=draw(DIFFERENT_NAMES),
        status=draw(STATUS),
        seo_title=draw(TEXT),
        seo_description=draw(TEXT),
        translations=draw(TRANSLATIONS),
        attributes=draw(ATTRIBUTES),
        pictures=tuple(
            PictureDraft(url, alt, place, translations)
            for place, (url, alt, translations) in enumerate(draw(PICTURES), start=1)
        ),
        variants=tuple(
            replace(
                finish_variant(
                    draw(VARIANT), each, f"{slug}-{place}" if draw(st.booleans()) else None, columns
                ),
                option_translations={
                    language: tuple((option[0].upper(), draw(NAME)) for option in each)
                    for language in languages
                    if each
                },
            )
            for place, each in enumerate(draw(OPTION_SETS))
        ),
        columns=columns,
    )
