"""Texts of customers without what may name a person."""

import re
import unicodedata

SEARCH_LIMIT = 200
"""Characters of a text that are kept."""

READ_LIMIT = 2 * SEARCH_LIMIT
"""Characters of a text that are looked at: whatever is longer is cut first, at a blank."""

ADDRESS = re.compile(r"(?<!\S)\S*@\S*")
NUMBER = re.compile(r"(?<![^\W_])[^\W_]*?\d(?:[\s._/()\u2010-\u2015-]{0,3}\d){3,}[^\W_]*")
"""Numbers of people and of orders: four digits at least, also in groups, with what they are joined to."""


def clean_search(text: str) -> str:
    """A text in one spelling, without what may name a person: numbers and e-mail addresses."""
    folded = cut_text(unicodedata.normalize("NFKC", cut_text(text)).casefold())
    hidden = NUMBER.sub("#", ADDRESS.sub("@", folded))
    return " ".join(hidden.split())[:SEARCH_LIMIT]


def cut_text(text: str) -> str:
    """The beginning of a text, without a word that is cut in two, of which too little would be hidden."""
    if len(text) <= READ_LIMIT:
        return text
    head, blank, _ = text[:READ_LIMIT].rpartition(" ")
    return head if blank else text[:READ_LIMIT]
