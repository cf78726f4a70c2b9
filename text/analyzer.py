"""The analyzer: turns the texts of a product or article into the terms of a full-text index."""

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

from text.stemmer import word_forms
from text.tokenizer import script_runs, segment_han

ANALYZED_LIMIT = 200_000
"""Characters of terms kept for the names of one thing."""

REPEATED_LENGTH, REPEATED_TEXTS = 60, 20_000
"""Characters up to which a text is one that other documents have, too, and how many are remembered."""

RUN_END = "."
"""Stands between two runs of Chinese."""

JOINED_LIMIT = 3
"""Neighbours that may be typed as one word."""

JOINED_LENGTH = 20
"""Characters of such a word."""

_PIECES = re.compile("[a-z]+|[0-9]+")
_HYPHENATED = re.compile(r"\b([A-Za-z]{1,10})[-‐‑]([A-Za-z]{1,10})\b")
_TAGS = re.compile(r"<[^>]*>")


def analyze_texts(texts: Iterable[str]) -> str:
    """All terms of `texts`, separated by blanks.

    Chinese is indexed as words and as single characters in their order, so that any part of it is a
    phrase; everything else as it is written and as its English stem.
    """
    terms: list[str] = []
    for text in texts:
        for han, other in script_runs(text):
            terms += [*segment_han(han, fine=True), *han] if han else word_forms(other)
    return " ".join(terms)[:ANALYZED_LIMIT]


def split_terms(texts: Iterable[str], *, keep_words: bool = True) -> list[str]:
    """The terms that rank a document: Chinese words and the words inside them, others with their stems.

    `keep_words`: others as they are written, too, so that they can be completed and corrected.
    """
    terms: list[str] = []
    for text in texts:
        find = repeated_terms if len(text) <= REPEATED_LENGTH else find_terms
        terms += find(text, keep_words)
    return terms


def find_terms(text: str, keep_words: bool) -> Sequence[str]:
    """The terms of one text."""
    if text.isascii():
        forms = [word_forms(other) for _, other in script_runs(text)]
        return [*chain.from_iterable(forms)] if keep_words else [each[-1] for each in forms]
    terms: list[str] = []
    for han, other in script_runs(text):
        if han:
            words = [*segment_han(han, fine=False), *segment_han(han, fine=True)]
            terms += dict.fromkeys(word for word in words if len(word) > 1)
        else:
            terms += word_forms(other) if keep_words else word_forms(other)[-1:]
    return terms


repeated_terms = lru_cache(REPEATED_TEXTS)(find_terms)
"""The same, remembered: values of attributes, brands and categories stand in many documents."""


def split_parts(texts: Iterable[str]) -> list[str]:
    """What is typed together or apart: mate and 20 of "Mate20", p30pro of "P30 Pro", tshirt of "T-shirt"."""
    parts: list[str] = []
    for text in texts:
        for one, other in _HYPHENATED.findall(text):
            parts += word_forms((one + other).lower())
        run: list[str] = []
        for han, other in script_runs(text):
            if han:
                run = []
                continue
            run = [*run, other][-JOINED_LIMIT:]
            pieces = _PIECES.findall(other)
            if len(pieces) > 1:
                parts += pieces
            for start in range(len(run) - 1):
                joined = "".join(run[start:])
                if len(joined) <= JOINED_LENGTH and is_mixed(joined):
                    parts.append(joined)
    return parts


def is_mixed(word: str) -> bool:
    """Whether a word has letters and digits."""
    return word.isascii() and not word.isalpha() and not word.isdigit()


def han_characters(texts: Iterable[str]) -> list[str]:
    """Chinese characters in their order, with a mark where a run of them ends: no phrase goes across."""
    others = (text for text in texts if not text.isascii())
    return [each for text in others for han, _ in script_runs(text) if han for each in (*han, RUN_END)]


def strip_html(markup: str) -> str:
    """The text of an HTML fragment."""
    return html.unescape(_TAGS.sub(" ", markup))


def normalize_code(text: str) -> str:
    """A SKU or barcode without case, blanks and punctuation: "AB-12 x" becomes "ab12x"."""
    return "".join(han + other for han, other in script_runs(text))
