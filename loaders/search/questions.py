"""Questions in sentences: the query for what has any of their words."""

from gateways.search import Alternative, Clause, TextQuery
from loaders.search.fields import ARTICLE_BOOSTS, boosts_of
from text.query_parser import QueryTerm
from text.question import parse_question


def question_query(text: str) -> TextQuery | None:
    """The query for articles with any word of a question; None where it has no word to look for."""
    clauses = tuple(clause_of_term(term) for term in parse_question(text))
    return TextQuery(clauses, minimum=1) if clauses else None


def clause_of_term(term: QueryTerm) -> Clause:
    alternatives = [Alternative((form,), boosts_of(form, 1.0, ARTICLE_BOOSTS)) for form in term.forms]
    if term.characters:
        alternatives.append(Alternative(tuple(term.characters), ARTICLE_BOOSTS.han))
    if term.is_prefix:
        alternatives.append(Alternative((term.word,), ARTICLE_BOOSTS.prefixes, is_prefix=True))
    return tuple(alternatives)
