import strawberry

from resolvers.described import input_type


@input_type
class ReportFilter:
    """Which products a report is about; everything given must hold."""

    category: str | None = None
    """Those in this category or anywhere below it: its id or its slug."""
    product_ids: list[strawberry.ID] | None = None
    """These, at most 100."""


@input_type
class QualityFilter:
    """Which products are looked at."""

    category: str | None = None
    """Those in this category or anywhere below it: its id or its slug."""
