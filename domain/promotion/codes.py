"""Coupon codes in the spelling they are stored in."""

from collections.abc import Iterable
from unicodedata import normalize


def normalize_code(text: str) -> str:
    """A code in capitals; customers may type small letters, or the full-width ones of Chinese input."""
    return normalize("NFKC", text).strip().upper()


def normalize_codes(texts: Iterable[str]) -> tuple[str, ...]:
    """Normalized codes, each once, in the order given."""
    return tuple(dict.fromkeys(normalize_code(text) for text in texts))
