"""Search indexes: what is found, counted, ordered and completed comes from one of these."""

from gateways.search.embedded import EmbeddedIndex
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
    TextQuery,
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
    "SearchIndex",
    "TextQuery",
    "ValueCount",
]
