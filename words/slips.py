"""One slip of the finger: a letter too many, too few, wrong, or two in the wrong order.

Two words are one slip apart only if they share what is left of them without one letter; so a table of
what is left finds candidates without looking at every word.
"""

from collections.abc import Iterable

from rapidfuzz.distance import OSA

SHORTEST = 4
"""Letters of a word that may hold a slip; shorter ones would be anything."""

LONGEST = 24
"""Letters of the longest word that is forgiven a slip."""


def forgivable(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha()


def remains(word: str) -> set[str]:
    """The word, and what is left of it without any one letter."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def near(word: str, candidates: Iterable[str]) -> list[str]:
    """Those that are one slip away."""
    return [each for each in candidates if each != word and OSA.distance(word, each, score_cutoff=1) <= 1]


def near_beginning(word: str, candidates: Iterable[str]) -> list[str]:
    """Those that somebody may be typing who has made one slip so far."""
    lengths = (len(word) - 1, len(word), len(word) + 1)
    return [
        each
        for each in candidates
        if any(OSA.distance(word, each[:length], score_cutoff=1) <= 1 for length in lengths)
    ]
