"""Pinyin: Chinese words as they are typed on a Latin keyboard (龙井 is longjing, or lj for short)."""

from collections.abc import Iterable
from functools import cache, lru_cache
from types import ModuleType

from text.tokenizer import script_runs, segment_han

PINYIN_CACHE_SIZE = 20_000

PINYIN_LETTERS = 4
"""Letters of the shortest pinyin that is read in a question: a shorter one may be a word elsewhere."""


@lru_cache(PINYIN_CACHE_SIZE)
def pinyin_of(word: str) -> tuple[str, ...]:
    """The pinyin of a word and, where it has several characters, its initials; empty when unknown."""
    syllables: list[str] = _pypinyin().lazy_pinyin(word, errors="ignore")
    if len(syllables) != len(word):
        return ()
    whole = "".join(syllables)
    return (whole, "".join(syllable[0] for syllable in syllables)) if len(syllables) > 1 else (whole,)


@cache
def _pypinyin() -> ModuleType:
    # imported late: its dictionaries take most of a second to load, and only indexing needs them
    import pypinyin

    return pypinyin


def pinyin_terms(texts: Iterable[str]) -> list[str]:
    """The pinyin of the Chinese words of `texts`."""
    return [
        pinyin
        for text in texts
        if not text.isascii()
        for han, _ in script_runs(text)
        if han
        for word in dict.fromkeys((*segment_han(han, fine=False), *segment_han(han, fine=True)))
        for pinyin in pinyin_of(word)
    ]


def pinyin_mark(pinyin: str) -> str:
    """What says in an index that this is the pinyin of a word: nobody can type it."""
    return f"={pinyin}="


def written_pinyin(texts: Iterable[str]) -> list[str]:
    """The Chinese words of `texts` of several characters, each after the mark of its pinyin."""
    return [
        pinyin_mark(pinyin[0]) + word
        for text in texts
        if not text.isascii()
        for han, _ in script_runs(text)
        if han
        for word in dict.fromkeys((*segment_han(han, fine=False), *segment_han(han, fine=True)))
        if len(word) > 1 and (pinyin := pinyin_of(word))
    ]
