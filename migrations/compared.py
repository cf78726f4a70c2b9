"""What is left out when a database is compared with the models."""

from typing import Any

from models.search import SEARCHED

SHADOWS = tuple(f"{table}_fts" for table in SEARCHED)
EXPRESSIONS = (
    *(f"ix_{table}_text" for table in SEARCHED),
    "ix_orders_display_status",
    "ix_deliveries_phone_tail",
)


def is_compared(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """All but shadow tables of SQLite's full-text indexes and indexes over expressions (include_object)."""
    if kind == "table":
        return not (name or "").startswith(SHADOWS)
    return not (kind == "index" and name in EXPRESSIONS)
