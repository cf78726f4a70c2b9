"""Words to find things by: cut the same way for what is stored and for what is asked."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rjieba
import snowballstemmer

WORDS_LIMIT = 200_000
"""Characters kept of one thing: a tsvector has at most a megabyte."""

WORD_LIMIT = 100
"""Characters of one word; longer ones are nothing anybody types."""

ASKED_LIMIT = 200
"""Characters of a question that are looked at."""

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUNS = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")
_ACCENTS = re.compile("[\u0300-\u036f]")
_TAGS = re.compile(r"<[^>]*>")
_ENGLISH = snowballstemmer.stemmer("english")
_SAID_EVERYWHERE = """
an and are as at be been but by can could did do does for from get got had has have how if in is it its just
me my no not of on or our please she so that the their them there they this to was we were what when where
which who why will with would you your
我们 你们 他们 怎么 什么 怎么办 可以 已经 这个 那个 一个 没有 就是 还是 请问 如何 为什么 现在 但是 因为 所以
"""
_COMMON = frozenset(_SAID_EVERYWHERE.split())


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand next to each other; the last one may be the beginning of a longer one."""

    words: tuple[str, ...]
    unfinished: bool = False


def indexed(texts: Iterable[str]) -> str:
    """All words of `texts`, separated by blanks.

    Chinese stands there as words and as single characters in their order, so that any part of it is a
    phrase; everything else as it is written and as its English stem.
    """
    words: list[str] = []
    for text in texts:
        for han, other in _RUNS.findall(_folded(text)):
            words += [*_words(han, finely=True), *han] if han else _forms(other)
    return " ".join(words)[:WORDS_LIMIT]


def readable(markup: str) -> str:
    """The text of an HTML fragment."""
    return html.unescape(_TAGS.sub(" ", markup))


def match(asked: str, *, dialect: str) -> str:
    """`asked` in the query language of the database's index; "" when it holds no word.

    Every word must be there; the last one may be unfinished.
    """
    return _fts5(_wanted(asked)) if dialect == "sqlite" else _tsquery(_wanted(asked))


def match_any(asked: str, *, dialect: str) -> str:
    """Like `match` for what somebody writes at length: any word will do that not every text has."""
    telling = [choice for choice in _wanted(asked) if _tells(choice[0].words)]
    return _fts5(telling, " OR ") if dialect == "sqlite" else _tsquery(telling, " | ")


def _folded(text: str) -> str:
    """One spelling: full-width, accents and capitals make no difference."""
    apart = unicodedata.normalize("NFKD", text).lower()
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", apart))


def _words(han: str, *, finely: bool) -> list[str]:
    found = rjieba.cut_for_search(han) if finely else rjieba.cut(han)
    return [word for word in found if len(word) > 1 or not finely]


def _forms(word: str) -> list[str]:
    if not 1 <= len(word) <= WORD_LIMIT:
        return []
    return list(dict.fromkeys((word, _ENGLISH.stemWord(word)))) if word.isascii() else [word]


def _wanted(asked: str) -> list[Sequence[Phrase]]:
    """For each word asked for, what it may look like."""
    wanted: list[Sequence[Phrase]] = []
    runs = _RUNS.findall(_folded(asked[:ASKED_LIMIT]))
    for place, (han, other) in enumerate(runs, start=1):
        wanted += [_of_han(word) for word in _words(han, finely=False)]
        if forms := _forms(other):
            first = Phrase((forms[0],), unfinished=place == len(runs))
            wanted.append([first, *(Phrase((form,)) for form in forms[1:])])
    return wanted


def _of_han(word: str) -> Sequence[Phrase]:
    letters = Phrase(tuple(word))
    return [letters] if len(word) == 1 else [Phrase((word,)), letters]


def _tells(words: tuple[str, ...]) -> bool:
    return len(words[0]) > 1 and words[0] not in _COMMON


def _fts5(wanted: Iterable[Sequence[Phrase]], glue: str = " AND ") -> str:
    """https://sqlite.org/fts5.html#full_text_query_syntax"""
    return glue.join(f"({' OR '.join(map(_fts5_phrase, choice))})" for choice in wanted)


def _fts5_phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + ("*" if phrase.unfinished else "")


def _tsquery(wanted: Iterable[Sequence[Phrase]], glue: str = " & ") -> str:
    """https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY"""
    return glue.join(f"({' | '.join(map(_tsquery_phrase, choice))})" for choice in wanted)


def _tsquery_phrase(phrase: Phrase) -> str:
    return "(" + " <-> ".join(f"'{word}'" for word in phrase.words) + (":*)" if phrase.unfinished else ")")
