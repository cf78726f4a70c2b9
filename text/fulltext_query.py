"""Search queries in the syntax of each database's full-text index: FTS5 on SQLite, tsquery on PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from text.stemmer import word_forms
from text.tokenizer import script_runs, segment_han

QUERY_LIMIT = 200
"""Characters of a query that are read; the rest is ignored."""

_STOP_WORD_LIST = """
an and are as at be been but by can could did do does for from get got had has have how if in is it its just
me my no not of on or our please she so that the their them there they this to was we were what when where
which who why will with would you your
我们 你们 他们 怎么 什么 怎么办 可以 已经 这个 那个 一个 没有 就是 还是 请问 如何 为什么 现在 但是 因为 所以
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words next to each other; with `is_prefix` the last one may be the beginning of a longer word."""

    words: tuple[str, ...]
    is_prefix: bool = False


Clauses = Sequence[Sequence[Phrase]]
"""For each word of a query, the phrases that match it."""


def all_terms_query(query: str, *, dialect: str) -> str:
    """The full-text query for texts with every word of `query`; "" when it has none.

    The last word may be unfinished.
    """
    return and_query(_parse_clauses(query), dialect=dialect)


def any_term_query(query: str, *, dialect: str) -> str:
    """The full-text query for texts with any word of `query` but stop words and single characters.

    Meant for longer texts, such as the message of a ticket; "" when there is no such word.
    """
    clauses = [clause for clause in _parse_clauses(query) if _is_significant(clause[0].words)]
    return or_query(clauses, dialect=dialect)


def and_query(clauses: Clauses, *, dialect: str) -> str:
    return _fts5(clauses, " AND ") if dialect == "sqlite" else _tsquery(clauses, " & ")


def or_query(clauses: Clauses, *, dialect: str) -> str:
    return _fts5(clauses, " OR ") if dialect == "sqlite" else _tsquery(clauses, " | ")


def _parse_clauses(query: str) -> list[Sequence[Phrase]]:
    clauses: list[Sequence[Phrase]] = []
    runs = list(script_runs(query[:QUERY_LIMIT]))
    for place, (han, other) in enumerate(runs, start=1):
        clauses += [_han_clause(word) for word in (segment_han(han, fine=False) if han else ())]
        if forms := word_forms(other):
            first = Phrase((forms[0],), is_prefix=place == len(runs))
            clauses.append([first, *(Phrase((form,)) for form in forms[1:])])
    return clauses


def _han_clause(word: str) -> Sequence[Phrase]:
    characters = Phrase(tuple(word))
    return [characters] if len(word) == 1 else [Phrase((word,)), characters]


def _is_significant(words: tuple[str, ...]) -> bool:
    return len(words[0]) > 1 and words[0] not in _STOP_WORDS


def _fts5(clauses: Iterable[Sequence[Phrase]], operator: str) -> str:
    """https://sqlite.org/fts5.html#full_text_query_syntax"""
    return operator.join(f"({' OR '.join(map(_fts5_phrase, clause))})" for clause in clauses)


def _fts5_phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + ("*" if phrase.is_prefix else "")


def _tsquery(clauses: Iterable[Sequence[Phrase]], operator: str) -> str:
    """https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY"""
    return operator.join(f"({' | '.join(map(_tsquery_phrase, clause))})" for clause in clauses)


def _tsquery_phrase(phrase: Phrase) -> str:
    return "(" + " <-> ".join(f"'{word}'" for word in phrase.words) + (":*)" if phrase.is_prefix else ")")
