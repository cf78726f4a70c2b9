"""Analysis of texts for search: tokens and stems, term weights, queries and tolerance of typing errors."""

from text.analyzer import ANALYZED_LIMIT, analyze_texts, normalize_code, strip_html
from text.fulltext_query import QUERY_LIMIT, Phrase, all_terms_query, and_query, any_term_query, or_query
from text.term_weights import (
    ALL_DOCUMENTS,
    CODE_PREFIX,
    WEIGHT_LIMIT,
    IndexedField,
    inverse_document_frequency,
    pinyin_terms,
    weigh_terms,
)

__all__ = [
    "ALL_DOCUMENTS",
    "ANALYZED_LIMIT",
    "CODE_PREFIX",
    "QUERY_LIMIT",
    "WEIGHT_LIMIT",
    "IndexedField",
    "Phrase",
    "all_terms_query",
    "analyze_texts",
    "and_query",
    "any_term_query",
    "inverse_document_frequency",
    "normalize_code",
    "or_query",
    "pinyin_terms",
    "strip_html",
    "weigh_terms",
]
