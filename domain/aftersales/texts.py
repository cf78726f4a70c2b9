"""Limits of the texts people write about tickets."""

from domain.errors import Invalid, Path

DESCRIPTION_LIMIT = 2_000
MESSAGE_LIMIT = 4_000
REASON_LIMIT = 1_000
TRACKING_LIMIT = 64


def clean_text(text: str, *, limit: int, field: str | Path) -> str:
    """The text without blanks around it; Invalid when nothing or more than `limit` characters are left."""
    cleaned = text.strip()
    if not 1 <= len(cleaned) <= limit:
        path = (field,) if isinstance(field, str) else field
        raise Invalid("Write 1 to {limit} characters.", limit=limit, field=path)
    return cleaned
