"""Search: how rows are indexed, what has changed since, and how a query is planned."""

from loaders.search.changes import IndexChanges, IndexPosition, read_changes, read_position
from loaders.search.documents import load_documents
from loaders.search.fields import ARTICLE_BOOSTS, ARTICLE_LAYOUT, PRODUCT_LAYOUT, text_query
from loaders.search.planning import plan_filled_match, plan_partial_match, plan_query
from loaders.search.sources import ARTICLES, PRODUCTS, IndexSource, load_all_documents

__all__ = [
    "ARTICLES",
    "ARTICLE_BOOSTS",
    "ARTICLE_LAYOUT",
    "PRODUCTS",
    "PRODUCT_LAYOUT",
    "IndexChanges",
    "IndexPosition",
    "IndexSource",
    "load_all_documents",
    "load_documents",
    "plan_filled_match",
    "plan_partial_match",
    "plan_query",
    "read_changes",
    "read_position",
    "text_query",
]
