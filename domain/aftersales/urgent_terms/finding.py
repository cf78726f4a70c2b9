"""Finding urgent words in a text: by the text analysis of the search, unless they are denied."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from models import UrgentTerm
from text.stemmer import stem_word
from text.tokenizer import script_runs

HAN_NEGATIONS = ("不", "没", "没有", "不用", "不是", "别", "无需")
HAN_INTENSIFIERS = ("特别",)
"""They end like a negation."""
LATIN_NEGATIONS = frozenset({"not", "no", "never", "isn", "don", "t", "without"})
"""A word right after one of these says the opposite."""

Run = tuple[str, str]
"""A part of a text without blanks: Chinese characters or else a word of another script; one is empty."""


@dataclass(frozen=True, slots=True)
class UrgentTerms:
    """The words that make a ticket urgent, as they are in one edition."""

    edition: int = 0
    han: Mapping[str, int] = field(default_factory=dict)
    """Hours by Chinese word, which is looked for anywhere in Chinese: it has no blanks."""
    stems: Mapping[str, int] = field(default_factory=dict)
    """Hours by stem of a word of another script."""
    exceptions: Mapping[str, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    """By word the longer expressions in which it says something else, each in its parts."""

    @classmethod
    def of(cls, rows: Iterable[UrgentTerm]) -> "UrgentTerms":
        """The words of rows; of one in several languages the strongest counts."""
        edition, han, stems = 0, dict[str, int](), dict[str, int]()
        exceptions = dict[str, list[tuple[str, ...]]]()
        for row in rows:
            edition = max(edition, row.edition)
            if not row.hours:
                continue
            known = han if is_han(row.term) else stems
            known[row.term] = max(known.get(row.term, 0), row.hours)
            exceptions.setdefault(row.term, []).extend(parts_of(each) for each in row.exceptions)
        return cls(edition, han, stems, exceptions)


def find_urgent_terms(text: str, terms: UrgentTerms) -> dict[str, int]:
    """The words of a text that make it urgent, each with how many hours earlier it is attended to."""
    found: dict[str, int] = {}
    runs = list(script_runs(text))
    chinese = " ".join(han for han, _ in runs if han)
    present = [word for word in terms.han if word in chinese]
    for place, (han, other) in enumerate(runs):
        found |= {
            word: terms.han[word]
            for word in present
            if any(is_meant(han, each, terms) for each in re.finditer(word, han))
        }
        stem = stem_word(other) if other else ""
        if stem in terms.stems and is_word_meant(runs, place, terms.exceptions.get(stem, ())):
            found[other] = terms.stems[stem]
    return found


def is_meant(han: str, word: re.Match[str], terms: UrgentTerms) -> bool:
    """Whether a word of a Chinese text says what it says by itself: not denied, and not a part of another."""
    before = han[: word.start()]
    if before.endswith(HAN_NEGATIONS) and not before.endswith(HAN_INTENSIFIERS):
        return False
    longer = (parts[0] for parts in terms.exceptions.get(word[0], ()))
    return not any(stands_in(han, word.start(), word[0], each) for each in longer)


def stands_in(han: str, start: int, word: str, longer: str) -> bool:
    """Whether a word at this place of a text is a part of a longer one that is there."""
    first = start - longer.index(word)
    return first >= 0 and han.startswith(longer, first)


def is_word_meant(runs: Sequence[Run], place: int, exceptions: Sequence[tuple[str, ...]]) -> bool:
    """The same of a word of another script, by its place among the words."""
    if place and runs[place - 1][1] in LATIN_NEGATIONS:
        return False
    stem = stem_word(runs[place][1])
    for parts in exceptions:
        first = place - parts.index(stem)
        around = [han or stem_word(other) for han, other in runs[max(0, first) : first + len(parts)]]
        if first >= 0 and tuple(around) == parts:
            return False
    return True


def is_han(term: str) -> bool:
    """Whether a term is Chinese."""
    return any(han for han, _ in script_runs(term))


def parts_of(text: str) -> tuple[str, ...]:
    """A text as it is compared: runs of Chinese as they are, other words by their stems."""
    return tuple(han or stem_word(other) for han, other in script_runs(text))
