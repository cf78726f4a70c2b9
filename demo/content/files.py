"""Reading TOML tables into dataclasses; a wrong type, a missing or an unknown key is a ValueError."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from models.catalog import ProductStatus
from models.money import CurrencyCode

HERE = Path(__file__).parent

Row = TypeVar("Row")
Scalar = str | bool | int | Decimal | date


@dataclass(frozen=True, slots=True)
class VariantRow:
    sku: str
    options: tuple[str, ...]
    grams: int
    price: Mapping[CurrencyCode, Decimal]
    stock: Mapping[str, int]
    was: Mapping[CurrencyCode, Decimal] | None = None
    barcode: str | None = None
    shipped: bool = True
    sells_when_out: bool = False


@dataclass(frozen=True, slots=True)
class EnglishRow:
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class ProductRow:
    slug: str
    title: str
    description: str
    brand: str
    category: str
    """Slug of a leaf."""
    tags: tuple[str, ...]
    attributes: Mapping[str, Scalar | tuple[Scalar, ...]]
    options: tuple[str, ...]
    variants: tuple[VariantRow, ...]
    en: EnglishRow
    status: ProductStatus = ProductStatus.ACTIVE


def read_tables(pattern: str, key: str) -> Iterator[dict[str, object]]:
    """Yield the tables called `key` of all files that match, in the order of the file names."""
    for path in sorted(HERE.glob(pattern)):
        with path.open("rb") as file:
            yield from tomllib.load(file, parse_float=Decimal)[key]


def parse_rows(kind: type[Row], tables: Iterable[Mapping[str, object]]) -> tuple[Row, ...]:
    """Return the tables as instances of `kind`."""
    adapter = TypeAdapter(kind)
    return tuple(_parse_row(adapter, table) for table in tables)


@cache
def read_option_translations() -> dict[str, str]:
    """Return the English of every option name and value."""
    with (HERE / "option_translations.toml").open("rb") as file:
        translations = tomllib.load(file)
    return {**translations["names"], **translations["values"]}


def read_synonyms() -> tuple[tuple[str, ...], ...]:
    """Return the groups of words that mean the same."""
    with (HERE / "synonyms.toml").open("rb") as file:
        return tuple(tuple(group["words"]) for group in tomllib.load(file)["synonyms"])


def read_articles() -> Iterator[dict[str, object]]:
    """Yield the tables of articles, each with the other ways to ask what it answers."""
    with (HERE / "article_questions.toml").open("rb") as file:
        questions = tomllib.load(file)["questions"]
    for article in read_tables("articles/*.toml", "articles"):
        yield article | {"questions": questions.get(article["slug"], ())}


def _parse_row(adapter: TypeAdapter[Row], table: Mapping[str, object]) -> Row:
    try:
        return adapter.validate_python(table, extra="forbid")
    except ValidationError as error:
        name = next(iter(table.values()), "an empty table")
        raise ValueError(f"{name}: {error}") from error
