"""The words of a question, as a customer asks it in a sentence."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from text.query_parser import QUERY_LIMIT, QueryTerm
from text.stemmer import word_forms
from text.tokenizer import script_runs, segment_han

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

_STOP_WORD_LIST = """
an and are as at be been but by can could did do does for from get got had has have how if in is it its just
me my no not of on or our please she so that the their them there they this to was we were what when where
which who why will with would you your
我们 你们 他们 怎么 什么 怎么办 可以 已经 这个 那个 一个 没有 就是 还是 请问 如何 为什么 现在 但是 因为 所以
"""
QUESTION_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""Words that most questions have, whatever they are about."""


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


def is_significant(word: str) -> bool:
    return len(word) > 1 and word not in QUESTION_STOP_WORDS
