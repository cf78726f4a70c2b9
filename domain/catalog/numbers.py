"""How the world writes numbers."""

import re
from decimal import Decimal

_AMOUNT = re.compile(r"([+-]?)([.,]?[0-9](?:[0-9.,' ]*[0-9])?)\s*([^0-9].*)?")
_CANONICAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_SPELLINGS = [
    (group, mark, re.compile(rf"{whole}(?:{re.escape(mark)}[0-9]+)?"))
    for mark in ".,"
    for group in ".,' "
    if group != mark
    for whole in (r"[0-9]*", rf"[1-9][0-9]{{0,2}}(?:{re.escape(group)}[0-9]{{3}})+")
]
"""Thousands not grouped or grouped by a sign, decimals behind a point or a comma."""

_ASCII = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_ASCII |= dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u3000"), ord(" "))
_ASCII |= {ord("\u2212"): ord("-"), ord("\u2019"): ord("'")}


def read_amount(text: str) -> tuple[set[Decimal], str]:
    """Every number that `text` may mean to somebody, and the unit behind it.

    1,234 is two numbers. 1.234 is one: what this shop itself writes is never doubtful.
    """
    match = _AMOUNT.fullmatch(text.translate(_ASCII).strip())
    if match is None:
        return set(), ""
    sign, digits, unit = match[1], match[2], (match[3] or "").strip()
    return {Decimal(sign + number) for number in _meanings(digits)}, unit


def spelled(number: Decimal) -> str:
    """A number without an exponent, or zeros that say nothing."""
    text = f"{number + 0:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _meanings(digits: str) -> set[str]:
    if _CANONICAL.fullmatch(digits):
        return {digits}
    return {
        digits.replace(group, "").replace(mark, ".")
        for group, mark, spelling in _SPELLINGS
        if spelling.fullmatch(digits)
    }
