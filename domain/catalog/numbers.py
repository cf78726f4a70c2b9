"""Numbers in the notations of different countries."""

import re
from decimal import Decimal

_AMOUNT = re.compile(r"([+-]?)([.,]?[0-9](?:[0-9.,' ]*[0-9])?)\s*([^0-9].*)?")
_CANONICAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_NOTATIONS = [
    (separator, mark, re.compile(rf"{whole}(?:{re.escape(mark)}[0-9]+)?"))
    for mark in ".,"
    for separator in ".,' "
    if separator != mark
    for whole in (r"[0-9]*", rf"[1-9][0-9]{{0,2}}(?:{re.escape(separator)}[0-9]{{3}})+")
]
"""Thousands with or without a separator, decimals behind a point or a comma."""

_ASCII = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_ASCII |= dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u3000"), ord(" "))
_ASCII |= {ord("\u2212"): ord("-"), ord("\u2019"): ord("'")}


def parse_number(text: str) -> tuple[set[Decimal], str]:
    """Every number that `text` may mean in some notation, and the unit behind it.

    1,234 is two numbers. 1.234 is one, because the shop itself writes decimals behind a point.
    """
    match = _AMOUNT.fullmatch(text.translate(_ASCII).strip())
    if match is None:
        return set(), ""
    sign, digits, unit = match[1], match[2], (match[3] or "").strip()
    return {Decimal(sign + number) for number in _interpret_digits(digits)}, unit


def format_number(number: Decimal) -> str:
    """The number without an exponent and without trailing zeros."""
    text = f"{number + 0:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _interpret_digits(digits: str) -> set[str]:
    if _CANONICAL.fullmatch(digits):
        return {digits}
    return {
        digits.replace(separator, "").replace(mark, ".")
        for separator, mark, notation in _NOTATIONS
        if notation.fullmatch(digits)
    }
