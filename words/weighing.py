"""How much each word says about a thing: one number per word, the same whatever database keeps it.

BM25F (Robertson, Zaragoza, Taylor 2004) without what depends on other things: how rare a word is comes in
when somebody asks. So a weight changes only with its own thing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log

from words.cutting import forms, han_words, runs
from words.pinyin import spelled

FULL = 1_000
"""No word weighs more."""

TERMS_LIMIT = 400
"""Words of one thing that are weighed, the heaviest."""

SATURATION = 2.0
"""The k1 of BM25: how soon saying a word again stops to count."""

LENGTH_COUNTS = 0.5
"""The b of BM25: how much less a word says among many others."""

LETTER = 0.5
"""A single Chinese character beside the word it stands in."""

SOUND = 0.5
"""A word by its pinyin beside the word itself."""

CODE = "="
"""What a SKU or barcode begins with among the words: nobody types it, so no word looks like a code."""


EVERYTHING = ""
"""Stands among the words for all things there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of text: how much it counts, how long it usually is, how its words can be found."""

    counts: float
    usual_length: int
    as_written: bool = True
    """Also as its words are written, not only by their stems: what can be completed and corrected."""
    by_sound: bool = False


def weighed(parts: Iterable[tuple[Part, Sequence[str]]]) -> dict[str, int]:
    """Each word of the texts with its weight; every text of a part is measured by its own length."""
    counts: defaultdict[str, float] = defaultdict(float)
    for part, texts in parts:
        found: defaultdict[str, float] = defaultdict(float)
        for text in texts:
            for word, share in _shares(text, part).items():
                found[word] = max(found[word], share)
        for word, share in found.items():
            counts[word] += part.counts * share
    heaviest = nlargest(TERMS_LIMIT, counts.items(), key=lambda item: (item[1], item[0]))
    return {word: max(1, round(FULL * count / (SATURATION + count))) for word, count in heaviest}


def _shares(text: str, part: Part) -> Mapping[str, float]:
    """How often each word stands in a text, by the text's length."""
    counts: defaultdict[str, float] = defaultdict(float)
    length = 0
    for han, other in runs(text):
        length += 1
        if han:
            words = han_words(han, finely=False)
            length += len(words) - 1
            _count_han(han, words, counts, by_sound=part.by_sound)
        elif looks := forms(other):
            for look in looks if part.as_written else looks[-1:]:
                counts[look] += 1
    norm = 1 - LENGTH_COUNTS + LENGTH_COUNTS * length / part.usual_length
    return {word: count / norm for word, count in counts.items()}


def _count_han(han: str, words: Sequence[str], counts: defaultdict[str, float], *, by_sound: bool) -> None:
    whole = {word for word in words if len(word) > 1}
    for word in whole.union(han_words(han, finely=True)):
        counts[word] += 1
    for letter in han:
        counts[letter] += LETTER
    if by_sound:
        for word in {*words, *han_words(han, finely=True)}:
            for sound in spelled(word):
                counts[sound] += SOUND


def sounds(texts: Iterable[str]) -> list[str]:
    """How the Chinese words of `texts` are typed on a Latin keyboard."""
    return [
        sound
        for text in texts
        for han, _ in runs(text)
        if han
        for word in dict.fromkeys((*han_words(han, finely=False), *han_words(han, finely=True)))
        for sound in spelled(word)
    ]


def rarity(holders: int, all_things: int) -> int:
    """What one word is worth beside another: the idf of BM25 in hundredths, never nothing."""
    among = max(all_things, holders, 1)
    return max(1, round(100 * log(1 + (among - holders + 0.5) / (holders + 0.5))))
