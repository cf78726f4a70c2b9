"""Texts as people type and paste them, without what nobody sees."""

UNSEEN = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
"""Blanks without a width, and what turns the direction of a text. Joiners stay: emoji need them."""


def visible(text: str) -> str:
    """A text without blanks around it and without unseen characters; "" where nothing is left to see."""
    if text.isascii() and text.isprintable():
        return text.strip()
    left = text.translate(UNSEEN).strip()
    return left if any(each.isprintable() and not each.isspace() for each in left) else ""
