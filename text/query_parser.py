"""The query parser: turns what a customer typed into a query plan.

It does no I/O: the caller brings what the index knows of each term (`KnownTerms`).
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from text.analyzer import is_mixed, normalize_code
from text.query_plan import (
    CLAUSES_LIMIT,
    COMPLETIONS_LIMIT,
    EXACT_SHARE,
    EXPANDED_SHARE,
    Phrase,
    QueryClause,
    QueryPlan,
)
from text.stemmer import WORD_LIMIT, word_forms
from text.title_heads import query_head
from text.tokenizer import script_runs, segment_han
from text.typo_tolerance import tolerates_typo

QUERY_LIMIT = 200
"""Characters of a query."""

CORRECTIONS_LIMIT = 3
"""Terms that a mistyped word may be corrected to."""

MISTYPED_LIMIT = 4
"""Words of a query whose typos are looked up: each takes statements of its own, and few queries have two."""

FINISHED_LENGTH = 3
"""Letters of a known word up to which it counts as finished: "usb" is not completed."""

SPLIT_PART_LENGTH = 2
"""Letters that each part of a split word has at least."""

SPLITS_LIMIT = 3
"""Ways to split a word of which it is looked up whether a document has both parts."""

SPLIT_WORD_LIMIT = 32
"""Letters of the longest word that is split: nobody types a longer one by leaving out a blank."""

PIECES = re.compile("[a-z]+|[0-9]+")

_STOP_WORD_LIST = "a an and are as at be by for from in is it of on or the to with 的"
STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""Looked for only in a query of nothing else: "a case for the phone" is about a case and a phone."""

SYNONYMS_LIMIT = 8
"""Words that mean the same as one of a query; those of several words are for questions in sentences."""

# Of "women's" only "women" is looked for: titles write it with an apostrophe or without.
_POSSESSIVE = re.compile(r"(?<=[A-Za-z])['’]s\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One word of a query."""

    forms: tuple[str, ...]
    """The word as it was typed, then its stem."""
    characters: str = ""
    """The characters of a Chinese word, which a document may divide differently."""
    is_prefix: bool = False
    """Whether it may be the beginning of a longer word."""

    @property
    def word(self) -> str:
        return self.forms[0]


@dataclass(frozen=True, slots=True)
class KnownTerms:
    """What the index knows of the words of a query."""

    document_frequencies: Mapping[str, int] = field(default_factory=dict)
    """How many documents have each term."""
    completions: Sequence[tuple[str, int]] = ()
    """Terms that the last word may become, with how many documents have each, the most frequent first."""
    is_code: bool = False
    """Whether the whole query is a SKU or a barcode."""
    typing: bool = False
    """Whether the query is still being typed: then even a short known word may go on."""

    def knows(self, term: QueryTerm) -> bool:
        return any(form in self.document_frequencies for form in term.forms)

    def document_frequency(self, term: QueryTerm) -> int:
        return max((self.document_frequencies.get(form, 0) for form in term.forms), default=0)


def parse_query(query: str) -> list[QueryTerm]:
    """The words of a query, each once; the last one may be unfinished."""
    terms: dict[tuple[str, ...], QueryTerm] = {}
    runs = list(script_runs(_POSSESSIVE.sub("", query)))
    for place, (han, other) in enumerate(runs, start=1):
        for word in segment_han(han, fine=False) if han else ():
            terms.setdefault((word,), QueryTerm((word,), characters=word if len(word) > 1 else ""))
        if forms := word_forms(other):
            terms[forms] = QueryTerm(forms, is_prefix=place == len(runs))
    significant = [term for term in terms.values() if term.word not in STOP_WORDS]
    return (significant or list(terms.values()))[:CLAUSES_LIMIT]


def hash_query(query: str) -> int:
    """A hash of the words of a query, the same whatever their case and punctuation."""
    return zlib.crc32(" ".join(han + other for han, other in script_runs(query)).encode())


def words_to_look_up(terms: Sequence[QueryTerm]) -> set[str]:
    """All words whose document frequency a plan may need, neighbours written as one included."""
    words = {word for term in terms for word in term.forms}
    return words | {pair for _, pair in _neighbour_pairs(terms)}


def _neighbour_pairs(terms: Sequence[QueryTerm]) -> list[tuple[int, str]]:
    """Neighbours written as one, with the place of the first: "long jing" may be longjing."""
    return [
        (place, one.word + other.word)
        for place, (one, other) in enumerate(pairwise(terms))
        if one.word.isascii() and other.word.isascii() and len(one.word + other.word) <= WORD_LIMIT
    ]


def join_known_pairs(terms: Sequence[QueryTerm], known: KnownTerms) -> list[QueryTerm]:
    """Replaces two neighbours by one word where that is known and at least one of the two is not."""
    joined = list(terms)
    for place, pair in reversed(_neighbour_pairs(terms)):
        two = joined[place : place + 2]
        if len(two) < 2 or pair not in known.document_frequencies or all(map(known.knows, two)):
            continue
        joined[place : place + 2] = [QueryTerm(word_forms(pair), is_prefix=two[1].is_prefix)]
    return joined


def may_continue(term: QueryTerm, known: KnownTerms) -> bool:
    """Whether longer words that begin with this one match, too."""
    is_finished = not known.typing and known.knows(term) and len(term.word) <= FINISHED_LENGTH
    return term.is_prefix and not is_finished


def split_mixed(terms: Iterable[QueryTerm], known: KnownTerms) -> list[QueryTerm]:
    """Replaces words of letters and digits that no document has by their parts: "note7x" is note, 7 and x."""
    found: list[QueryTerm] = []
    for term in terms:
        pieces = PIECES.findall(term.word) if is_mixed(term.word) else []
        if len(pieces) < 2 or known.knows(term) or (term.is_prefix and _completions_of(term, known)):
            found.append(term)
            continue
        found += [QueryTerm(word_forms(each)) for each in pieces]
    return found[:CLAUSES_LIMIT]


def word_parts(word: str) -> list[str]:
    """The words that a Chinese word is made of: 儿童 and 玩具 of 儿童玩具; none where one is left over."""
    parts = [each for each in segment_han(word, fine=True) if each != word]
    return parts if "".join(parts) == word else []


def find_mistyped(terms: Iterable[QueryTerm], known: KnownTerms) -> list[QueryTerm]:
    """The first words that no document has, neither as they stand nor as the beginning of another word."""
    mistyped = [
        term
        for term in terms
        if tolerates_typo(term.word)
        and not known.knows(term)
        and not (term.is_prefix and _completions_of(term, known))
    ]
    return mistyped[:MISTYPED_LIMIT]


def word_splits(word: str) -> list[tuple[str, str]]:
    """Every way to write one word as two: "greentea" is "green tea"; none for an endless word."""
    if len(word) > SPLIT_WORD_LIMIT:
        return []
    last = len(word) - SPLIT_PART_LENGTH
    return [(word[:place], word[place:]) for place in range(SPLIT_PART_LENGTH, last + 1)]


def rank_splits(term: QueryTerm, known: KnownTerms) -> list[tuple[QueryTerm, QueryTerm]]:
    """The ways to write an unknown word as two that are both known, the most frequent first."""
    splits = [
        (QueryTerm(word_forms(one)), QueryTerm(word_forms(other), is_prefix=term.is_prefix))
        for one, other in word_splits(term.word)
    ]
    found = [split for split in splits if all(map(known.knows, split))]
    found.sort(key=lambda split: -min(map(known.document_frequency, split)))
    return found[:SPLITS_LIMIT]


def split_compounds(
    terms: Iterable[QueryTerm], splits: Mapping[QueryTerm, Sequence[QueryTerm]]
) -> list[QueryTerm]:
    """Replaces words by those that they are to be split into."""
    return [part for term in terms for part in splits.get(term, (term,))][:CLAUSES_LIMIT]


def build_plan(
    query: str,
    terms: Sequence[QueryTerm],
    known: KnownTerms,
    corrections: Mapping[str, Sequence[tuple[str, int]]],
    *,
    is_split: bool = False,
) -> QueryPlan:
    """The plan of a query.

    `corrections`: for mistyped words the terms they may be corrected to, with how many documents have each,
    the most frequent first. `is_split`: whether `terms` holds two words that were typed as one.
    """
    clauses = [_clause_of(term, known, corrections.get(term.word, ())) for term in terms]
    for place in _places_of(query_head(query), terms)[-1:]:
        clauses[place] = replace(clauses[place], is_head=True)
    for place, pair in _neighbour_pairs(terms):
        if pair in known.document_frequencies:
            clauses[place : place + 2] = [_with_word(each, pair) for each in clauses[place : place + 2]]
    words = [corrections[term.word][0][0] if corrections.get(term.word) else term.word for term in terms]
    known_code = normalize_code(query) if known.is_code else ""
    corrected = " ".join(words) if is_split or any(corrections.values()) else query.strip()
    return QueryPlan(corrected, hash_query(query), tuple(clauses), known_code)


def _places_of(head: str, terms: Sequence[QueryTerm]) -> list[int]:
    """Where the word that the query is about stands: two that are joined end with it, one that is split
    ends with the last of its parts.
    """
    whole = [place for place, term in enumerate(terms) if head and term.word.endswith(head)]
    return whole or [place for place, term in enumerate(terms) if head.endswith(term.word)]


def _with_word(clause: QueryClause, word: str, share: int = EXPANDED_SHARE) -> QueryClause:
    """The clause that another word matches, too: "smartwatch" is both smart and watch."""
    shares = dict.fromkeys(word_forms(word), share) | dict(clause.terms)
    return replace(clause, terms=tuple(shares.items()))


def add_synonyms(plan: QueryPlan, synonyms: Iterable[Sequence[str]]) -> QueryPlan:
    """The plan where the word that the query is about is found by those that the shop says mean the same.

    Other words are not: of "notebook sleeve" only the sleeve has other names.
    """
    clauses = [_with_synonyms(each, synonyms) if each.is_head else each for each in plan.clauses]
    return replace(plan, clauses=tuple(clauses))


def _with_synonyms(clause: QueryClause, synonyms: Iterable[Sequence[str]]) -> QueryClause:
    own = {term for term, share in clause.terms if share == EXACT_SHARE}
    for group in synonyms:
        runs = [[han + other for han, other in script_runs(each)] for each in group]
        words = [each[0][:WORD_LIMIT] for each in runs if len(each) == 1][:SYNONYMS_LIMIT]
        if any(own.intersection(word_forms(each)) for each in words):
            for each in words:
                clause = _with_word(clause, each, EXACT_SHARE)
    return clause


def _completions_of(term: QueryTerm, known: KnownTerms) -> list[tuple[str, int]]:
    return [each for each in known.completions if each[0].startswith(term.word)]


def _clause_of(term: QueryTerm, known: KnownTerms, corrections: Sequence[tuple[str, int]]) -> QueryClause:
    shares = dict.fromkeys(term.forms, EXACT_SHARE)
    phrases = [Phrase((form,)) for form in term.forms]
    if term.characters:
        phrases.append(Phrase(tuple(term.characters)))
    if may_continue(term, known):
        completions = _completions_of(term, known)
        shares = {word: EXPANDED_SHARE for word, _ in completions} | shares
        # where the index knows few longer words, they are all among the terms
        if known.typing or len(completions) >= COMPLETIONS_LIMIT or not known.knows(term):
            phrases[0] = replace(phrases[0], is_prefix=True)
    if corrections:
        shares |= {word: EXPANDED_SHARE for word, _ in corrections}
        phrases += [Phrase((word,)) for word, _ in corrections]
    return QueryClause(tuple(shares.items()), tuple(phrases))
