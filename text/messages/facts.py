"""Facts in sentences: numbers, amounts, moments, statuses and lists, as each language writes them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit

from text.messages.catalogue import choose_language, locale_of, text_of_key

DAY_OF_YEAR = "MMMd"
"""What is written of a day where its year is known."""
MONEY, MOMENT, DAY = "Pattern.MONEY", "Pattern.MOMENT", "Pattern.DAY"
"""Keys of how amounts and moments are written (Unicode Technical Standard 35)."""


@runtime_checkable
class Amount(Protocol):
    """An amount of money."""

    @property
    def amount(self) -> Decimal: ...

    @property
    def currency_code(self) -> StrEnum: ...


@runtime_checkable
class Text(Protocol):
    """What is written in a language itself: a message within a message."""

    def text(self, language: str, zone: tzinfo = UTC) -> str: ...


Fact = str | int | float | Decimal | date | timedelta | Amount | Text | Sequence["Fact"] | None
"""What a message may name. A plain text stands as it is: the name of a product, a number, a code."""


def format_fact(fact: Fact, language: str, zone: tzinfo) -> str:
    """A fact as it stands in a sentence of a language; "" for None."""
    locale = locale_of(language)
    match fact:
        case None:
            return ""
        case StrEnum():
            return text_of_key(f"{type(fact).__name__}.{fact.name}", choose_language(language)) or fact.value
        case str():
            return fact
        case int() | float() | Decimal():
            return format_decimal(fact, locale=locale)
        case datetime():
            return format_datetime(fact, pattern_of(MOMENT, language), tzinfo=zone, locale=locale)
        case date():
            return format_date(fact, pattern_of(DAY, language), locale=locale)
        case timedelta():
            return format_timedelta(fact, locale=locale, threshold=2)
        case Text():
            return fact.text(language, zone)
        case Amount():
            pattern = pattern_of(MONEY, language)
            return format_currency(fact.amount, fact.currency_code.value, pattern, locale=locale)
    return format_list([format_fact(each, language, zone) for each in fact], locale=locale)


def format_day_of_year(day: date, language: str) -> str:
    return format_skeleton(DAY_OF_YEAR, day, locale=locale_of(language))


def format_units(count: int, unit: str, language: str) -> str:
    """So many minutes, hours or days: never in another unit, as a time span is."""
    return format_unit(count, f"duration-{unit}", locale=locale_of(language))


def pattern_of(key: str, language: str) -> str:
    return text_of_key(key, choose_language(language)) or "medium"
