"""Texts without surrounding space and invisible characters."""

from text.characters import normalize_text


def visible_text(text: str) -> str:
    """The text in its one spelling (text/characters.py), without surrounding space; "" for nothing visible.

    ValueError for characters that are refused: arguments and files are checked before they come here.
    """
    return normalize_text(text).strip()
