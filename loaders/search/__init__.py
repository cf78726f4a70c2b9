"""Search: how products are indexed, what has changed since, and how a query is planned."""

from loaders.search.changes import IndexChanges, IndexPosition, read_changes, read_position
from loaders.search.documents import load_all_documents, load_documents
from loaders.search.fields import PRODUCT_LAYOUT, text_query
from loaders.search.fulltext import ranked_matches
from loaders.search.planning import plan_partial_match, plan_query

__all__ = [
    "PRODUCT_LAYOUT",
    "IndexChanges",
    "IndexPosition",
    "load_all_documents",
    "load_documents",
    "plan_partial_match",
    "plan_query",
    "ranked_matches",
    "read_changes",
    "read_position",
    "text_query",
]
