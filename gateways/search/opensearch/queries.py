"""The conditions of an index as JSON of OpenSearch, and the settings and fields of an index."""

import re
from collections.abc import Iterable, Iterator, Sequence

from gateways.search.opensearch.api import Body
from gateways.search.protocol import (
    Alternative,
    Clause,
    Filter,
    IdFilter,
    IndexDocument,
    IndexLayout,
    IndexQuery,
    KeywordFilter,
    NumberFilter,
    TextQuery,
    ValueCount,
)

ID, WORDS, TYPED, POSITION = "id", "words", "typed", "position"
"""Fields that every index has beside those of its layout."""

POSITION_ID = "position"
"""The id of the document that holds the position; it has no number in the field ID."""

CODE_BOOST = 1_000.0

CLOSE_PLACES = 8
"""Places of a typing error that one regular expression is about."""

MOST_FIRST = [{"_count": "desc"}, {"_key": "asc"}]

SIMILARITIES = ("LegacyBM25", "BM25")
"""The same formula by its name since version 3 of the engine, and before. What is called BM25 since then
leaves out a constant factor: words would weigh less against unfinished ones than in the embedded index.
"""

SPECIAL = re.compile(r"([^\w])")


def query_json(query: IndexQuery) -> Body:
    """Filters do not count in the score. A query of nothing finds all but the position."""
    filters = [filter_json(each) for each in query.filters]
    if not query.text and not filters:
        filters = [{"exists": {"field": ID}}]
    return {"bool": {"must": [text_json(query.text)] if query.text else [], "filter": filters}}


def text_json(text: TextQuery) -> Body:
    clauses = [clause_json(each) for each in text.clauses]
    if text.minimum is None:
        words: Body = {"bool": {"must": clauses}}
    else:
        words = {"bool": {"should": clauses, "minimum_should_match": text.minimum}}
    if text.optional:
        words = {"bool": {"must": [words], "should": [clause_json(each) for each in text.optional]}}
    if text.code is None:
        return words
    code = {"constant_score": {"filter": filter_json(text.code), "boost": CODE_BOOST}}
    return {"bool": {"should": [words, code], "minimum_should_match": 1}}


def clause_json(clause: Clause) -> Body:
    return {"dis_max": {"queries": [alternative_json(each) for each in clause], "tie_breaker": 0.0}}


def alternative_json(alternative: Alternative) -> Body:
    fields = [field_json(name, alternative, boost) for name, boost in alternative.boosts.items()]
    return {"bool": {"should": fields, "minimum_should_match": 1}}


def field_json(name: str, alternative: Alternative, boost: float) -> Body:
    if len(alternative.terms) > 1:
        return {"match_phrase": {name: {"query": " ".join(alternative.terms), "boost": boost}}}
    (term,) = alternative.terms
    kind = "prefix" if alternative.is_prefix else "term"
    return {kind: {name: {"value": term, "boost": boost}}}


def filter_json(condition: Filter) -> Body:
    match condition:
        case KeywordFilter(name, values):
            return {"terms": {name: list(values)}} if values else {"match_none": {}}
        case IdFilter(ids):
            return {"terms": {ID: list(ids)}} if ids else {"match_none": {}}
        case NumberFilter(name, low, high):
            ends = {"gte": low, "lte": high}
            return {"range": {name: {end: value for end, value in ends.items() if value is not None}}}


def count_json(count: ValueCount) -> Body:
    terms: dict[str, object] = {
        "field": count.field,
        "size": count.limit,
        "order": MOST_FIRST,
    }
    if count.prefix:
        terms["include"] = escape_regex(count.prefix) + ".*"
    return {"terms": terms}


def words_json(expressions: Sequence[str], limit: int) -> Body:
    """The most frequent words that each expression matches, out of the documents that have any such word."""
    queries = [{"regexp": {TYPED: {"value": each, "flags": "NONE"}}} for each in expressions]
    terms = {"field": TYPED, "size": limit, "execution_hint": "map", "order": MOST_FIRST}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": [{"bool": {"should": queries, "minimum_should_match": 1}}]}},
        "aggregations": {
            f"words{place}": {"terms": {**terms, "include": each}} for place, each in enumerate(expressions)
        },
    }


def close_expressions(word: str, *, is_prefix: bool) -> list[str]:
    """Expressions for words one typing error away: a letter too many, too few, wrong, or two swapped.

    Each is about a few places of the word: the engine refuses expressions that are too complex.
    """
    end = ".*" if is_prefix else ""
    return [
        f"({'|'.join(close_at(word, range(start, min(start + CLOSE_PLACES, len(word) + 1))))}){end}"
        for start in range(0, len(word) + 1, CLOSE_PLACES)
    ]


def close_at(word: str, places: Iterable[int]) -> Iterator[str]:
    for place in places:
        before, after = escape_regex(word[:place]), word[place:]
        yield f"{before}.{escape_regex(after)}"
        if after:
            yield f"{before}.?{escape_regex(after[1:])}"
        if len(after) > 1:
            yield before + escape_regex(after[1] + after[0] + after[2:])


def escape_regex(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def index_json(layout: IndexLayout, *, similarity: str, write_alias: str) -> Body:
    """Settings and fields of an index; terms come analyzed, so that blanks are all that divides them."""
    fields: dict[str, object] = {
        ID: {"type": "long"},
        WORDS: {"type": "keyword"},
        TYPED: {"type": "keyword"},
        POSITION: {"type": "keyword", "index": False, "doc_values": False},
    }
    for name in layout.texts:
        fields[name] = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
    for name in layout.phrases:
        fields[name] = {"type": "text", "analyzer": "whitespace", "index_options": "positions"}
    for name in layout.keywords:
        fields[name] = {"type": "keyword", "doc_values": False}
    for name in layout.counted:
        fields[name] = {"type": "keyword"}
    for name in layout.numbers:
        fields[name] = {"type": "long"}
    return {
        "settings": {
            "index": {
                "number_of_shards": 1,
                "auto_expand_replicas": "0-1",
                "refresh_interval": -1,
                "similarity": {"default": {"type": similarity, "k1": 1.2, "b": 0.75}},
            }
        },
        "mappings": {"dynamic": "strict", "_source": {"includes": [POSITION]}, "properties": fields},
        "aliases": {write_alias: {}},
    }


def document_json(document: IndexDocument) -> Body:
    found: dict[str, object] = {ID: document.id, WORDS: list(document.words), TYPED: list(document.typed)}
    found |= {name: text for name, text in document.texts.items() if text}
    found |= {name: list(values) for name, values in document.keywords.items() if values}
    found |= {name: list(values) for name, values in document.numbers.items() if values}
    return found


def bulk_lines(
    documents: Sequence[IndexDocument], deleted: Sequence[int], *, term: int
) -> list[tuple[Body, ...]]:
    """The lines of each change, with the writer's term as version: one of a later term is not overwritten."""
    version = {"version": term, "version_type": "external_gte"}
    lines: list[tuple[Body, ...]] = [({"delete": {"_id": str(id), **version}},) for id in deleted]
    lines += [({"index": {"_id": str(each.id), **version}}, document_json(each)) for each in documents]
    return lines
