"""The conditions of an index as queries of Tantivy, and its schema."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import tantivy

from gateways.search.protocol import (
    Alternative,
    Clause,
    Filter,
    IdFilter,
    IndexLayout,
    IndexOrder,
    IndexQuery,
    KeywordFilter,
    NumberFilter,
    TextQuery,
)

ID, WORDS, TYPED = "id", "words", "typed"
"""Fields that every index has beside those of its layout."""

CODE_BOOST = 1_000.0

Query = tantivy.Query


@dataclass(frozen=True, slots=True)
class QueryCompiler:
    """Makes the queries of one schema."""

    schema: tantivy.Schema
    states: Mapping[str, tuple[str, ...]]
    is_scored: bool = True

    def compile_unscored(self, query: IndexQuery) -> tantivy.Query:
        """A query that finds the same and says nothing of scores."""
        return replace(self, is_scored=False).compile(query)

    def compile(self, query: IndexQuery, *more: tantivy.Query) -> tantivy.Query:
        """The query of Tantivy; filters do not count in the score."""
        conditions = [each for each in query.filters if not self.is_state(each)]
        filters = [Query.const_score_query(self.filter_query(each), 0.0) for each in conditions]
        filters += [Query.const_score_query(each, 0.0) for each in more]
        text = [self.text_query(query.text)] if query.text else []
        return conjunction([*text, *filters], without=self.other_states(query.filters))

    def is_state(self, condition: Filter) -> bool:
        return isinstance(condition, KeywordFilter) and condition.field in self.states

    def other_states(self, conditions: Sequence[Filter]) -> list[tantivy.Query]:
        """What documents in other states than those asked for have."""
        return [
            Query.term_query(self.schema, each.field, value)
            for each in conditions
            if isinstance(each, KeywordFilter) and each.field in self.states
            for value in self.states[each.field]
            if value not in each.values
        ]

    def text_query(self, text: TextQuery) -> tantivy.Query:
        clauses = [self.clause_query(each) for each in text.clauses]
        if text.minimum is None:
            words = conjunction(clauses)
        else:
            optional = [(tantivy.Occur.Should, each) for each in clauses]
            words = Query.boolean_query(optional, minimum_number_should_match=text.minimum)
        if text.optional and self.is_scored:
            more = [(tantivy.Occur.Should, self.clause_query(each)) for each in text.optional]
            words = Query.boolean_query([(tantivy.Occur.Must, words), *more])
        if text.code is None:
            return words
        code = Query.const_score_query(self.filter_query(text.code), CODE_BOOST)
        return Query.boolean_query([(tantivy.Occur.Should, words), (tantivy.Occur.Should, code)])

    def clause_query(self, clause: Clause) -> tantivy.Query:
        if not self.is_scored:
            return self.find_any(clause)
        return Query.disjunction_max_query([self.alternative_query(each) for each in clause])

    def find_any(self, clause: Clause) -> tantivy.Query:
        """Words that are found anywhere have one list of documents, not one for each field."""
        words = [each.terms[0] for each in clause if each.anywhere]
        others = [self.alternative_query(each) for each in clause if not each.anywhere]
        found = [*(Query.term_query(self.schema, WORDS, word) for word in words), *others]
        return Query.boolean_query([(tantivy.Occur.Should, each) for each in found])

    def alternative_query(self, alternative: Alternative) -> tantivy.Query:
        fields = [
            (tantivy.Occur.Should, Query.boost_query(self.terms_query(name, alternative), boost))
            for name, boost in alternative.boosts.items()
        ]
        return Query.boolean_query(fields)

    def terms_query(self, name: str, alternative: Alternative) -> tantivy.Query:
        if len(alternative.terms) > 1:
            return Query.phrase_query(self.schema, name, list(alternative.terms))
        (term,) = alternative.terms
        if alternative.is_prefix:
            return Query.regex_query(self.schema, name, re.escape(term) + ".*")
        return Query.term_query(self.schema, name, term)

    def filter_query(self, condition: Filter) -> tantivy.Query:
        match condition:
            case KeywordFilter(name, (value,)):
                # a list of documents that is skipped through; that of several values is read whole
                return Query.term_query(self.schema, name, value)
            case KeywordFilter(name, values):
                return Query.term_set_query(self.schema, name, list(values))
            case IdFilter(ids):
                return Query.term_set_query(self.schema, ID, list(ids))
            case NumberFilter():
                return self.number_query(condition)

    def number_query(self, condition: NumberFilter) -> tantivy.Query:
        return Query.range_query(
            self.schema, condition.field, tantivy.FieldType.Integer, condition.low, condition.high
        )

    def beyond(self, order: IndexOrder, number: int) -> tantivy.Query:
        """What follows a number in an order."""
        if order.descending:
            return self.number_query(NumberFilter(order.field, None, number - 1))
        return self.number_query(NumberFilter(order.field, number + 1, None))


def build_schema(layout: IndexLayout) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field(ID, indexed=True, fast=True)
    for name in (WORDS, TYPED):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in layout.texts:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in layout.phrases:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in (*layout.keywords, *layout.counted):
        is_counted = name in layout.counted
        builder.add_text_field(name, tokenizer_name="raw", fast=is_counted, index_option="basic")
    for name in layout.numbers:
        builder.add_integer_field(name, indexed=True, fast=True)
    return builder.build()


def conjunction(queries: Sequence[tantivy.Query], *, without: Sequence[tantivy.Query] = ()) -> tantivy.Query:
    """What all of `queries` find and none of `without` does."""
    if not queries and not without:
        return Query.all_query()
    needed = [(tantivy.Occur.Must, each) for each in queries or [Query.all_query()]]
    return Query.boolean_query([*needed, *((tantivy.Occur.MustNot, each) for each in without)])
