"""Typo tolerance: words within one edit (a letter too many, too few, wrong, or two swapped)."""

from string import ascii_lowercase, digits

SHORTEST = 4
"""Letters of the shortest word in which a typo is tolerated."""

LONGEST = 24
"""Letters of the longest word in which a typo is tolerated."""


def tolerates_typo(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha()


LETTERS = ascii_lowercase + digits


def one_edit_away(word: str) -> set[str]:
    """What differs from a word by one edit."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {before + after[1:] for before, after in cuts if after}
    found |= {before + after[1] + after[0] + after[2:] for before, after in cuts if len(after) > 1}
    found |= {before + letter + after[1:] for before, after in cuts if after for letter in LETTERS}
    found |= {before + letter + after for before, after in cuts for letter in LETTERS}
    return found - {word}
