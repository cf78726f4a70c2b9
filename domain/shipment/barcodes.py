"""Barcodes as scanners read them and as files spoil them: one key for all spellings of one number."""

import re
import unicodedata

from domain.errors import Invalid, Path

BARCODE_LIMIT = 64
GTIN_LENGTH = 14
"""UPC with 12 digits and EAN with 8 or 13 are GTINs without their leading zeros (GS1)."""
LENGTHS = (8, 12, 13, GTIN_LENGTH)

IGNORED = re.compile(r"[\s'\u200b-\u200f\u202a-\u202e\u2060\ufeff-]")
"""Blanks, hyphens, the apostrophe that makes a spreadsheet keep digits, and marks nobody sees."""
SPOILT = re.compile(r"\d(?:[.,]\d+)?E[+]?\d+", re.IGNORECASE)
"""A number that a spreadsheet has rounded: its last digits are lost."""
FRACTION = re.compile(r"(\d+)[.,]0+")


def clean_barcode(text: str, *, field: Path) -> str:
    """What was scanned without what does not count; Invalid where it is empty, too long or spoilt."""
    if len(text) > BARCODE_LIMIT:
        raise Invalid("A barcode has at most {limit} characters.", limit=BARCODE_LIMIT, field=field)
    cleaned = strip_barcode(text)
    if SPOILT.fullmatch(cleaned):
        raise Invalid("A spreadsheet has rounded the barcode {barcode}.", barcode=cleaned, field=field)
    if not cleaned or not cleaned.isprintable():
        raise Invalid("This is no barcode.", field=field)
    return cleaned


def strip_barcode(text: str) -> str:
    cleaned = IGNORED.sub("", unicodedata.normalize("NFKC", text))
    fraction = FRACTION.fullmatch(cleaned)
    return fraction[1] if fraction else cleaned


def key_of_barcode(text: str) -> str:
    """The same for all spellings of one barcode: leading zeros of a GTIN do not count."""
    cleaned = strip_barcode(text)
    return cleaned.lstrip("0") or "0" if cleaned.isascii() and cleaned.isdigit() else cleaned.upper()


def spellings_of(barcode: str) -> list[str]:
    """How the barcode of a variant may be stored: as it was scanned, and with other leading zeros."""
    key = key_of_barcode(barcode)
    padded = [key.zfill(length) for length in LENGTHS if key.isdigit() and len(key) <= length]
    return sorted({barcode, strip_barcode(barcode), key, *padded})
