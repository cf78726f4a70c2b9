"""A query plan: the clauses of a search query, each with the terms that match it and its weight.

A plan is written into cursors, so that the next page is ranked like the one before, whatever was indexed
meanwhile.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from text.analyzer import analyze_texts
from text.pinyin import pinyin_terms
from text.stemmer import WORD_LIMIT

CLAUSES_LIMIT = 24
"""Words of a query that are looked for."""

NAMES_REMEMBERED = 4_096
"""Names of categories and brands whose terms are remembered: each request while somebody types needs many."""

COMPLETIONS_LIMIT = 12
"""Terms that an unfinished word may become."""

EXACT_SHARE, EXPANDED_SHARE = 100, 50
"""What a term counts in its clause, in percent: as it was typed; completed or corrected."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words next to each other; with `is_prefix` the last one may be the beginning of a longer word."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class QueryClause:
    """One word of a query: the terms that match it, and those that must stand next to each other."""

    terms: tuple[tuple[str, int], ...]
    """Terms with what each counts, in percent."""
    phrases: tuple[Phrase, ...]
    is_head: bool = False
    """Whether the query is about this word: "bag" of "laptop bag"."""

    @property
    def is_number(self) -> bool:
        return all(term.isdigit() for term, _ in self.terms)


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """What a search looks for."""

    query: str = ""
    """The query with its typing errors corrected."""
    query_hash: int = 0
    """A hash of the query as it was typed, to refuse cursors of another one."""
    clauses: tuple[QueryClause, ...] = ()
    code: str = ""
    """The SKU or barcode that the whole query is, if there is one."""
    minimum_should_match: int | None = None
    """How many of `words` must match at least, where few rows match all clauses; None where all must."""

    @property
    def words(self) -> tuple[QueryClause, ...]:
        """The clauses that say something by themselves: a number says something of another word only."""
        return tuple(each for each in self.clauses if not each.is_number) or self.clauses

    @property
    def numbers(self) -> tuple[QueryClause, ...]:
        """The clauses that are not needed where some of `words` are enough."""
        return tuple(each for each in self.clauses if each not in self.words)

    @property
    def partial_minimums(self) -> Sequence[int]:
        """How many of `words` a partial match may have, the most first."""
        most = len(self.words) if self.numbers else len(self.words) - 1
        return range(most, 0, -1)

    @property
    def is_partial(self) -> bool:
        """Whether nothing matches all clauses, and products that match some of them are shown."""
        return self.minimum_should_match is not None

    def to_values(self) -> list[Any]:
        """Plain values for a cursor; `read_plan` reads them."""
        clauses = [
            [clause.terms, [[phrase.words, phrase.is_prefix] for phrase in clause.phrases], clause.is_head]
            for clause in self.clauses
        ]
        return [self.query_hash, self.query, clauses, self.code, self.minimum_should_match]


class InvalidQueryPlan(ValueError):
    """The values are not those of a query plan."""


def read_plan(values: Any) -> QueryPlan:
    """The plan that `QueryPlan.to_values` wrote; raises InvalidQueryPlan, since cursors come from clients."""
    try:
        query_hash, query, clauses, code, minimum = values
        plan = QueryPlan(
            str(query), int(query_hash), tuple(map(_read_clause, clauses)), str(code), _read_minimum(minimum)
        )
    except (TypeError, ValueError, OverflowError):
        raise InvalidQueryPlan from None
    if not 1 <= len(plan.clauses) <= CLAUSES_LIMIT or (plan.code and not _WORD.fullmatch(plan.code)):
        raise InvalidQueryPlan
    return plan


def _read_minimum(minimum: Any) -> int | None:
    return None if minimum is None else min(max(int(minimum), 1), CLAUSES_LIMIT)


def _read_clause(values: Any) -> QueryClause:
    terms, phrases, is_head = values
    clause = QueryClause(
        tuple((_read_word(term), min(max(int(share), 1), EXACT_SHARE)) for term, share in terms),
        tuple(Phrase(tuple(map(_read_word, words)), bool(is_prefix)) for words, is_prefix in phrases),
        bool(is_head),
    )
    if len(clause.terms) > 2 * COMPLETIONS_LIMIT + WORD_LIMIT:
        raise InvalidQueryPlan
    if not 1 <= len(clause.phrases) <= 2 * COMPLETIONS_LIMIT:
        raise InvalidQueryPlan
    if not all(phrase.words for phrase in clause.phrases):
        raise InvalidQueryPlan
    return clause


def _read_word(value: Any) -> str:
    if not isinstance(value, str) or len(value) > WORD_LIMIT or not _WORD.fullmatch(value):
        raise InvalidQueryPlan
    return value


@dataclass(frozen=True, slots=True)
class NameMatcher:
    """Tells which names match every clause of a plan; made once for many names."""

    clauses: tuple[tuple[frozenset[str], tuple[str, ...], tuple[tuple[str, ...], ...]], ...]
    """Words, beginnings and phrases of each clause, one of which is enough."""

    @classmethod
    def of(cls, plan: QueryPlan) -> "NameMatcher":
        return cls(
            tuple(
                (
                    frozenset(term for term, _ in clause.terms),
                    tuple(phrase.words[-1] for phrase in clause.phrases if phrase.is_prefix),
                    tuple(phrase.words for phrase in clause.phrases),
                )
                for clause in plan.clauses
            )
        )

    def matches(self, names: Iterable[str]) -> bool:
        """Whether the names of one thing, in all its languages together, match every clause."""
        terms = _terms_of_names(tuple(names))
        return all(
            not words.isdisjoint(terms)
            or any(term.startswith(beginnings) for term in terms)
            or any(terms.issuperset(phrase) for phrase in phrases)
            for words, beginnings, phrases in self.clauses
        )


@lru_cache(NAMES_REMEMBERED)
def _terms_of_names(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset({*analyze_texts(names).split(), *pinyin_terms(names)})
