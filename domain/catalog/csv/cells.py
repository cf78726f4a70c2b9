"""Parsers for the text of one cell; WrongText says what is wrong with it."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from domain.catalog.limits import NAME_LIMIT, WHOLE_NUMBER_LIMIT
from domain.catalog.problems import WrongText, quote_value
from models.catalog import ProductStatus, VariantSize
from models.money import MINOR_DIGITS, CurrencyCode, Money
from text.messages import Message

WHOLE_DIGITS = 12
"""Digits before the decimal point of a price."""

WEIGHT_UNITS = ("g", "kg", "lb", "oz")

CURRENCY_MARKS: Mapping[CurrencyCode, tuple[str, ...]] = {
    CurrencyCode.CNY: ("cny", "rmb", "人民币", "¥", "元"),
    CurrencyCode.USD: ("us$", "usd", "$"),
    CurrencyCode.EUR: ("eur", "€"),
    CurrencyCode.GBP: ("gbp", "£"),
    CurrencyCode.JPY: ("jpy", "¥", "円"),
    CurrencyCode.HKD: ("hk$", "hkd", "$", "元"),
}
"""What may stand before or behind an amount in this currency, in lower case."""

_WHOLE = re.compile(r"-?[0-9]+")
_IN_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_WHOLE_WITH_DECIMALS = re.compile(r"(-?[0-9]+)\.0*")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]*)?")
_TAXONOMY_ID = re.compile(r"(?:gid://shopify/TaxonomyCategory/)?([a-z]{2}(?:-[0-9]+)+)")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_POLICIES = _FLAGS | {"continue": True, "deny": False}


SIZE = re.compile(r"([0-9]{1,6})\s*[xX×*]\s*([0-9]{1,6})\s*[xX×*]\s*([0-9]{1,6})")


def parse_name(text: str) -> str:
    if len(text) > NAME_LIMIT:
        raise WrongText(
            "has {length} characters; at most {limit} are taken", length=len(text), limit=NAME_LIMIT
        )
    return text


def amount_parser(currency: CurrencyCode) -> Callable[[str], Money]:
    """A parser for amounts in this currency, such as "12.50", "1,299.00" or "¥1299"."""

    def parse_amount(text: str) -> Money:
        plain = _plain_number(_without_currency(_fold_width(text), currency))
        _parse_decimal(plain, Message("an amount such as 12.50"), text)
        units, _, decimals = plain.partition(".")
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


def is_ambiguous(amount: str) -> bool:
    """Whether the comma of an amount such as 1,299 may have been meant as a decimal point."""
    folded = _fold_width(amount)
    return folded.count(",") == 1 and "." not in folded


def parse_whole_number(text: str) -> int:
    return int(_limit_number(_parse_whole(text), text))


def parse_units(text: str) -> int:
    """Units in stock; a negative number, as software writes that has sold more than it had, is below 0."""
    number = _parse_whole(text)
    return int(number) if number < 0 else int(_limit_number(number, text))


def parse_grams(text: str) -> int:
    """A weight in whole grams, rounded half up: files converted from pounds have fractions."""
    plain = _plain_number(_fold_width(text))
    return int(
        _limit_number(_parse_decimal(plain, Message("a weight in grams"), text), text) + Decimal("0.5")
    )


def parse_size(text: str) -> VariantSize | None:
    """Length, width and height in whole millimetres, such as "300x200x100"."""
    sides = SIZE.fullmatch(_fold_width(text).strip())
    if sides is None:
        raise WrongText("{text} is no size such as 300x200x100", text=quote_value(text))
    length, width, height = (int(each) for each in sides.groups())
    return VariantSize(length, width, height)


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
        names = ", ".join(status.lower() for status in ProductStatus)
        raise WrongText("{text} is none of {names}", text=quote_value(text), names=names) from None


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


def _fold_width(text: str) -> str:
    """The text with ASCII digits and signs in place of full-width ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _without_currency(text: str, currency: CurrencyCode) -> str:
    """The text without the sign or name of the currency before or behind it."""
    folded = text.casefold()
    for mark in CURRENCY_MARKS[currency]:
        if folded.startswith(mark):
            return text[len(mark) :].strip()
        if folded.endswith(mark):
            return text[: -len(mark)].strip()
    return text


def _plain_number(text: str) -> str:
    """The number without commas between thousands; any other text as it is."""
    return text.replace(",", "") if _IN_THOUSANDS.fullmatch(text) else text


def _parse_whole(text: str) -> Decimal:
    plain = _plain_number(_fold_width(text))
    if whole := _WHOLE_WITH_DECIMALS.fullmatch(plain):
        plain = whole[1]
    if not _WHOLE.fullmatch(plain):
        raise WrongText("{text} is not a whole number", text=quote_value(text))
    return Decimal(plain)


def _parse_decimal(plain: str, meaning: Message, text: str) -> Decimal:
    if not _DECIMAL.fullmatch(plain):
        raise WrongText("{text} is not {meaning}", text=quote_value(text), meaning=meaning)
    if plain.startswith("-"):
        raise WrongText("{text} is negative", text=quote_value(text))
    return Decimal(plain)


def _limit_number(number: Decimal, text: str) -> Decimal:
    if number < 0:
        raise WrongText("{text} is negative", text=quote_value(text))
    if number > WHOLE_NUMBER_LIMIT:
        raise WrongText("{text} is more than {limit}", text=quote_value(text), limit=WHOLE_NUMBER_LIMIT)
    return number
