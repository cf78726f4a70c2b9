"""Parsers for the text of one cell; WrongText says what is wrong with it."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from domain.catalog.limits import NAME_LIMIT, WHOLE_NUMBER_LIMIT
from domain.catalog.problems import WrongText, quote_value
from models.catalog import ProductStatus
from models.money import MINOR_DIGITS, CurrencyCode, Money
from text.messages import Message

WHOLE_DIGITS = 12
"""Digits before the decimal point of a price."""

WEIGHT_UNITS = ("g", "kg", "lb", "oz")

_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]*)?")
_TAXONOMY_ID = re.compile(r"(?:gid://shopify/TaxonomyCategory/)?([a-z]{2}(?:-[0-9]+)+)")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_POLICIES = _FLAGS | {"continue": True, "deny": False}


def parse_name(text: str) -> str:
    if len(text) > NAME_LIMIT:
        raise WrongText(
            "has {length} characters; at most {limit} are taken", length=len(text), limit=NAME_LIMIT
        )
    return text


def amount_parser(currency: CurrencyCode) -> Callable[[str], Money]:
    """A parser for amounts in this currency, such as "12.50"."""

    def parse_amount(text: str) -> Money:
        _parse_decimal(text, Message("an amount such as 12.50"))
        units, _, decimals = text.partition(".")
        if len(units) > WHOLE_DIGITS:
            raise WrongText("{text} is too large", text=quote_value(text))
        if len(decimals.rstrip("0")) > MINOR_DIGITS[currency]:
            raise WrongText(
                "{text} has more than the {digits} decimals of {currency}",
                text=quote_value(text),
                digits=MINOR_DIGITS[currency],
                currency=currency.value,
            )
        return Money.of(Decimal(f"{units}.{decimals.rstrip('0') or 0}"), currency)

    return parse_amount


def parse_whole_number(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise WrongText("{text} is not a whole number", text=quote_value(text))
    return int(_limit_number(Decimal(text), text))


def parse_grams(text: str) -> int:
    """A weight in whole grams, rounded half up: files converted from pounds have fractions."""
    return int(_limit_number(_parse_decimal(text, Message("a weight in grams")), text) + Decimal("0.5"))


def parse_position(text: str) -> int:
    position = parse_whole_number(text)
    if not position:
        raise WrongText("pictures are counted from 1")
    return position


def parse_weight_unit(text: str) -> str:
    if text.lower() not in WEIGHT_UNITS:
        raise WrongText("{text} is none of {names}", text=quote_value(text), names=", ".join(WEIGHT_UNITS))
    return text.lower()


def parse_flag(text: str) -> bool:
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise WrongText("{text} is neither TRUE nor FALSE", text=quote_value(text)) from None


def parse_inventory_policy(text: str) -> bool:
    """Whether a variant can be bought when none is left."""
    try:
        return _POLICIES[text.lower()]
    except KeyError:
        raise WrongText("{text} is neither deny nor continue", text=quote_value(text)) from None


def parse_status(text: str) -> ProductStatus:
    try:
        return ProductStatus[text.upper()]
    except KeyError:
        raise WrongText("{text} is none of active, draft, archived", text=quote_value(text)) from None


def parse_taxonomy_id(text: str) -> str:
    """The id of a standard category, or "" when `text` is a path of names."""
    match = _TAXONOMY_ID.fullmatch(text)
    return match[1] if match else ""


def join_values(values: Iterable[str], separator: str) -> str:
    r"""Several values in one cell; a separator inside a value becomes `\,` and a backslash `\\`."""
    space = " " if separator == ">" else ""
    return f"{space}{separator} ".join(
        value.replace("\\", "\\\\").replace(separator, f"\\{separator}") for value in values
    )


def split_names(text: str, separator: str) -> tuple[str, ...]:
    """The values of a cell written by `join_values`, blank ones left out; each within NAME_LIMIT."""
    return tuple(map(parse_name, split_values(text, separator)))


def split_values(text: str, separator: str) -> tuple[str, ...]:
    """The values of a cell written by `join_values`, blank ones left out."""
    if "\\" not in text:
        parts = text.split(separator)
    else:
        found = re.findall(rf"(?:\\[\\{separator}]|[^{separator}])*", text)
        parts = [re.sub(rf"\\([\\{separator}])", r"\1", part.strip()) for part in found]
    return tuple(part.strip() for part in parts if part.strip())


def _parse_decimal(text: str, meaning: Message) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise WrongText("{text} is not {meaning}", text=quote_value(text), meaning=meaning)
    if text.startswith("-"):
        raise WrongText("{text} is negative", text=quote_value(text))
    return Decimal(text)


def _limit_number(number: Decimal, text: str) -> Decimal:
    if number < 0:
        raise WrongText("{text} is negative", text=quote_value(text))
    if number > WHOLE_NUMBER_LIMIT:
        raise WrongText("{text} is more than {limit}", text=quote_value(text), limit=WHOLE_NUMBER_LIMIT)
    return number
