"""What the text of one cell means; ValueError says why it means nothing."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from models.catalog import ProductStatus
from models.money import MINOR_DIGITS, CurrencyCode, Money

SLUG_LIMIT = 255
NAME_LIMIT = 255
"""Characters of a title, a brand, an option or a code: they are indexed."""

ADDRESS_LIMIT = 2_048
WHOLE_LIMIT = 1_000_000_000
WHOLE_DIGITS = 12
"""Digits before the decimal point of a price."""

WEIGHT_UNITS = ("g", "kg", "lb", "oz")

_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]*)?")
_ADDRESS = re.compile(r"(https?:)?//[^/\s]\S*|/[^/\s]\S*", re.IGNORECASE)
_TAXONOMY_ID = re.compile(r"(?:gid://shopify/TaxonomyCategory/)?([a-z]{2}(?:-[0-9]+)+)")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_POLICIES = _FLAGS | {"continue": True, "deny": False}


def shown(text: str) -> str:
    """A value as a problem quotes it."""
    return f'"{text[:40]}..."' if len(text) > 40 else f'"{text}"'


def name(text: str) -> str:
    if len(text) > NAME_LIMIT:
        raise ValueError(f"has {len(text):,} characters; at most {NAME_LIMIT} are taken")
    return text


def slug(text: str) -> str:
    if len(text) > SLUG_LIMIT:
        raise ValueError(f"has {len(text):,} characters; at most {SLUG_LIMIT} are taken")
    if not re.fullmatch(r"[\w-]+", text):
        raise ValueError(f"{shown(text)} may only hold letters, digits, - and _")
    return text


def amount(currency: CurrencyCode) -> Callable[[str], Money]:
    def parse(text: str) -> Money:
        _number(text, "an amount such as 12.50")
        units, _, decimals = text.partition(".")
        if len(units) > WHOLE_DIGITS:
            raise ValueError(f"{shown(text)} is too large")
        if len(decimals.rstrip("0")) > MINOR_DIGITS[currency]:
            raise ValueError(
                f"{shown(text)} has more than the {MINOR_DIGITS[currency]} decimals of {currency}"
            )
        return Money.of(Decimal(f"{units}.{decimals.rstrip('0') or 0}"), currency)

    return parse


def whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a whole number")
    return int(_within(Decimal(text), text))


def grams(text: str) -> int:
    """A weight; files made from pounds have fractions, of which half a gram and more counts as one."""
    return int(_within(_number(text, "a weight in grams"), text) + Decimal("0.5"))


def position(text: str) -> int:
    place = whole(text)
    if not place:
        raise ValueError("pictures are counted from 1")
    return place


def weight_unit(text: str) -> str:
    if text.lower() not in WEIGHT_UNITS:
        raise ValueError(f"{shown(text)} is none of {', '.join(WEIGHT_UNITS)}")
    return text.lower()


def flag(text: str) -> bool:
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise ValueError(f"{shown(text)} is neither TRUE nor FALSE") from None


def sells_when_out(text: str) -> bool:
    try:
        return _POLICIES[text.lower()]
    except KeyError:
        raise ValueError(f"{shown(text)} is neither deny nor continue") from None


def status(text: str) -> ProductStatus:
    try:
        return ProductStatus[text.upper()]
    except KeyError:
        raise ValueError(f"{shown(text)} is none of active, draft, archived") from None


def address(text: str) -> str:
    if len(text) > ADDRESS_LIMIT:
        raise ValueError(f"has {len(text):,} characters; at most {ADDRESS_LIMIT:,} are taken")
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{shown(text)} is not the address of a picture")
    return text


def taxonomy_id(text: str) -> str:
    """The id of a standard category, or "" when `text` is a path of names."""
    match = _TAXONOMY_ID.fullmatch(text)
    return match[1] if match else ""


def joined(values: Iterable[str], separator: str) -> str:
    r"""Several values in one cell; a separator inside a value becomes `\,` and a backslash `\\`."""
    space = " " if separator == ">" else ""
    return f"{space}{separator} ".join(
        value.replace("\\", "\\\\").replace(separator, f"\\{separator}") for value in values
    )


def split(text: str, separator: str) -> tuple[str, ...]:
    """The opposite of `joined`, without blanks; each as short as a name."""
    return tuple(map(name, parted(text, separator)))


def parted(text: str, separator: str) -> tuple[str, ...]:
    """The opposite of `joined`, without blanks."""
    if "\\" not in text:
        parts = text.split(separator)
    else:
        found = re.findall(rf"(?:\\[\\{separator}]|[^{separator}])*", text)
        parts = [re.sub(rf"\\([\\{separator}])", r"\1", part.strip()) for part in found]
    return tuple(part.strip() for part in parts if part.strip())


def _number(text: str, meaning: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{shown(text)} is not {meaning}")
    if text.startswith("-"):
        raise ValueError(f"{shown(text)} is negative")
    return Decimal(text)


def _within(number: Decimal, text: str) -> Decimal:
    if number < 0:
        raise ValueError(f"{shown(text)} is negative")
    if number > WHOLE_LIMIT:
        raise ValueError(f"{shown(text)} is more than {WHOLE_LIMIT:,}")
    return number
