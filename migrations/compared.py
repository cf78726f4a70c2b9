"""What is left out when a database is compared with the models."""

from typing import Any

EXPRESSIONS = (
    "ix_orders_display_status",
    "ix_orders_display_status_id",
    "ix_orders_displayed_id",
    "ix_deliveries_phone_tail",
    "ix_accounts_given_name",
    "ix_accounts_last_word",
    "ix_accounts_name_begins",
    "ix_accounts_phone_tail",
    "ix_addresses_phone_tail",
    "ix_guest_accounts_phone_tail",
)

RETIRED = frozenset(
    {
        "article_search_texts",
        "indexed_terms",
        "product_facet_values",
        "product_search_texts",
        "product_terms",
        "sign_in_attempts",
        "term_deletions",
    }
)
"""Tables that only former versions of the shop use, which may still run; a later migration drops them."""


def is_compared(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """All but retired tables and indexes over expressions."""
    if kind == "table":
        return name not in RETIRED
    return not (kind == "index" and name in EXPRESSIONS)
