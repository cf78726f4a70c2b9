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


SWAPPED_LETTERS, LETTER_MORE_OR_LESS, ANOTHER_LETTER = 4, 5, 6
"""Letters of the shortest words in which these typing errors are corrected."""


def is_likely_typo(word: str, meant: str) -> bool:
    """Whether a word one edit away was meant.

    The first letter is hardly ever mistyped, and letters change places more often than one comes or goes, or
    is another one. The shorter a word is, the more others are so near: "tall" is not "tell".
    """
    return meant[0] == word[0] and len(word) >= shortest_mistyped(word, meant)


def shortest_mistyped(word: str, meant: str) -> int:
    """Letters that a word has at least for its typing error to be corrected."""
    if sorted(word) == sorted(meant):
        return SWAPPED_LETTERS
    return ANOTHER_LETTER if len(word) == len(meant) else LETTER_MORE_OR_LESS
