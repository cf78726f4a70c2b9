"""Questions in sentences: the query for what has any of their words, and how much of it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateways.search import Alternative, Clause, TextQuery
from loaders.search.fields import DESCRIPTION, KEYWORDS, OTHER_HAN, QUESTIONS, QUESTIONS_HAN, TITLE, TITLE_HAN
from text.query_parser import QueryTerm
from text.question import TERMS_LIMIT, fold_group, fold_words, parse_question, question_pairs

WORDS: Mapping[str, float] = {TITLE: 1.0, KEYWORDS: 0.7, QUESTIONS: 1.0, DESCRIPTION: 0.3}
HAN: Mapping[str, float] = {TITLE_HAN: 0.7, QUESTIONS_HAN: 0.7, OTHER_HAN: 0.2}
PAIRS: Mapping[str, float] = {TITLE_HAN: 0.35, QUESTIONS_HAN: 0.35, OTHER_HAN: 0.1}
"""What a word counts in each field: as a word, as its characters, as two neighbouring characters."""

SYNONYM_SHARE = 0.7
"""What a word counts that only means the same."""

Synonyms = Sequence[Sequence[str]]
"""Groups of words that mean the same."""


def question_query(text: str, synonyms: Synonyms = ()) -> TextQuery | None:
    """The query for articles with any word of a question; None where it has no word to look for."""
    clauses = [clause_of_term(term) for term in parse_question(text)]
    clauses += [(Alternative(pair, PAIRS),) for pair in question_pairs(text)]
    clauses += synonym_clauses(text, synonyms)
    return TextQuery(tuple(clauses), minimum=1) if clauses else None


def context_query(texts: Sequence[str]) -> TextQuery | None:
    """The query for articles that have any word of what is known besides the question."""
    terms = {term.forms: term for text in texts for term in parse_question(text)}
    clauses = [clause_of_term(replace(term, is_prefix=False)) for term in list(terms.values())[:TERMS_LIMIT]]
    return TextQuery(tuple(clauses), minimum=1) if clauses else None


def clause_of_term(term: QueryTerm) -> Clause:
    alternatives = [Alternative((form,), WORDS) for form in term.forms]
    if term.characters:
        alternatives.append(Alternative(tuple(term.characters), HAN))
    if term.is_prefix:
        alternatives.append(Alternative((term.word,), scaled(WORDS, 0.5), is_prefix=True))
    return tuple(alternatives)


def synonym_clauses(text: str, synonyms: Synonyms) -> list[Clause]:
    """A clause for each group of which the question has a word: any other word of it."""
    asked: str = fold_words(text)
    found: list[Clause] = []
    for group in synonyms:
        folded = fold_group(tuple(group))
        if not any(word in asked for word in folded):
            continue
        others = [word for word, key in zip(group, folded, strict=True) if key not in asked]
        alternatives = tuple(
            Alternative(each.terms, scaled(each.boosts, SYNONYM_SHARE))
            for word in others
            for term in parse_question(word)
            for each in clause_of_term(term)
            if not each.is_prefix
        )
        if alternatives:
            found.append(alternatives)
    return found


def scaled(boosts: Mapping[str, float], share: float) -> dict[str, float]:
    return {name: boost * share for name, boost in boosts.items()}
