"""Names of columns: every spelling the format has had, and the one the shop writes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property

from domain.language import canonical
from models.money import CurrencyCode

OPTIONS = 3
"""Options a product can have in the format."""


class Column(StrEnum):
    """A column the shop understands, in the order it writes them."""

    HANDLE = "Handle"
    TITLE = "Title"
    BODY = "Body (HTML)"
    VENDOR = "Vendor"
    CATEGORY = "Product Category"
    TYPE = "Type"
    TAGS = "Tags"
    PUBLISHED = "Published"
    OPTION1_NAME = "Option1 Name"
    OPTION1_VALUE = "Option1 Value"
    OPTION2_NAME = "Option2 Name"
    OPTION2_VALUE = "Option2 Value"
    OPTION3_NAME = "Option3 Name"
    OPTION3_VALUE = "Option3 Value"
    SKU = "Variant SKU"
    GRAMS = "Variant Grams"
    TRACKER = "Variant Inventory Tracker"
    QUANTITY = "Variant Inventory Qty"
    POLICY = "Variant Inventory Policy"
    PRICE = "Variant Price"
    COMPARE_AT = "Variant Compare At Price"
    REQUIRES_SHIPPING = "Variant Requires Shipping"
    TAXABLE = "Variant Taxable"
    BARCODE = "Variant Barcode"
    PICTURE = "Image Src"
    PICTURE_POSITION = "Image Position"
    PICTURE_ALT = "Image Alt Text"
    SEO_TITLE = "SEO Title"
    SEO_DESCRIPTION = "SEO Description"
    VARIANT_PICTURE = "Variant Image"
    WEIGHT_UNIT = "Variant Weight Unit"
    STATUS = "Status"


class Family(StrEnum):
    """Columns that come once per currency, warehouse, language or attribute: "Price / USD"."""

    PRICE = "Price"
    COMPARE_AT = "Compare At Price"
    QUANTITY = "Inventory Qty"
    TITLE = "Title"
    BODY = "Body (HTML)"
    ATTRIBUTE = "Attribute"


ALIKE = 0.85
"""How much of a header must be like a column's name to be taken for a slip."""

Member = tuple[Family, str]
Known = Column | Member
Told = Known | str
"""A column of a file, the unknown ones by their names."""

OPTION_NAMES = (Column.OPTION1_NAME, Column.OPTION2_NAME, Column.OPTION3_NAME)
OPTION_VALUES = (Column.OPTION1_VALUE, Column.OPTION2_VALUE, Column.OPTION3_VALUE)
PICTURE_COLUMNS = (Column.PICTURE, Column.PICTURE_POSITION, Column.PICTURE_ALT)

_OLD_AND_NEW = {
    "url handle": Column.HANDLE,
    "body": Column.BODY,
    "description": Column.BODY,
    "standard product type": Column.CATEGORY,
    "standardized product type": Column.CATEGORY,
    "custom product type": Column.TYPE,
    "published on online store": Column.PUBLISHED,
    "sku": Column.SKU,
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
    "barcode": Column.BARCODE,
    "barcodes": Column.BARCODE,
    "variant barcodes": Column.BARCODE,
    "product image url": Column.PICTURE,
    "variant image url": Column.VARIANT_PICTURE,
    "weight unit for display": Column.WEIGHT_UNIT,
}
_FAMILY_SPELLINGS = {
    "body": Family.BODY,
    "description": Family.BODY,
    "inventory quantity": Family.QUANTITY,
}
_VARIANT_FAMILIES = {Family.PRICE, Family.COMPARE_AT, Family.QUANTITY}
_VARIANT_WORDS = ("variant ", "price / ", "compare at price / ", "cost per item", "tax code", "unit price ")
_VARIANT_NAMES = {"fulfillment service"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CURRENCY = re.compile(r" *[A-Za-z]{3} *")
_OPTION_BEYOND = re.compile(r"option([0-9]+) (name|value)")


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^\w/]+", " ", name.casefold()).split())


_COLUMNS = {_plain(column): column for column in Column} | _OLD_AND_NEW
_FAMILIES = {_plain(family): family for family in Family} | _FAMILY_SPELLINGS


def member_name(family: Family, suffix: str) -> str:
    return f"{family} / {suffix}"


def of_variant(name: str) -> bool:
    """Whether a column the shop has no field for speaks of a variant rather than of its product."""
    plain = _plain(name)
    return plain.startswith(_VARIANT_WORDS) or plain in _VARIANT_NAMES


def _identify(name: str, currency: CurrencyCode) -> Known | None:
    word, slash, suffix = name.partition("/")
    suffix = suffix.strip()
    if not slash:
        return _COLUMNS.get(_plain(name))
    match _FAMILIES.get(_plain(word)):
        case Family.PRICE if suffix.upper() == currency:
            return Column.PRICE
        case Family.COMPARE_AT if suffix.upper() == currency:
            return Column.COMPARE_AT
        case (Family.PRICE | Family.COMPARE_AT) as family if suffix.upper() in CurrencyCode.__members__:
            return family, suffix.upper()
        case (Family.TITLE | Family.BODY) as family if _LANGUAGE.fullmatch(suffix):
            return family, canonical(suffix)
        case (Family.QUANTITY | Family.ATTRIBUTE) as family if suffix:
            return family, suffix
    return None


def _nearly(name: str) -> str:
    """The column or family whose name this one almost is; "" when it is like none."""
    word, slash, suffix = name.partition("/")
    if of_variant(name) and not _CURRENCY.fullmatch(suffix):
        return ""
    names = _FAMILIES if slash else _COLUMNS
    near = get_close_matches(_plain(word), names, n=1, cutoff=ALIKE)
    return f"{names[near[0]]}{' / ...' if slash else ''}" if near else ""


@dataclass(frozen=True)
class Heading:
    """What the columns of one file mean."""

    names: Sequence[str]
    currency: CurrencyCode
    at: Mapping[Known, int]
    unknown: Mapping[str, int]
    nameless: Sequence[int]
    beyond: Sequence[int]
    """Names and values of a fourth option and further ones."""
    twice: Sequence[str]

    def name(self, known: Known) -> str:
        """The header of a column as the file writes it."""
        at = self.at.get(known)
        if at is not None:
            return self.names[at]
        return member_name(*known) if isinstance(known, tuple) else known.value

    @property
    def told(self) -> frozenset[Told]:
        """All the file has columns for; the plain prices stand there by their currency, too."""
        plain = {Column.PRICE: Family.PRICE, Column.COMPARE_AT: Family.COMPARE_AT}
        prices = {(family, self.currency.value) for column, family in plain.items() if column in self.at}
        return frozenset[Told](self.at) | self.unknown.keys() | prices

    @cached_property
    def variant_cells(self) -> Sequence[int]:
        """A value in any of these makes the row speak of a variant."""
        known = [place for column, place in self.at.items() if _known_of_variant(column)]
        return [*known, *self.unknown_of_variant.values()]

    @cached_property
    def product_cells(self) -> Sequence[int]:
        """Known columns that the later rows of a product may repeat but not change."""
        elsewhere = {Column.HANDLE, *OPTION_NAMES, *PICTURE_COLUMNS}
        return [
            place
            for column, place in self.at.items()
            if column not in elsewhere and not _known_of_variant(column)
        ]

    @cached_property
    def unknown_of_variant(self) -> Mapping[str, int]:
        return {name: place for name, place in self.unknown.items() if of_variant(name)}

    @cached_property
    def unknown_of_product(self) -> Mapping[str, int]:
        return {name: place for name, place in self.unknown.items() if not of_variant(name)}

    @cached_property
    def doubtful(self) -> Mapping[str, str]:
        """Unknown columns that are hardly meant to be unknown, and what is likely meant."""
        likely = {name: _nearly(name) for name in self.unknown}
        return {name: meant for name, meant in likely.items() if meant}

    @cached_property
    def prices(self) -> Sequence[tuple[CurrencyCode, Known, Known]]:
        """Every currency with its columns of the price and of the price before."""
        others = dict.fromkeys([*self._suffixes(Family.PRICE), *self._suffixes(Family.COMPARE_AT)])
        return [
            (self.currency, Column.PRICE, Column.COMPARE_AT),
            *((CurrencyCode(code), (Family.PRICE, code), (Family.COMPARE_AT, code)) for code in others),
        ]

    @cached_property
    def stock(self) -> Sequence[tuple[str, Known]]:
        return [
            ("", Column.QUANTITY),
            *((code, (Family.QUANTITY, code)) for code in self._suffixes(Family.QUANTITY)),
        ]

    @cached_property
    def languages(self) -> Sequence[str]:
        return list(dict.fromkeys([*self._suffixes(Family.TITLE), *self._suffixes(Family.BODY)]))

    @cached_property
    def attributes(self) -> Sequence[str]:
        return self._suffixes(Family.ATTRIBUTE)

    def _suffixes(self, family: Family) -> list[str]:
        return [known[1] for known in self.at if isinstance(known, tuple) and known[0] is family]


def read_heading(names: Sequence[str], currency: CurrencyCode) -> Heading:
    at: dict[Known, int] = {}
    unknown: dict[str, int] = {}
    nameless, beyond, twice = [], [], []
    for place, name in enumerate(names):
        known = _identify(name, currency)
        option = _OPTION_BEYOND.fullmatch(_plain(name))
        if not name.strip():
            nameless.append(place)
        elif known in at or name in unknown:
            twice.append(name)
        elif known is not None:
            at[known] = place
        elif option and int(option[1]) > OPTIONS:
            beyond.append(place)
        else:
            unknown[name] = place
    return Heading(names, currency, at, unknown, nameless, beyond, twice)


def speaks_of_variants(told: Told) -> bool:
    if isinstance(told, tuple):
        return told[0] in _VARIANT_FAMILIES
    return told in OPTION_VALUES or of_variant(told)


def _known_of_variant(known: Known) -> bool:
    if isinstance(known, tuple):
        return known[0] in _VARIANT_FAMILIES
    return known in OPTION_VALUES or known.startswith("Variant ")
