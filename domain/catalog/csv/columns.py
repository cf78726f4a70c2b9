"""The columns of a product file: every name the format has had for them, and the one the shop writes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property

from domain.catalog.limits import OPTION_LIMIT
from domain.catalog.product import PRODUCT_TEXTS, TRANSLATED_TEXTS, VARIANT_TEXTS
from domain.language import canonical_tag
from models.money import CurrencyCode


class Column(StrEnum):
    """A column of the format, in the order the shop writes them."""

    HANDLE = "Handle"
    TITLE = PRODUCT_TEXTS["title"].column
    BODY = PRODUCT_TEXTS["description"].column
    VENDOR = PRODUCT_TEXTS["brand"].column
    CATEGORY = "Product Category"
    TYPE = PRODUCT_TEXTS["product_type"].column
    TAGS = "Tags"
    PUBLISHED = "Published"
    OPTION1_NAME = "Option1 Name"
    OPTION1_VALUE = "Option1 Value"
    OPTION2_NAME = "Option2 Name"
    OPTION2_VALUE = "Option2 Value"
    OPTION3_NAME = "Option3 Name"
    OPTION3_VALUE = "Option3 Value"
    SKU = VARIANT_TEXTS["sku"].column
    GRAMS = "Variant Grams"
    TRACKER = "Variant Inventory Tracker"
    QUANTITY = "Variant Inventory Qty"
    POLICY = "Variant Inventory Policy"
    PRICE = "Variant Price"
    COMPARE_AT = "Variant Compare At Price"
    REQUIRES_SHIPPING = "Variant Requires Shipping"
    TAXABLE = "Variant Taxable"
    BARCODE = VARIANT_TEXTS["barcode"].column
    PICTURE = "Image Src"
    PICTURE_POSITION = "Image Position"
    PICTURE_ALT = "Image Alt Text"
    SEO_TITLE = PRODUCT_TEXTS["seo_title"].column
    SEO_DESCRIPTION = PRODUCT_TEXTS["seo_description"].column
    VARIANT_PICTURE = "Variant Image"
    WEIGHT_UNIT = "Variant Weight Unit"
    SIZE = "Variant Size (mm)"
    STATUS = "Status"
    OPTION4_NAME = "Option4 Name"
    OPTION4_VALUE = "Option4 Value"
    OPTION5_NAME = "Option5 Name"
    OPTION5_VALUE = "Option5 Value"


class ColumnFamily(StrEnum):
    """Columns that come once per currency, warehouse or attribute: "Price / USD".

    A text field that is translated comes once per language in the same way: "Title / en".
    """

    PRICE = "Price"
    COMPARE_AT = "Compare At Price"
    QUANTITY = "Inventory Qty"
    ATTRIBUTE = "Attribute"


SIMILARITY = 0.85
"""How similar a header and a known name must be for the header to be a likely typo (difflib's ratio)."""

FamilyColumn = tuple[str, str]
"""A column by its family, or its translated text field, and what stands behind the slash."""

ColumnKey = str | FamilyColumn
"""A column by its name in the format, an unknown one by its own name."""

FURTHER_OPTIONS = frozenset(
    {Column.OPTION4_NAME, Column.OPTION4_VALUE, Column.OPTION5_NAME, Column.OPTION5_VALUE}
)
"""Columns of ours beyond the three options of the format: written only where a product has so many."""

VARIANT_TEXT_COLUMNS = frozenset(text.column for text in VARIANT_TEXTS.values())
ALL_COLUMNS = tuple(
    dict.fromkeys((*Column, *(text.column for text in (*PRODUCT_TEXTS.values(), *VARIANT_TEXTS.values()))))
)
COLUMNS = tuple(column for column in ALL_COLUMNS if column not in FURTHER_OPTIONS)
"""The simple columns of every file in the order they are written; text fields of ours come last."""

OPTION_NAMES = tuple(Column(f"Option{place} Name") for place in range(1, OPTION_LIMIT + 1))
OPTION_VALUES = tuple(Column(f"Option{place} Value") for place in range(1, OPTION_LIMIT + 1))
PICTURE_COLUMNS = (Column.PICTURE, Column.PICTURE_POSITION, Column.PICTURE_ALT)

_OTHER_NAMES = {
    "url handle": Column.HANDLE,
    "standard product type": Column.CATEGORY,
    "standardized product type": Column.CATEGORY,
    "published on online store": Column.PUBLISHED,
    "weight value grams": Column.GRAMS,
    "inventory tracker": Column.TRACKER,
    "inventory qty": Column.QUANTITY,
    "inventory quantity": Column.QUANTITY,
    "variant inventory quantity": Column.QUANTITY,
    "continue selling when out of stock": Column.POLICY,
    "price": Column.PRICE,
    "compare at price": Column.COMPARE_AT,
    "requires shipping": Column.REQUIRES_SHIPPING,
    "charge tax": Column.TAXABLE,
    "product image url": Column.PICTURE,
    "variant image url": Column.VARIANT_PICTURE,
    "weight unit for display": Column.WEIGHT_UNIT,
}
_OTHER_FAMILY_NAMES = {"inventory quantity": ColumnFamily.QUANTITY}
_VARIANT_FAMILIES = {ColumnFamily.PRICE, ColumnFamily.COMPARE_AT, ColumnFamily.QUANTITY}
_VARIANT_PREFIXES = (
    "variant ",
    "price / ",
    "compare at price / ",
    "cost per item",
    "tax code",
    "unit price ",
)
_VARIANT_NAMES = {"fulfillment service"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CURRENCY = re.compile(r" *[A-Za-z]{3} *")
_OPTION_BEYOND = re.compile(r"option([0-9]+) (name|value)")


def normalize_name(name: str) -> str:
    """The name of a column without case and signs: different spellings are one column."""
    return " ".join(re.sub(r"[^\w/]+", " ", name.casefold()).split())


def _by_normalized_name(columns: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    return {normalize_name(name): column for column, names in columns for name in (column, *names)}


_COLUMNS = (
    {normalize_name(column): column for column in ALL_COLUMNS}
    | _by_normalized_name((text.column, text.other_columns) for text in PRODUCT_TEXTS.values())
    | _by_normalized_name((text.column, text.other_columns) for text in VARIANT_TEXTS.values())
    | _OTHER_NAMES
)
_FAMILIES = (
    {normalize_name(family): family.value for family in ColumnFamily}
    | _by_normalized_name((text.column, text.other_columns) for text in TRANSLATED_TEXTS.values())
    | _by_normalized_name((column, ()) for column in (*OPTION_NAMES, *OPTION_VALUES, Column.PICTURE_ALT))
    | _OTHER_FAMILY_NAMES
)
_TRANSLATED_COLUMNS = {
    *(text.column for text in TRANSLATED_TEXTS.values()),
    *OPTION_NAMES,
    *OPTION_VALUES,
    Column.PICTURE_ALT,
}


def family_column(family: str, suffix: str) -> str:
    """The header of a column of a family."""
    return f"{family} / {suffix}"


def is_variant_column(name: str) -> bool:
    """Whether a column the shop has no field for belongs to a variant rather than to its product."""
    normalized = normalize_name(name)
    return normalized.startswith(_VARIANT_PREFIXES) or normalized in _VARIANT_NAMES


def known_column(name: str, currency: CurrencyCode) -> str:
    """The one name of a column that the shop has a field for, however it is spelled; "" for any other."""
    column = _identify_column(name, currency)
    return "" if column is None else name_of_column(column)


def name_of_column(column: ColumnKey) -> str:
    return family_column(*column) if isinstance(column, tuple) else str(column)


def _identify_column(name: str, currency: CurrencyCode) -> ColumnKey | None:
    prefix, slash, suffix = name.partition("/")
    suffix = suffix.strip()
    if not slash:
        return _COLUMNS.get(normalize_name(name))
    match _FAMILIES.get(normalize_name(prefix)):
        case ColumnFamily.PRICE if suffix.upper() == currency:
            return Column.PRICE
        case ColumnFamily.COMPARE_AT if suffix.upper() == currency:
            return Column.COMPARE_AT
        case (ColumnFamily.PRICE | ColumnFamily.COMPARE_AT) as family if (
            suffix.upper() in CurrencyCode.__members__
        ):
            return family, suffix.upper()
        case (ColumnFamily.QUANTITY | ColumnFamily.ATTRIBUTE) as family if suffix:
            return family, suffix
        case str() as column if column in _TRANSLATED_COLUMNS and _LANGUAGE.fullmatch(suffix):
            return column, canonical_tag(suffix)
    return None


def _likely_column(name: str) -> str:
    """The column or family whose name this one is a likely typo of; "" when it is similar to none."""
    prefix, slash, suffix = name.partition("/")
    if is_variant_column(name) and not _CURRENCY.fullmatch(suffix):
        return ""
    names = _FAMILIES if slash else _COLUMNS
    similar = get_close_matches(normalize_name(prefix), names, n=1, cutoff=SIMILARITY)
    return f"{names[similar[0]]}{' / ...' if slash else ''}" if similar else ""


@dataclass(frozen=True)
class Header:
    """The columns of one file and where they are, counted from 0."""

    names: Sequence[str]
    currency: CurrencyCode
    """The currency of the plain prices."""
    at: Mapping[ColumnKey, int]
    unknown: Mapping[str, int]
    nameless: Sequence[int]
    beyond: Sequence[int]
    """Names and values of options beyond OPTION_LIMIT."""
    repeated: Sequence[str]

    def name(self, column: ColumnKey) -> str:
        """The header of a column as the file writes it."""
        at = self.at.get(column)
        if at is not None:
            return self.names[at]
        return name_of_column(column)

    @property
    def columns(self) -> frozenset[ColumnKey]:
        """All columns of the file; the plain prices are in it by their currency, too."""
        plain = {Column.PRICE: ColumnFamily.PRICE, Column.COMPARE_AT: ColumnFamily.COMPARE_AT}
        prices = {(family, self.currency.value) for column, family in plain.items() if column in self.at}
        return frozenset[ColumnKey](self.at) | self.unknown.keys() | prices

    @cached_property
    def variant_cells(self) -> Sequence[int]:
        """Where a value makes the row one of a variant."""
        known = [at for column, at in self.at.items() if _is_known_variant_column(column)]
        return [*known, *self.unknown_of_variant.values()]

    @cached_property
    def product_cells(self) -> Sequence[int]:
        """The known columns that later rows of a product may repeat but not change."""
        elsewhere = {Column.HANDLE, *OPTION_NAMES, *PICTURE_COLUMNS}
        return [
            at
            for column, at in self.at.items()
            if _family_of(column) not in elsewhere and not _is_known_variant_column(column)
        ]

    @cached_property
    def unknown_of_variant(self) -> Mapping[str, int]:
        return {name: at for name, at in self.unknown.items() if is_variant_column(name)}

    @cached_property
    def unknown_of_product(self) -> Mapping[str, int]:
        return {name: at for name, at in self.unknown.items() if not is_variant_column(name)}

    @cached_property
    def likely_typos(self) -> Mapping[str, str]:
        """Unknown columns whose names are similar to a known one, with the known one."""
        likely = {name: _likely_column(name) for name in self.unknown}
        return {name: column for name, column in likely.items() if column}

    @cached_property
    def prices(self) -> Sequence[tuple[CurrencyCode, ColumnKey, ColumnKey]]:
        """Every currency with its columns of the price and of the compare-at price."""
        price, compare_at = ColumnFamily.PRICE, ColumnFamily.COMPARE_AT
        others = dict.fromkeys([*self._suffixes(price), *self._suffixes(compare_at)])
        return [
            (self.currency, Column.PRICE, Column.COMPARE_AT),
            *((CurrencyCode(code), (price, code), (compare_at, code)) for code in others),
        ]

    @cached_property
    def stock(self) -> Sequence[tuple[str, ColumnKey]]:
        """Every warehouse code with its column; the main warehouse has the code ""."""
        quantity = ColumnFamily.QUANTITY
        return [("", Column.QUANTITY), *((code, (quantity, code)) for code in self._suffixes(quantity))]

    @cached_property
    def languages(self) -> Sequence[str]:
        return list(
            dict.fromkeys(
                language for text in TRANSLATED_TEXTS.values() for language in self._suffixes(text.column)
            )
        )

    @cached_property
    def option_languages(self) -> Sequence[str]:
        """The languages in which names or values of options have columns."""
        columns = (*OPTION_NAMES, *OPTION_VALUES)
        return list(dict.fromkeys(tag for column in columns for tag in self._suffixes(column)))

    @cached_property
    def picture_languages(self) -> Sequence[str]:
        """The languages in which the texts of pictures have a column."""
        return self._suffixes(Column.PICTURE_ALT)

    @cached_property
    def attributes(self) -> Sequence[str]:
        """The codes of attributes that have a column."""
        return self._suffixes(ColumnFamily.ATTRIBUTE)

    def _suffixes(self, family: str) -> list[str]:
        return [column[1] for column in self.at if isinstance(column, tuple) and column[0] == family]


def parse_header(names: Sequence[str], currency: CurrencyCode) -> Header:
    """What the names in the first row mean; `currency` is that of the plain prices."""
    at: dict[ColumnKey, int] = {}
    unknown: dict[str, int] = {}
    nameless, beyond, repeated = [], [], []
    for place, name in enumerate(names):
        column = _identify_column(name, currency)
        option = _OPTION_BEYOND.fullmatch(normalize_name(name))
        if not name.strip():
            nameless.append(place)
        elif column in at or name in unknown:
            repeated.append(name)
        elif column is not None:
            at[column] = place
        elif option and int(option[1]) > OPTION_LIMIT:
            beyond.append(place)
        else:
            unknown[name] = place
    return Header(names, currency, at, unknown, nameless, beyond, repeated)


def describes_variants(column: ColumnKey) -> bool:
    """Whether a file with this column lists variants."""
    if isinstance(column, tuple):
        return column[0] in _VARIANT_FAMILIES
    return column in OPTION_VALUES or column in VARIANT_TEXT_COLUMNS or is_variant_column(column)


def _family_of(column: ColumnKey) -> str:
    """The name of a column without the language or the like behind its slash."""
    return column[0] if isinstance(column, tuple) else column


def _is_known_variant_column(column: ColumnKey) -> bool:
    if isinstance(column, tuple):
        return column[0] in _VARIANT_FAMILIES or column[0] in OPTION_VALUES
    return column in OPTION_VALUES or column in VARIANT_TEXT_COLUMNS or column.startswith("Variant ")
