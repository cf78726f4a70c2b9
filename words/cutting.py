"""Texts become words, cut the same way for what is stored and for what is asked."""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import rjieba
import snowballstemmer

WORDS_LIMIT = 200_000
"""Characters kept of one thing: a tsvector has at most a megabyte."""

WORD_LIMIT = 100
"""Characters of one word; of longer ones only the beginning tells."""

STEMS_KEPT = 50_000

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUNS = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")
_ACCENTS = re.compile("[\u0300-\u036f]")
_TAGS = re.compile(r"<[^>]*>")
_ENGLISH = snowballstemmer.stemmer("english")


def indexed(texts: Iterable[str]) -> str:
    """All words of `texts`, separated by blanks.

    Chinese stands there as words and as single characters in their order, so that any part of it is a
    phrase; everything else as it is written and as its English stem.
    """
    words: list[str] = []
    for text in texts:
        for han, other in runs(text):
            words += [*han_words(han, finely=True), *han] if han else forms(other)
    return " ".join(words)[:WORDS_LIMIT]


def readable(markup: str) -> str:
    """The text of an HTML fragment."""
    return html.unescape(_TAGS.sub(" ", markup))


def runs(text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces: each Chinese, or something else without a blank in it."""
    for found in _RUNS.finditer(folded(text)):
        yield found.group(1) or "", found.group(2) or ""


def folded(text: str) -> str:
    """One spelling: full-width, accents and capitals make no difference."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).lower()
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", apart))


def han_words(han: str, *, finely: bool) -> list[str]:
    found = rjieba.cut_for_search(han) if finely else rjieba.cut(han)
    return [word for word in found if len(word) > 1 or not finely]


def forms(word: str) -> list[str]:
    """A word as it is written, and its stem where that differs."""
    if not word:
        return []
    short = word[:WORD_LIMIT]
    return list(dict.fromkeys((short, stem(short)))) if short.isascii() else [short]


@lru_cache(STEMS_KEPT)
def stem(word: str) -> str:
    stemmed: str = _ENGLISH.stemWord(word)
    return stemmed


def code(text: str) -> str:
    """A SKU or barcode without what people leave out: "AB-12 x" is "ab12x"."""
    return "".join(han + other for han, other in runs(text))
