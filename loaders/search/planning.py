"""Query planning: looks up words among the indexed terms, corrects typos, completes the last word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gateways.search import Alternative, Filter, IndexQuery, KeywordFilter, SearchIndex, TextQuery
from loaders.search.fields import CODE, PRODUCT_BOOSTS, WRITTEN, FieldBoosts, text_query
from text import normalize_code
from text.query_parser import (
    CORRECTIONS_LIMIT,
    KnownTerms,
    QueryTerm,
    add_synonyms,
    build_plan,
    find_mistyped,
    join_known_pairs,
    parse_query,
    rank_splits,
    split_compounds,
    split_mixed,
    word_parts,
    word_splits,
    words_to_look_up,
)
from text.query_plan import CLAUSES_LIMIT, COMPLETIONS_LIMIT, QueryPlan
from text.stemmer import word_forms
from text.typo_tolerance import is_likely_typo

CLOSE_LIMIT = 12
"""Words one typing error away, of which the likely ones are taken."""


async def plan_query(
    index: SearchIndex, query: str, *, typing: bool = False, synonyms: Sequence[Sequence[str]] = ()
) -> QueryPlan | None:
    """The plan of a query; None when there is no word in it.

    `typing`: the query is still being typed, so even a short known word may go on. `synonyms`: words that the
    shop says mean the same.
    """
    plan = await plan_typed_query(index, query, typing=typing)
    return plan and add_synonyms(plan, synonyms)


async def plan_typed_query(index: SearchIndex, query: str, *, typing: bool) -> QueryPlan | None:
    """The plan of the words of a query alone."""
    terms = parse_query(query)
    if not terms:
        return None
    known = replace(await _load_known_terms(index, query, terms), typing=typing)
    apart = split_mixed(join_known_pairs(terms, known), known)
    apart = [part for term in apart for part in await _find_parts(index, term, known)][:CLAUSES_LIMIT]
    if apart != terms:
        more = await index.frequencies(words_to_look_up(apart))
        known = replace(known, document_frequencies={**known.document_frequencies, **more})
    terms = apart
    mistyped = find_mistyped(terms, known)
    corrections = {term.word: await _corrections_of(index, term, typing=typing) for term in mistyped}
    unknown = [term for term in mistyped if not corrections[term.word]]
    if not unknown:
        return build_plan(query, terms, known, corrections)
    frequencies = {**known.document_frequencies, **await _load_split_frequencies(index, unknown)}
    known = replace(known, document_frequencies=frequencies)
    split = split_compounds(terms, {term: await _find_split(index, term, known) for term in unknown})
    return build_plan(query, split, known, corrections, is_split=len(split) > len(terms))


async def plan_partial_match(
    index: SearchIndex, plan: QueryPlan, *visible: Filter, boosts: FieldBoosts = PRODUCT_BOOSTS
) -> QueryPlan | None:
    """The plan that also takes rows with only some of the words: as many as the best one has.

    None where a visible row has all the words, or none has any.
    """

    async def matches(minimum: int | None) -> bool:
        text = text_query(replace(plan, minimum_should_match=minimum), boosts)
        return await index.count(IndexQuery(text, visible)) > 0

    if await matches(None):
        return None
    for minimum in plan.partial_minimums:
        if await matches(minimum):
            return replace(plan, minimum_should_match=minimum)
    return None


FEW_MATCHES = 10
"""Rows with all the words below which others with some of them are shown, too: about a first page."""


async def plan_filled_match(index: SearchIndex, plan: QueryPlan, visible: Filter) -> QueryPlan | None:
    """The plan that also takes rows with fewer of the words, at least half, until FEW_MATCHES are found.

    None where enough rows have all the words, or none has half of them.
    """

    async def count_matches(minimum: int | None) -> int:
        text = text_query(replace(plan, minimum_should_match=minimum))
        return await index.count(IndexQuery(text, (visible,)))

    found = full = await count_matches(None) if len(plan.clauses) > 1 and not plan.code else FEW_MATCHES
    filled = None
    for minimum in plan.partial_minimums:
        if found >= FEW_MATCHES or 2 * minimum < len(plan.words):
            break
        found = await count_matches(minimum)
        filled = replace(plan, minimum_should_match=minimum) if found > full else None
    return filled


async def _load_split_frequencies(index: SearchIndex, unknown: Iterable[QueryTerm]) -> Mapping[str, int]:
    """How many products have each of the words that unknown words may be split into."""
    return await index.frequencies(
        {
            form
            for term in unknown
            for parts in word_splits(term.word)
            for part in parts
            for form in word_forms(part)
        }
    )


async def _load_known_terms(index: SearchIndex, query: str, terms: Sequence[QueryTerm]) -> KnownTerms:
    """What the index knows of the words, of the whole query as a code, and what the last word may become."""
    code = normalize_code(query)
    has_codes = CODE in index.layout.keywords
    is_code = has_codes and await index.count(IndexQuery(filters=(KeywordFilter(CODE, (code,)),))) > 0
    prefix = terms[-1].word if terms[-1].is_prefix else ""
    return KnownTerms(
        document_frequencies=await index.frequencies(words_to_look_up(terms)),
        completions=await index.completions(prefix, limit=COMPLETIONS_LIMIT) if prefix else (),
        is_code=is_code,
    )


async def _find_split(index: SearchIndex, term: QueryTerm, known: KnownTerms) -> Sequence[QueryTerm]:
    """The two words that an unknown one is of: "greentea" is green tea where a document has both.

    Pinyin and codes do not count: "mat" of one product and "cha" of all tea are no "matcha".
    """
    fields = {name: 1.0 for name in index.layout.texts if name in WRITTEN}
    for split in rank_splits(term, known):
        clauses = tuple(tuple(Alternative((form,), fields) for form in part.forms) for part in split)
        if await index.count(IndexQuery(TextQuery(clauses))) > 0:
            return split
    return (term,)


async def _find_parts(index: SearchIndex, term: QueryTerm, known: KnownTerms) -> Sequence[QueryTerm]:
    """The words that a Chinese word is made of, where no document has the whole one; else the word itself."""
    parts = word_parts(term.word) if term.characters and not known.knows(term) else []
    if not parts:
        return (term,)
    whole = Alternative(tuple(term.characters), dict.fromkeys(index.layout.phrases, 1.0))
    if await index.count(IndexQuery(TextQuery(((whole,),)))) > 0:
        return (term,)
    return [QueryTerm((part,), characters=part) for part in parts]


async def _corrections_of(index: SearchIndex, term: QueryTerm, *, typing: bool) -> Sequence[tuple[str, int]]:
    """What a mistyped word may mean, the likeliest first.

    While it is being typed, it may also be the beginning of a longer word with a typo; of a finished one
    that would be two guesses at once.
    """
    close = await index.corrections(term.word, limit=CLOSE_LIMIT)
    found = [each for each in close if is_likely_typo(term.word, each[0])][:CORRECTIONS_LIMIT]
    if not found and typing and term.is_prefix:
        found = list(await index.corrections(term.word, limit=CORRECTIONS_LIMIT, is_prefix=True))
    return await _write_out_stem(index, found) if found else ()


async def _write_out_stem(index: SearchIndex, found: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
    """Corrections that begin with a word which somebody wrote: with "coffee" in place of its stem "coffe"."""
    stem, frequency = found[0]
    longer = await index.completions(stem, limit=COMPLETIONS_LIMIT)
    written = [each for each in longer if word_forms(each[0])[-1] == stem]
    if sum(count for _, count in written) < frequency:
        return found
    return [written[0], *(each for each in found if each != written[0])]
