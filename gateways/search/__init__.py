"""Search indexes: what is found, counted, ordered and completed comes from one of these."""

from gateways.search.connection import check_search, connect_search
from gateways.search.embedded import EmbeddedIndex
from gateways.search.opensearch import OpenSearchIndex
from gateways.search.protocol import (
    Alternative,
    Clause,
    FieldRange,
    Filter,
    Hit,
    IdFilter,
    IndexDocument,
    IndexFigures,
    IndexLayout,
    IndexOrder,
    IndexQuery,
    KeywordFilter,
    NumberFilter,
    SearchIndex,
    SearchRefused,
    SearchUnavailable,
    TextQuery,
    UnreadableAnswer,
    ValueCount,
)

__all__ = [
    "Alternative",
    "Clause",
    "EmbeddedIndex",
    "FieldRange",
    "Filter",
    "Hit",
    "IdFilter",
    "IndexDocument",
    "IndexFigures",
    "IndexLayout",
    "IndexOrder",
    "IndexQuery",
    "KeywordFilter",
    "NumberFilter",
    "OpenSearchIndex",
    "SearchIndex",
    "SearchRefused",
    "SearchUnavailable",
    "TextQuery",
    "UnreadableAnswer",
    "ValueCount",
    "check_search",
    "connect_search",
]
