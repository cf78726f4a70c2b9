"""What counts as ours when a database is compared with the models."""

from typing import Any

from models.search import SEARCHED

SHADOWS = tuple(f"{table}_fts" for table in SEARCHED)
EXPRESSIONS = (
    *(f"ix_{table}_words" for table in SEARCHED),
    "ix_orders_headline",
    "ix_deliveries_phone_tail",
)


def ours(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Not SQLite's own tables behind a full-text index, nor indexes over an expression."""
    if kind == "table":
        return not (name or "").startswith(SHADOWS)
    return not (kind == "index" and name in EXPRESSIONS)
