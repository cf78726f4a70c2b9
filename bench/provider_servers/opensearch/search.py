"""Searches over one index: BM25, filters, orders and aggregations."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.provider_servers.opensearch.index import EngineIndex, Snapshot
from bench.provider_servers.opensearch.problems import Problem, bad_request

K1, B = 1.2, 0.75
SIZE_LIMIT = 10_000
LAST, FIRST = 2**63 - 1, -(2**63)
BODY_KEYS = {"size", "track_total_hits", "_source", "query", "sort", "search_after", "aggregations"}
UNESCAPED = re.compile(r'(?<!\\)[~#@&<>"{}\[\]]')
"""Signs that mean something in a regular expression of Lucene; none of ours needs them."""
REGEX_LIMIT = 1_000

Scores = dict[str, float]


class Search:
    """The execution of queries on what an index shows."""

    def __init__(self, index: EngineIndex) -> None:
        self.index = index
        self.shown: Snapshot = index.snapshot

    def run(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := set(body) - BODY_KEYS:
            raise bad_request(f"Unknown key for a value in [{sorted(unknown)}]")
        if body.get("size", 10) > SIZE_LIMIT:
            raise Problem(400, "illegal_argument_exception", "Result window is too large")
        scores = self.scores(body["query"]) if "query" in body else self.all_documents()
        hits = self.list_hits(scores, body)
        answer: dict[str, Any] = {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
            "hits": {"hits": hits},
        }
        if body.get("track_total_hits", True):
            answer["hits"]["total"] = {"value": len(scores), "relation": "eq"}
        if "aggregations" in body:
            answer["aggregations"] = {
                name: self.aggregate(list(scores), each) for name, each in body["aggregations"].items()
            }
        return answer

    # --- queries

    def all_documents(self) -> Scores:
        return dict.fromkeys(self.shown.sources, 1.0)

    def scores(self, query: Mapping[str, Any]) -> Scores:
        """What each document that matches scores."""
        ((kind, content),) = query.items()
        try:
            return getattr(self, f"score_{kind}")(content)  # type: ignore[no-any-return]
        except AttributeError:
            raise bad_request(f"unknown query [{kind}]") from None

    def score_match_all(self, content: Mapping[str, Any]) -> Scores:
        return self.all_documents()

    def score_match_none(self, content: Mapping[str, Any]) -> Scores:
        return {}

    def score_bool(self, content: Mapping[str, Any]) -> Scores:
        if unknown := set(content) - {"must", "filter", "should", "minimum_should_match"}:
            raise bad_request(f"[bool] query does not support {sorted(unknown)}")
        must = [self.scores(each) for each in content.get("must", ())]
        required = [self.scores(each) for each in content.get("filter", ())]
        should = [self.scores(each) for each in content.get("should", ())]
        found = set(self.shown.sources)
        for each in (*must, *required):
            found &= each.keys()
        least = content.get("minimum_should_match", 1 if should and not (must or required) else 0)
        return {
            id: sum(each.get(id, 0.0) for each in (*must, *should))
            for id in found
            if sum(id in each for each in should) >= least
        }

    def score_dis_max(self, content: Mapping[str, Any]) -> Scores:
        found: Scores = {}
        for query in content["queries"]:
            for id, score in self.scores(query).items():
                found[id] = max(score, found.get(id, 0.0))
        return found

    def score_constant_score(self, content: Mapping[str, Any]) -> Scores:
        return dict.fromkeys(self.scores(content["filter"]), content.get("boost", 1.0))

    def score_term(self, content: Mapping[str, Any]) -> Scores:
        name, value, boost = read_value(content)
        field = self.shown.field(name)
        if field is None:
            return {}
        if field.kind == "text":
            return self.rank(name, self.shown.counts[name].get(value, {}), boost)
        return {id: boost for id in self.shown.sources if value in self.shown.values(id, name)}

    def score_terms(self, content: Mapping[str, Any]) -> Scores:
        ((name, values),) = content.items()
        given = set(values)
        return {id: 1.0 for id in self.shown.sources if given.intersection(self.shown.values(id, name))}

    def score_match_phrase(self, content: Mapping[str, Any]) -> Scores:
        ((name, phrase),) = content.items()
        field = self.shown.field(name)
        if field is None:
            return {}
        if not field.has_positions:
            raise Problem(400, "illegal_state_exception", f"[{name}] was indexed without position data")
        terms = phrase["query"].split()
        found = {
            id: count for id, words in self.shown.terms[name].items() if (count := count_phrase(words, terms))
        }
        idf = sum(self.idf(name, len(self.shown.counts[name].get(term, {}))) for term in terms)
        return self.rank(name, found, phrase.get("boost", 1.0), idf=idf)

    def score_prefix(self, content: Mapping[str, Any]) -> Scores:
        name, value, boost = read_value(content)
        return self.match_words(name, lambda word: word.startswith(value), boost)

    def score_regexp(self, content: Mapping[str, Any]) -> Scores:
        name, value, boost = read_value(content)
        pattern = read_regex(value)
        return self.match_words(name, lambda word: bool(pattern.fullmatch(word)), boost)

    def score_range(self, content: Mapping[str, Any]) -> Scores:
        ((name, ends),) = content.items()
        low, high = ends.get("gte", FIRST), ends.get("lte", LAST)
        return {
            id: 1.0
            for id in self.shown.sources
            if any(low <= number <= high for number in self.shown.values(id, name))
        }

    def score_exists(self, content: Mapping[str, Any]) -> Scores:
        return {id: 1.0 for id in self.shown.sources if self.shown.values(id, content["field"])}

    def match_words(self, name: str, is_match: Callable[[str], bool], boost: float) -> Scores:
        field = self.shown.field(name)
        if field is None:
            return {}
        if field.kind == "text":
            counts = self.shown.counts[name]
            return {id: boost for word in counts if is_match(word) for id in counts[word]}
        return {id: boost for id in self.shown.sources if any(map(is_match, self.shown.values(id, name)))}

    def idf(self, name: str, documents: int) -> float:
        total = len(self.shown.terms[name])
        return math.log(1 + (total - documents + 0.5) / (documents + 0.5))

    def rank(self, name: str, counts: Mapping[str, int], boost: float, *, idf: float | None = None) -> Scores:
        """BM25 of documents in which a term or phrase occurs."""
        if not counts:
            return {}
        lengths = {id: len(words) for id, words in self.shown.terms[name].items()}
        average = sum(lengths.values()) / len(lengths)
        weight = boost * self.index.factor * (self.idf(name, len(counts)) if idf is None else idf)
        return {
            id: weight * count / (count + K1 * (1 - B + B * lengths[id] / average))
            for id, count in counts.items()
        }

    # --- orders and aggregations

    def list_hits(self, scores: Scores, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        orders = [next(iter(each.items())) for each in body.get("sort", [{"_score": "desc"}])]
        for name, _ in orders:
            if name != "_score":
                self.check_values(name)
        signs = [-1 if direction == "desc" else 1 for _, direction in orders]
        keys = {id: [self.sort_value(id, scores[id], *order) for order in orders] for id in scores}

        def place(values: Sequence[float]) -> list[float]:
            return [sign * value for sign, value in zip(signs, values, strict=True)]

        ordered = sorted(keys, key=lambda id: place(keys[id]))
        if "search_after" in body:
            after = place(body["search_after"])
            ordered = [id for id in ordered if place(keys[id]) > after]
        return [
            {"_index": self.index.name, "_id": id, "sort": keys[id]} for id in ordered[: body.get("size", 10)]
        ]

    def sort_value(self, id: str, score: float, name: str, direction: str) -> float:
        if name == "_score":
            return score
        numbers = self.shown.values(id, name)
        if not numbers:
            return FIRST if direction == "desc" else LAST
        return max(numbers) if direction == "desc" else min(numbers)  # type: ignore[no-any-return]

    def check_values(self, name: str) -> None:
        field = self.shown.field(name)
        if field is None:
            raise Problem(400, "query_shard_exception", f"No mapping found for [{name}]")
        if not field.has_values:
            raise Problem(400, "illegal_argument_exception", f"[{name}] has no doc values")

    def aggregate(self, ids: Sequence[str], content: Mapping[str, Any]) -> dict[str, Any]:
        ((kind, options),) = content.items()
        if kind == "filters":
            among = set(ids)
            return {
                "buckets": {
                    name: {"doc_count": len(among & self.scores(query).keys())}
                    for name, query in options["filters"].items()
                }
            }
        name = options["field"]
        self.check_values(name)
        if kind == "terms":
            pattern = read_regex(options["include"]) if "include" in options else None
            counts = Counter(value for id in ids for value in set(self.shown.values(id, name)))
            found = [
                {"key": key, "doc_count": count}
                for key, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
                if pattern is None or pattern.fullmatch(key)
            ]
            return {"doc_count_error_upper_bound": 0, "buckets": found[: options["size"]]}
        if kind in {"min", "max"}:
            numbers = [number for id in ids for number in self.shown.values(id, name)]
            choose = min if kind == "min" else max
            return {"value": float(choose(numbers)) if numbers else None}
        raise bad_request(f"Unknown aggregation type [{kind}]")


def read_value(content: Mapping[str, Any]) -> tuple[str, Any, float]:
    """Field, value and boost of a query of one field."""
    ((name, given),) = content.items()
    if not isinstance(given, dict):
        return name, given, 1.0
    return name, given["value"], given.get("boost", 1.0)


def read_regex(text: str) -> re.Pattern[str]:
    if UNESCAPED.search(text) or len(text) > REGEX_LIMIT:
        raise Problem(400, "illegal_argument_exception", "the expression is not understood or too long")
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        raise Problem(400, "illegal_argument_exception", "the expression is not understood") from None


def count_phrase(words: Sequence[str], terms: Sequence[str]) -> int:
    """How often terms stand next to each other."""
    size = len(terms)
    return sum(list(words[place : place + size]) == list(terms) for place in range(len(words) - size + 1))
