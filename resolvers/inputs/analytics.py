"""Filters of reports and of the quality of the catalogue."""

import strawberry

from resolvers.descriptions import input_type


@input_type
class ReportFilter:
    """Which products a report covers; every condition given must hold."""

    category: str | None = None
    """The id or slug of a category: products in it or anywhere below it."""
    product_ids: list[strawberry.ID] | None = None
    """These products, at most 100."""


@input_type
class QualityFilter:
    """Which products to assess."""

    category: str | None = None
    """The id or slug of a category: products in it or anywhere below it."""
