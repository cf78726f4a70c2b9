"""What is asked, in the query language of each database's full-text index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from words.cutting import forms, han_words, runs

ASKED_LIMIT = 200
"""Characters of a question that are looked at."""

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


Choices = Sequence[Sequence[Phrase]]
"""For each word asked for, what it may look like."""


def match(asked: str, *, dialect: str) -> str:
    """`asked` for the index of the database; "" when it holds no word.

    Every word must be there; the last one may be unfinished.
    """
    return all_of(_wanted(asked), dialect=dialect)


def match_any(asked: str, *, dialect: str) -> str:
    """Like `match` for what somebody writes at length: any word will do that not every text has."""
    telling = [choice for choice in _wanted(asked) if _tells(choice[0].words)]
    return any_of(telling, dialect=dialect)


def all_of(choices: Choices, *, dialect: str) -> str:
    return _fts5(choices, " AND ") if dialect == "sqlite" else _tsquery(choices, " & ")


def any_of(choices: Choices, *, dialect: str) -> str:
    return _fts5(choices, " OR ") if dialect == "sqlite" else _tsquery(choices, " | ")


def _wanted(asked: str) -> list[Sequence[Phrase]]:
    wanted: list[Sequence[Phrase]] = []
    pieces = list(runs(asked[:ASKED_LIMIT]))
    for place, (han, other) in enumerate(pieces, start=1):
        wanted += [_of_han(word) for word in (han_words(han, finely=False) if han else ())]
        if looks := forms(other):
            first = Phrase((looks[0],), unfinished=place == len(pieces))
            wanted.append([first, *(Phrase((form,)) for form in looks[1:])])
    return wanted


def _of_han(word: str) -> Sequence[Phrase]:
    letters = Phrase(tuple(word))
    return [letters] if len(word) == 1 else [Phrase((word,)), letters]


def _tells(words: tuple[str, ...]) -> bool:
    return len(words[0]) > 1 and words[0] not in _COMMON


def _fts5(wanted: Iterable[Sequence[Phrase]], glue: str) -> str:
    """https://sqlite.org/fts5.html#full_text_query_syntax"""
    return glue.join(f"({' OR '.join(map(_fts5_phrase, choice))})" for choice in wanted)


def _fts5_phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + ("*" if phrase.unfinished else "")


def _tsquery(wanted: Iterable[Sequence[Phrase]], glue: str) -> str:
    """https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY"""
    return glue.join(f"({' | '.join(map(_tsquery_phrase, choice))})" for choice in wanted)


def _tsquery_phrase(phrase: Phrase) -> str:
    return "(" + " <-> ".join(f"'{word}'" for word in phrase.words) + (":*)" if phrase.unfinished else ")")
