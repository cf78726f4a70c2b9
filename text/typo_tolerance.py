"""Typo tolerance: words within one edit (a letter too many, too few, wrong, or two swapped)."""

from collections.abc import Iterable

from rapidfuzz.distance import OSA

SHORTEST = 4
"""Letters of the shortest word in which a typo is tolerated."""

LONGEST = 24
"""Letters of the longest word in which a typo is tolerated."""


def tolerates_typo(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha()


def one_edit_away(word: str, candidates: Iterable[str]) -> list[str]:
    """The candidates that differ from the word by one edit."""
    return [each for each in candidates if each != word and OSA.distance(word, each, score_cutoff=1) <= 1]


def prefix_one_edit_away(word: str, candidates: Iterable[str]) -> list[str]:
    """The candidates that begin with the word or with something one edit away from it."""
    lengths = (len(word) - 1, len(word), len(word) + 1)
    return [
        each
        for each in candidates
        if any(OSA.distance(word, each[:length], score_cutoff=1) <= 1 for length in lengths)
    ]
