"""Finding urgent words in a text: by the text analysis of the search, unless they are denied."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from models import UrgentTerm
from text.stemmer import stem_word
from text.tokenizer import script_runs

HAN_NEGATIONS = ("不", "没", "没有", "不用", "不是", "别", "无需")
HAN_INTENSIFIERS = ("特别",)
"""They end like a negation."""
LATIN_NEGATIONS = frozenset({"not", "no", "never", "isn", "don", "t", "without"})
"""A word right after one of these says the opposite."""

Symbols = tuple[str, ...]
"""What is compared: of a run of Chinese its characters; of a text its runs of Chinese and its stems."""


@dataclass(slots=True)
class Phrases:
    """Urgent words and their exceptions: at each place of a text only what begins so is compared with it,
    however many words there are."""

    hours: dict[Symbols, int] = field(default_factory=dict)
    exceptions: defaultdict[Symbols, set[Symbols]] = field(default_factory=lambda: defaultdict(set))
    """By longer expression the words that say something else in it."""
    lengths: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """How long the words and expressions are that begin with a symbol."""

    def add(self, word: Symbols, hours: int, exceptions: Iterable[Symbols]) -> None:
        """Know a word; of one in several languages the strongest counts."""
        self.hours[word] = max(self.hours.get(word, 0), hours)
        self.lengths[word[0]].add(len(word))
        for longer in exceptions:
            self.exceptions[longer].add(word)
            self.lengths[longer[0]].add(len(longer))

    def find_words(self, text: Symbols) -> Iterator[tuple[Symbols, int]]:
        """The words of a text, each with its place, but those that are a part of an exception there."""
        ends: dict[Symbols, int] = {}  # of what has begun so far, by word that says something else in it
        for place, first in enumerate(text):
            if first not in self.lengths:
                continue
            here = {text[place : place + length] for length in self.lengths[first]}
            for longer in here & self.exceptions.keys():
                for word in self.exceptions[longer]:
                    ends[word] = max(ends.get(word, 0), place + len(longer))
            for word in here & self.hours.keys():
                if ends.get(word, 0) < place + len(word):
                    yield word, place


@dataclass(frozen=True, slots=True)
class UrgentTerms:
    """The words that make a ticket urgent, as they are in one edition."""

    edition: int = 0
    han: Phrases = field(default_factory=Phrases)
    """Chinese words, which are looked for anywhere in Chinese: it has no blanks."""
    others: Phrases = field(default_factory=Phrases)
    """Words of other scripts, by their stems."""

    @classmethod
    def of(cls, rows: Iterable[UrgentTerm]) -> "UrgentTerms":
        """The words of rows."""
        edition, han, others = 0, Phrases(), Phrases()
        for row in rows:
            edition = max(edition, row.edition)
            if not row.hours:
                continue
            exceptions = [parts_of(each) for each in row.exceptions]
            if is_han(row.term):
                han.add(tuple(row.term), row.hours, [tuple(parts[0]) for parts in exceptions])
            else:
                others.add((row.term,), row.hours, exceptions)
        return cls(edition, han, others)


def find_urgent_terms(text: str, terms: UrgentTerms) -> dict[str, int]:
    """The words of a text that make it urgent, each with how many hours earlier it is attended to."""
    found: dict[str, int] = {}
    runs = script_runs(text)
    for han, _ in runs:
        for word, place in terms.han.find_words(tuple(han)):
            if not is_denied(han, place):
                found["".join(word)] = terms.han.hours[word]
    for word, place in terms.others.find_words(parts_of_runs(runs)):
        if not place or runs[place - 1][1] not in LATIN_NEGATIONS:
            found[runs[place][1]] = terms.others.hours[word]
    return found


def is_denied(han: str, place: int) -> bool:
    """Whether a Chinese text says the opposite of its word at a place."""
    return han.endswith(HAN_NEGATIONS, 0, place) and not han.endswith(HAN_INTENSIFIERS, 0, place)


def is_han(term: str) -> bool:
    """Whether a term is Chinese."""
    return any(han for han, _ in script_runs(term))


def parts_of(text: str) -> Symbols:
    """A text as it is compared: runs of Chinese as they are, other words by their stems."""
    return parts_of_runs(script_runs(text))


def parts_of_runs(runs: Sequence[tuple[str, str]]) -> Symbols:
    return tuple(han or stem_word(other) for han, other in runs)
