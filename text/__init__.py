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
from text.pinyin import pinyin_terms
from text.query_parser import QUERY_LIMIT

__all__ = [
    "ANALYZED_LIMIT",
    "QUERY_LIMIT",
    "analyze_texts",
    "han_characters",
    "normalize_code",
    "pinyin_terms",
    "split_parts",
    "split_terms",
    "strip_html",
]
