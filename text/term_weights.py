"""The weight of each term of a document: one whole number per term, the same on every database.

BM25F (Robertson, Zaragoza, Taylor 2004) without the parts that depend on other documents: the inverse
document frequency is multiplied in by each query. So a weight changes only with its own document.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log

from text.pinyin import pinyin_of
from text.stemmer import word_forms
from text.tokenizer import script_runs, segment_han

WEIGHT_LIMIT = 1_000
"""The weight that a term approaches the more often it occurs."""

TERMS_LIMIT = 400
"""Terms of one document that are kept, the heaviest."""

K1 = 2.0
"""BM25's k1: how soon another occurrence of a term stops to count."""

B = 0.5
"""BM25's b: how much less a term counts in a long text."""

CHARACTER_SHARE = 0.5
"""What an occurrence of a single Chinese character counts, beside the word it stands in."""

PINYIN_SHARE = 0.5
"""What an occurrence of a word's pinyin counts, beside the word itself."""

CODE_PREFIX = "="
"""What the term of a SKU or barcode begins with: no other term begins so."""

ALL_DOCUMENTS = ""
"""The entry of the term table that counts all documents."""


@dataclass(frozen=True, slots=True)
class IndexedField:
    """A field of BM25F: how much its terms count, and how they can be found."""

    boost: float
    average_length: int
    """How many words it usually has."""
    keep_words: bool = True
    """Also by its words as written, not only by their stems: only these can be completed and corrected."""
    with_pinyin: bool = False


def weigh_terms(fields: Iterable[tuple[IndexedField, Sequence[str]]]) -> dict[str, int]:
    """Each term of the texts with its weight; every text of a field is normalized by its own length."""
    frequencies: defaultdict[str, float] = defaultdict(float)
    for field, texts in fields:
        in_field: defaultdict[str, float] = defaultdict(float)
        for text in texts:
            for term, frequency in _term_frequencies(text, field).items():
                in_field[term] = max(in_field[term], frequency)
        for term, frequency in in_field.items():
            frequencies[term] += field.boost * frequency
    heaviest = nlargest(TERMS_LIMIT, frequencies.items(), key=lambda item: (item[1], item[0]))
    return {term: max(1, round(WEIGHT_LIMIT * frequency / (K1 + frequency))) for term, frequency in heaviest}


def _term_frequencies(text: str, field: IndexedField) -> Mapping[str, float]:
    """How often each term occurs in a text, divided by BM25's length normalization."""
    counts: defaultdict[str, float] = defaultdict(float)
    length = 0
    for han, other in script_runs(text):
        length += 1
        if han:
            words = segment_han(han, fine=False)
            length += len(words) - 1
            _count_han(han, words, counts, with_pinyin=field.with_pinyin)
        elif forms := word_forms(other):
            for form in forms if field.keep_words else forms[-1:]:
                counts[form] += 1
    norm = 1 - B + B * length / field.average_length
    return {term: count / norm for term, count in counts.items()}


def _count_han(han: str, words: Sequence[str], counts: defaultdict[str, float], *, with_pinyin: bool) -> None:
    long_words = {word for word in words if len(word) > 1}
    for word in long_words.union(segment_han(han, fine=True)):
        counts[word] += 1
    for character in han:
        counts[character] += CHARACTER_SHARE
    if with_pinyin:
        for word in {*words, *segment_han(han, fine=True)}:
            for pinyin in pinyin_of(word):
                counts[pinyin] += PINYIN_SHARE


def pinyin_terms(texts: Iterable[str]) -> list[str]:
    """The pinyin of the Chinese words of `texts`."""
    return [
        pinyin
        for text in texts
        for han, _ in script_runs(text)
        if han
        for word in dict.fromkeys((*segment_han(han, fine=False), *segment_han(han, fine=True)))
        for pinyin in pinyin_of(word)
    ]


def inverse_document_frequency(document_frequency: int, document_count: int) -> int:
    """BM25's idf of a term in hundredths, at least 1; `document_frequency`: how many documents have it."""
    count = max(document_count, document_frequency, 1)
    return max(1, round(100 * log(1 + (count - document_frequency + 0.5) / (document_frequency + 0.5))))
