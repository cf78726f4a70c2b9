"""What spreadsheets do to cells: they mark texts, and shorten numbers until digits are lost."""

import re

_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
"""Excel's way to keep the zeros of 00124."""

_MARKED_TEXT = re.compile(r"'+(?:[=+\-@].*|[0-9][0-9.,]*)", re.DOTALL)
"""An apostrophe before a number, or before what a spreadsheet would take for a formula.

A text such as 'Tis or '90s keeps its own.
"""

_SHORTENED = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)
_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")


def unmark_text(text: str) -> str:
    """The text without what a spreadsheet marks texts by; one that is not marked as it is."""
    if text[:1] not in ("'", "="):
        return text
    if formula := _TEXT_FORMULA.fullmatch(text):
        return formula[1].replace('""', '"')
    return text[1:] if _MARKED_TEXT.fullmatch(text) else text


def mark_text(text: str) -> str:
    """What `unmark_text` makes this text of: another apostrophe before one that looks like a mark."""
    return f"'{text}" if unmark_text(text) != text else text


def is_shortened(text: str) -> bool:
    """Whether a number is written as 6.90123E+12: the further digits are lost."""
    return bool(_SHORTENED.fullmatch(text))


def has_wrong_check_digit(barcode: str) -> bool:
    """Whether this has the length of a GTIN (EAN, UPC) and its last digit does not fit the others."""
    if not _GTIN.fullmatch(barcode):
        return False
    digits = [int(digit) for digit in reversed(barcode)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 != 0
