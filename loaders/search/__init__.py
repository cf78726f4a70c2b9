"""Full-text search: FTS5 on SQLite, tsvector on PostgreSQL; products are ranked in the same way on both."""

from loaders.search.fulltext import ranked_matches
from loaders.search.matching import (
    matching_products,
    plan_parameters,
    plan_partial_match,
    plan_shape,
    ranked_products,
)
from loaders.search.planning import plan_query

__all__ = [
    "matching_products",
    "plan_parameters",
    "plan_partial_match",
    "plan_query",
    "plan_shape",
    "ranked_matches",
    "ranked_products",
]
