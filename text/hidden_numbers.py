"""Texts of customers without what may name a person."""

import re
import unicodedata

SEARCH_LIMIT = 200
"""Characters of a text that are kept."""

ADDRESS = re.compile(r"\S*@\S*")
NUMBER = re.compile(r"[^\W\d_]*\d[\d -]{2,}\d[^\W_]*")
"""Numbers of people and of orders: four digits at least, with what they are joined to."""


def clean_search(text: str) -> str:
    """A text in one spelling, without what may name a person: numbers and addresses."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    hidden = NUMBER.sub("#", ADDRESS.sub("@", folded))
    return " ".join(hidden.split())[:SEARCH_LIMIT]
