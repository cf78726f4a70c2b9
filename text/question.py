"""The words of a question, as a customer asks it in a sentence."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, zip_longest

from text.query_parser import QUERY_LIMIT, QueryTerm
from text.scripts import script_of
from text.stemmer import word_forms
from text.tokenizer import script_runs, segment_han
from text.typo_tolerance import is_likely_typo, shortest_mistyped

TERMS_LIMIT = 24
"""Words of a question that are looked for."""

PAIRS_LIMIT = 24
"""Pairs of Chinese characters that are looked for."""

GROUPS_KNOWN = 2_000
"""Groups of synonyms whose spelling is remembered."""

SAYINGS_LIMIT = 8
"""Other ways to say a query that are looked for."""

WEAK_CHARACTERS = frozenset("的了吗呢吧啊是我你他她它们在有和也就都还这那么什怎样个")
"""Characters that say little about what a question is about."""

LATIN_WORD = re.compile("(?<![A-Za-z0-9_'’])[A-Za-z]+(?![A-Za-z0-9_'’])")

SYLLABLE_LETTERS = 6
"""Letters of the longest syllable in pinyin: zhuang."""


_STOP_WORD_LIST = """
an and are as at be been but by can could did do does for from get got had has have how if in is it its just
me my no not of on or our please she so that the their them there they this to was we were what when where
which who why will with would you your
我们 你们 他们 怎么 什么 怎么办 可以 已经 这个 那个 一个 没有 就是 还是 请问 如何 为什么 现在 但是 因为 所以
"""
QUESTION_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""Words that most questions have, whatever they are about."""

SYLLABLES = frozenset({"an", "can", "me", "she"})
"""Those of them that are pinyin, too."""


def parse_question(text: str) -> list[QueryTerm]:
    """The words of a question that say what it is about, each once; the last one may be unfinished."""
    terms: dict[tuple[str, ...], QueryTerm] = {}
    runs = list(script_runs(text[:QUERY_LIMIT]))
    for place, (han, other) in enumerate(runs, start=1):
        for word in segment_han(han, fine=False) if han else ():
            terms.setdefault((word,), QueryTerm((word,), characters=word))
        if forms := word_forms(other):
            terms[forms] = QueryTerm(forms, is_prefix=place == len(runs))
    significant = [each for each in terms.values() if is_significant(each.word)]
    return significant[:TERMS_LIMIT]


def question_pairs(text: str) -> list[tuple[str, str]]:
    """Two neighbouring Chinese characters, each pair once: a word may be divided otherwise in an article."""
    pairs = [
        pair
        for han, _ in script_runs(text[:QUERY_LIMIT])
        for pair in pairwise(han)
        if "".join(pair) not in QUESTION_STOP_WORDS and not WEAK_CHARACTERS.intersection(pair)
    ]
    return list(dict.fromkeys(pairs))[:PAIRS_LIMIT]


def fold_words(text: str) -> str:
    """The words of a text in one spelling, between blanks, so that a word can be looked for in it."""
    runs = script_runs(text[:QUERY_LIMIT])
    return "".join(han or f" {word_forms(other)[-1]} " for han, other in runs).replace("  ", " ")


@lru_cache(maxsize=GROUPS_KNOWN)
def fold_group(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words that mean the same, each in one spelling: every search asks for those of all groups."""
    return tuple(fold_words(word) for word in words)


def replace_synonyms(text: str, groups: Sequence[Sequence[str]]) -> list[str]:
    """The text with one of its words replaced by another one that means the same, SAYINGS_LIMIT at most."""
    asked, found = fold_words(text), list[str]()
    for group in groups:
        folded = fold_group(tuple(group))
        for word in folded:
            if word.strip() and word in asked:
                found += [asked.replace(word, other) for other in folded if other not in asked]
    return list(dict.fromkeys(found))[:SAYINGS_LIMIT]


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters."""
    return any(script_of(letter) == "CJK" for letter in text)


def asks_in_chinese(text: str, meant: str) -> bool:
    """Whether a question is Chinese, in characters or in pinyin; `meant` has the characters of pinyin.

    "how do i get a fapiao" is not: in pinyin nobody writes words that English questions have.
    """
    if is_chinese(text):
        return True
    words = QUESTION_STOP_WORDS.intersection(question_words(text)) - SYLLABLES
    return is_chinese(meant) and not words


def is_significant(word: str) -> bool:
    return len(word) > 1 and word not in QUESTION_STOP_WORDS


def question_words(text: str) -> list[str]:
    """The words of a question in Latin letters, in their order, in lower case."""
    return [each.lower() for each in LATIN_WORD.findall(text)]


def subject_mark(word: str) -> str:
    """What says in an index that articles are about a word and do not only have it: nobody can type it."""
    return f"={word}"


def neighbour_words(text: str) -> list[str]:
    """Two of them that are written apart and may be the syllables of one: "tui kuan" for tuikuan."""
    return [
        (one[0] + other[0]).lower()
        for one, other in pairwise(LATIN_WORD.finditer(text))
        if is_between(text, one, other) and max(len(one[0]), len(other[0])) <= SYLLABLE_LETTERS
    ]


def is_between(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether there are only blanks between two words."""
    return text[one.end() : other.start()].isspace()


def closest_word(word: str, close: Sequence[str]) -> str | None:
    """The one of words one typing error away, the most frequent first, that was meant."""
    likely = [each for each in close if is_likely_typo(word, each)]
    return min(likely, key=lambda each: shortest_mistyped(word, each), default=None)


def replace_words(text: str, meant: Mapping[str, str]) -> str:
    """The text with words, or two neighbours that are one word, replaced by what was meant."""
    found, parts, place = list(LATIN_WORD.finditer(text)), list[str](), 0
    for one, other in zip_longest(found, found[1:]):
        if one.start() < place:
            continue
        joined = (one[0] + other[0]).lower() if other and is_between(text, one, other) else ""
        instead = meant.get(joined) or meant.get(one[0].lower())
        if instead:
            end = other.end() if joined in meant else one.end()
            parts, place = [*parts, text[place : one.start()], instead], end
    return "".join([*parts, text[place:]])
