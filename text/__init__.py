"""Analysis of texts for search: tokens and stems, queries and tolerance of typing errors."""

from text.analyzer import (
    ANALYZED_LIMIT,
    analyze_texts,
    han_characters,
    normalize_code,
    split_parts,
    split_terms,
    strip_html,
)
from text.fulltext_query import QUERY_LIMIT, Phrase, all_terms_query, and_query, any_term_query, or_query
from text.pinyin import pinyin_terms

__all__ = [
    "ANALYZED_LIMIT",
    "QUERY_LIMIT",
    "Phrase",
    "all_terms_query",
    "analyze_texts",
    "and_query",
    "any_term_query",
    "han_characters",
    "normalize_code",
    "or_query",
    "pinyin_terms",
    "split_parts",
    "split_terms",
    "strip_html",
]
