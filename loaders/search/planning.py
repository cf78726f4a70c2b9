"""Query planning: looks up words among the indexed terms, corrects typos, completes the last word."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import String

from models import IndexedTerm, ProductTerm, TermDeletion
from models.database import Reads
from models.sql.dialects import dialect_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import PreparedSelect, fetch_rows
from text import ALL_DOCUMENTS, CODE_PREFIX, normalize_code
from text.query_parser import (
    CORRECTIONS_LIMIT,
    KnownTerms,
    QueryTerm,
    build_plan,
    find_mistyped,
    join_known_pairs,
    parse_query,
    split_compounds,
    word_splits,
    words_to_look_up,
)
from text.query_plan import COMPLETIONS_LIMIT, QueryPlan
from text.stemmer import word_forms
from text.typo_tolerance import deletion_variants, one_edit_away, prefix_one_edit_away

LAST_CHARACTER = "\U0010ffff"
"""Sorts after every other character: all words with a prefix sort before the prefix followed by it."""

CANDIDATES_LIMIT = 200
"""Indexed terms that are compared with one mistyped word."""


async def plan_query(reads: Reads, query: str, *, typing: bool = False) -> QueryPlan | None:
    """The plan of a query; None when there is no word in it.

    `typing`: the query is still being typed, so even a short known word may go on.
    """
    terms = parse_query(query)
    if not terms:
        return None
    known = replace(await _load_known_terms(reads, query, terms), typing=typing)
    terms = join_known_pairs(terms, known)
    mistyped = find_mistyped(terms, known)
    corrections = await _load_corrections(reads, mistyped) if mistyped else {}
    unknown = [term for term in mistyped if not corrections[term.word]]
    if not unknown:
        return build_plan(query, terms, known, corrections)
    frequencies = {**known.document_frequencies, **await _load_split_frequencies(reads, unknown)}
    known = replace(known, document_frequencies=frequencies)
    split = split_compounds(terms, known, unknown)
    return build_plan(query, split, known, corrections, is_split=len(split) > len(terms))


async def _load_split_frequencies(reads: Reads, unknown: Iterable[QueryTerm]) -> dict[str, int]:
    """How many products have each of the words that unknown words may be split into."""
    words = {
        form
        for term in unknown
        for parts in word_splits(term.word)
        for part in parts
        for form in word_forms(part)
    }
    dialect = dialect_of(reads)
    rows = await fetch_rows(
        reads,
        _terms_statement(with_completions=False, dialect=dialect),
        words=encode_values(sorted(words), dialect),
        code=CODE_PREFIX,
    )
    return {term: products for kind, term, products in rows if kind == "word"}


async def _load_known_terms(reads: Reads, query: str, terms: Sequence[QueryTerm]) -> KnownTerms:
    """One statement: the words, the completions of the last one, and whether the whole query is a code."""
    dialect = dialect_of(reads)
    prefix = terms[-1].word if terms[-1].is_prefix else ""
    rows = await fetch_rows(
        reads,
        _terms_statement(with_completions=bool(prefix), dialect=dialect),
        words=encode_values(sorted({*words_to_look_up(terms), ALL_DOCUMENTS}), dialect),
        code=CODE_PREFIX + normalize_code(query),
        prefix=prefix,
        prefix_end=prefix + LAST_CHARACTER,
    )
    by_kind: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for kind, term, products in rows:
        by_kind[kind][term] = products
    counts = by_kind["word"]
    return KnownTerms(
        document_frequencies={term: count for term, count in counts.items() if term != ALL_DOCUMENTS},
        completions=sorted(by_kind["completion"].items(), key=lambda each: (-each[1], each[0])),
        codes=frozenset(by_kind["code"]),
        document_count=counts.get(ALL_DOCUMENTS, 0),
    )


@cache
def _terms_statement(*, with_completions: bool, dialect: str) -> PreparedSelect:
    """Rows (kind, term, number of products); of a code the last column is the id of its product."""
    kinds = {
        kind: literal_column(f"'{kind}'", String).label("kind") for kind in ("word", "code", "completion")
    }
    words = select(kinds["word"], IndexedTerm.term, IndexedTerm.product_count).where(
        is_among(IndexedTerm.term, "words", dialect)
    )
    codes = select(kinds["code"], ProductTerm.term, ProductTerm.product_id).where(
        ProductTerm.term == bindparam("code", None, String)
    )
    parts = [words, codes.limit(literal_column("1")).subquery("codes").select()]
    if with_completions:
        prefix, prefix_end = bindparam("prefix", None, String), bindparam("prefix_end", None, String)
        completions = (
            select(kinds["completion"], IndexedTerm.term, IndexedTerm.product_count)
            .where(IndexedTerm.term > prefix, IndexedTerm.term < prefix_end)
            .order_by(IndexedTerm.product_count.desc(), IndexedTerm.term)
            .limit(literal_column(str(COMPLETIONS_LIMIT)))
        )
        parts.append(completions.subquery("completions").select())
    return PreparedSelect(union_all(*parts), dialect)


async def _load_corrections(
    reads: Reads, mistyped: Iterable[QueryTerm]
) -> Mapping[str, Sequence[tuple[str, int]]]:
    """Mistyped word -> terms it may be corrected to and their numbers of products, most frequent first."""
    async with reads() as session:
        return {term.word: await _corrections_of(session, term) for term in mistyped}


async def _corrections_of(session: AsyncSession, term: QueryTerm) -> Sequence[tuple[str, int]]:
    variants = sorted(deletion_variants(term.word))
    candidates = await _load_candidates(session, TermDeletion.deletion.in_(variants))
    corrections = one_edit_away(term.word, candidates)
    if not corrections and term.is_prefix:
        begins_with_variant = [
            and_(TermDeletion.deletion >= each, TermDeletion.deletion < each + LAST_CHARACTER)
            for each in variants
        ]
        candidates = await _load_candidates(session, or_(*begins_with_variant))
        corrections = prefix_one_edit_away(term.word, candidates)
    return [(word, candidates[word]) for word in corrections[:CORRECTIONS_LIMIT]]


async def _load_candidates(session: AsyncSession, condition: ColumnElement[bool]) -> Mapping[str, int]:
    """Indexed terms with a deletion variant for which the condition holds, and their numbers of products."""
    rows = await session.execute(
        select(IndexedTerm.term, IndexedTerm.product_count)
        .where(IndexedTerm.term.in_(select(TermDeletion.term).where(condition)))
        .order_by(IndexedTerm.product_count.desc(), IndexedTerm.term)
        .limit(CANDIDATES_LIMIT)
    )
    return {term: products for term, products in rows}  # noqa: C416 - a Row is a tuple only at run time
