"""The stemmer: reduces English words to their stems."""

import threading
from functools import lru_cache

import Stemmer

WORD_LIMIT = 100
"""Characters of one word that are read; the rest of a longer one is cut off."""

STEM_CACHE_SIZE = 50_000


class StemmerOfThread(threading.local):
    """A stemmer keeps the word it works on: documents are analyzed in threads while queries are parsed."""

    def __init__(self) -> None:
        self.english = Stemmer.Stemmer("english", 0)  # without a cache of its own


_STEMMER = StemmerOfThread()


@lru_cache(STEM_CACHE_SIZE)
def word_forms(word: str) -> tuple[str, ...]:
    """A word as it is written, and its English stem where that differs; nothing for an empty word."""
    if not word:
        return ()
    short = word[:WORD_LIMIT]
    stem = stem_word(short) if short.isascii() else short
    return (short,) if stem == short else (short, stem)


@lru_cache(STEM_CACHE_SIZE)
def stem_word(word: str) -> str:
    stem: str = _STEMMER.english.stemWord(word)
    return stem
