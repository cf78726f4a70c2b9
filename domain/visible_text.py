"""Texts as people type and paste them, without invisible characters."""

INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
"""Spaces without width, and what changes the direction of a text. Joiners are kept: emoji need them."""


def visible_text(text: str) -> str:
    """The text without surrounding space and invisible characters; "" where nothing visible is left."""
    if text.isascii() and text.isprintable():
        return text.strip()
    stripped = text.translate(INVISIBLE).strip()
    return stripped if any(each.isprintable() and not each.isspace() for each in stripped) else ""
