"""A question becomes a plan: which words are looked for, what each is worth, how many must be there.

Pure: what the shop knows of each word is brought by the caller. A plan travels in cursors, so that the next
page is ranked like the one before whatever was added meanwhile.
"""

import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from words.cutting import WORD_LIMIT, code, forms, han_words, indexed, runs
from words.matching import Phrase
from words.slips import forgivable
from words.weighing import CODE, rarity, sounds

WISHES_LIMIT = 24
"""Words of a question that are looked for."""

COMPLETIONS = 12
"""Words an unfinished one may become."""

CORRECTIONS = 3
"""Words a mistyped one may have been meant for."""

WHOLE = 3
"""Letters of a known word that is taken as finished: "usb" is no beginning of something."""

HALF = 2
"""Letters that half of a word has at least, where it may be two."""

BOTH = 32
"""Letters of the longest word that may be two: whoever types more is not looking for anything."""

SURE, SO_SO, FAINT = 100, 50, 20
"""What a word counts, in hundredths: as asked for; completed, corrected; a single character of it."""

_FILLERS = "a an and are as at be by for from in is it of on or the to with 的"
FILLERS = frozenset(_FILLERS.split())
"""Looked for only where nothing else is: "a case for the phone" is about a case and a phone."""

VALUE_LIMIT = 10_000
_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"(?<=[A-Za-z])['’]s\b", re.IGNORECASE)
"""Of "women's" only the woman is looked for: titles say it with an apostrophe or without."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One word asked for: what it may look like, and whether it may go on."""

    looks: tuple[str, ...]
    letters: str = ""
    """The characters of a Chinese word, which may stand there divided differently."""
    unfinished: bool = False

    @property
    def word(self) -> str:
        return self.looks[0]


@dataclass(frozen=True, slots=True)
class Known:
    """What the shop knows of words: how many products have each, and how many there are."""

    products: Mapping[str, int] = field(default_factory=dict)
    completions: Sequence[tuple[str, int]] = ()
    """What the last word may become, the most frequent first."""
    codes: frozenset[str] = frozenset()
    all_products: int = 0
    typing: bool = False
    """Whether the question is still being typed: then even a short known word may go on."""

    def knows(self, wish: Wish) -> bool:
        return any(look in self.products for look in wish.looks)

    def holders(self, wish: Wish) -> int:
        return max((self.products.get(look, 0) for look in wish.looks), default=0)


@dataclass(frozen=True, slots=True)
class Concept:
    """One word of a plan: what it is worth, the words it is found by, and how it stands in the text."""

    worth: int
    terms: tuple[tuple[str, int], ...]
    """Words with what each counts, in hundredths."""
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked for."""

    asked: str = ""
    """The question as it is understood, typos put right."""
    mark: int = 0
    """A number of the question, to tell another one's cursors."""
    concepts: tuple[Concept, ...] = ()
    code: str = ""
    """The SKU or barcode the whole question is, if there is one."""
    least: int | None = None
    """How many of the words a product has at least, where none has all of them."""

    @property
    def nearest(self) -> bool:
        """Whether nothing has all the words, and what comes nearest is shown."""
        return self.least is not None

    def written(self) -> list[Any]:
        """Plain values for a cursor."""
        concepts = [
            [each.worth, each.terms, [[phrase.words, phrase.unfinished] for phrase in each.phrases]]
            for each in self.concepts
        ]
        return [self.mark, self.asked, concepts, self.code, self.least]


class NoPlan(ValueError):
    """These values are no plan of ours."""


def read_plan(values: Any) -> Plan:
    """What `Plan.written` wrote; it comes from outside, so everything is looked at. Raises NoPlan."""
    try:
        mark, asked, concepts, code_, least = values
        plan = Plan(
            str(asked), int(mark), tuple(map(_read_concept, concepts)), str(code_), _read_least(least)
        )
    except (TypeError, ValueError, OverflowError):
        raise NoPlan from None
    if not 1 <= len(plan.concepts) <= WISHES_LIMIT or (plan.code and not _WORD.fullmatch(plan.code)):
        raise NoPlan
    return plan


def _read_least(least: Any) -> int | None:
    return None if least is None else min(max(int(least), 1), WISHES_LIMIT)


def _read_concept(values: Any) -> Concept:
    worth, terms, phrases = values
    read = Concept(
        min(max(int(worth), 1), VALUE_LIMIT),
        tuple((_word(term), min(max(int(share), 1), SURE)) for term, share in terms),
        tuple(Phrase(tuple(map(_word, words)), bool(unfinished)) for words, unfinished in phrases),
    )
    if len(read.terms) > 2 * COMPLETIONS + WORD_LIMIT or not 1 <= len(read.phrases) <= 2 * COMPLETIONS:
        raise NoPlan
    if not all(phrase.words for phrase in read.phrases):
        raise NoPlan
    return read


def _word(value: Any) -> str:
    if not isinstance(value, str) or len(value) > WORD_LIMIT or not _WORD.fullmatch(value):
        raise NoPlan
    return value


def wishes(asked: str) -> list[Wish]:
    """The words of a question, each once; the last one may be unfinished."""
    found: dict[tuple[str, ...], Wish] = {}
    pieces = list(runs(_POSSESSIVE.sub("", asked)))
    for place, (han, other) in enumerate(pieces, start=1):
        for word in han_words(han, finely=False) if han else ():
            found.setdefault((word,), Wish((word,), letters=word if len(word) > 1 else ""))
        if looks := tuple(forms(other)):
            last = place == len(pieces)
            found[looks] = Wish(looks, unfinished=last)
    telling = [wish for wish in found.values() if wish.word not in FILLERS]
    return (telling or list(found.values()))[:WISHES_LIMIT]


def mark(asked: str) -> int:
    """A number that two different questions hardly share."""
    return zlib.crc32(" ".join(han + other for han, other in runs(asked)).encode())


def to_look_up(asked: Sequence[Wish]) -> set[str]:
    """All words whose number of products is wanted, two that may be one among them."""
    words = {word for wish in asked for word in (*wish.looks, *wish.letters)}
    return words | {pair for _, pair in _pairs(asked)}


def _pairs(asked: Sequence[Wish]) -> list[tuple[int, str]]:
    """Neighbours written as one: "long jing" may be longjing."""
    return [
        (place, one.word + other.word)
        for place, (one, other) in enumerate(pairwise(asked))
        if one.word.isascii() and other.word.isascii() and len(one.word + other.word) <= WORD_LIMIT
    ]


def joined(asked: Sequence[Wish], known: Known) -> list[Wish]:
    """Neighbours become one word where that is known and one of them alone is not."""
    found = list(asked)
    for place, pair in reversed(_pairs(asked)):
        two = found[place : place + 2]
        if len(two) == 2 and pair in known.products and not all(known.knows(wish) for wish in two):
            found[place : place + 2] = [Wish(tuple(forms(pair)), unfinished=two[1].unfinished)]
    return found


def goes_on(wish: Wish, known: Known) -> bool:
    """Whether longer words are meant, too."""
    finished = not known.typing and known.knows(wish) and len(wish.word) <= WHOLE
    return wish.unfinished and not finished


def mistyped(asked: Iterable[Wish], known: Known) -> list[Wish]:
    """Words nothing is known by, as they stand or as the beginning of another."""
    return [
        wish
        for wish in asked
        if forgivable(wish.word) and not known.knows(wish) and not (wish.unfinished and _becomes(wish, known))
    ]


def halves(word: str) -> list[tuple[str, str]]:
    """Every way to write one word as two: "greentea" is "green tea"."""
    if len(word) > BOTH:
        return []
    return [(word[:place], word[place:]) for place in range(HALF, len(word) - HALF + 1)]


def parted(asked: Iterable[Wish], known: Known, lost: Collection[Wish]) -> list[Wish]:
    """Of `lost` words those become two whose halves are known, the way both of them are known best."""
    found: list[Wish] = []
    for wish in asked:
        ways = [
            (Wish(tuple(forms(one))), Wish(tuple(forms(other)), unfinished=wish.unfinished))
            for one, other in (halves(wish.word) if wish in lost else ())
        ]
        best = max(ways, key=lambda way: min(map(known.holders, way)), default=None)
        found += best if best and all(map(known.knows, best)) else [wish]
    return found[:WISHES_LIMIT]


def planned(
    question: str,
    asked: Sequence[Wish],
    known: Known,
    corrections: Mapping[str, Sequence[tuple[str, int]]],
    *,
    apart: bool = False,
) -> Plan:
    """`corrections`: what mistyped words may have been meant for, the most frequent first.

    `apart`: whether a word is taken for two.
    """
    concepts = [_concept(wish, known, corrections.get(wish.word, ())) for wish in asked]
    said = [corrections[wish.word][0][0] if corrections.get(wish.word) else wish.word for wish in asked]
    whole = code(question)
    exact = whole if CODE + whole in known.codes else ""
    understood = " ".join(said) if apart or any(corrections.values()) else question.strip()
    return Plan(understood, mark(question), tuple(concepts), exact)


def _becomes(wish: Wish, known: Known) -> list[tuple[str, int]]:
    return [each for each in known.completions if each[0].startswith(wish.word)]


def _concept(wish: Wish, known: Known, corrections: Sequence[tuple[str, int]]) -> Concept:
    terms = dict.fromkeys(wish.looks, SURE)
    phrases = [Phrase((look,)) for look in wish.looks]
    holders = known.holders(wish)
    if wish.letters:
        terms |= dict.fromkeys(wish.letters, FAINT)
        phrases.append(Phrase(tuple(wish.letters)))
    if goes_on(wish, known):
        completions = _becomes(wish, known)
        terms = {word: SO_SO for word, _ in completions} | terms
        phrases[0] = replace(phrases[0], unfinished=True)
        holders = holders or sum(count for _, count in completions)
    if corrections:
        terms |= {word: SO_SO for word, _ in corrections}
        phrases += [Phrase((word,)) for word, _ in corrections]
        holders = holders or max(count for _, count in corrections)
    return Concept(rarity(holders, known.all_products), tuple(terms.items()), tuple(phrases))


def spoken_of(plan: Plan, texts: Iterable[str]) -> bool:
    """Whether these texts, all names of one thing, have every word of a plan."""
    names = list(texts)
    there = {*indexed(names).split(), *sounds(names)}
    return all(_is_spoken_of(concept, there) for concept in plan.concepts)


def _is_spoken_of(concept: Concept, there: Collection[str]) -> bool:
    if any(term in there for term, share in concept.terms if share > FAINT):
        return True
    begun = [phrase.words[-1] for phrase in concept.phrases if phrase.unfinished]
    if any(word.startswith(beginning) for beginning in begun for word in there):
        return True
    return any(all(letter in there for letter in phrase.words) for phrase in concept.phrases)
