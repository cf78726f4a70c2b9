"""One index: documents with versions, and those of them that searches see since the last refresh."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.provider_servers.opensearch.problems import Problem

K1_FACTOR = 2.2
"""k1 + 1, with which the former formula of BM25 multiplies."""

KINDS = {"text", "keyword", "long"}
FIELD_OPTIONS = {"type", "analyzer", "index_options", "doc_values", "index"}
Source = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    kind: str
    is_indexed: bool = True
    has_values: bool = True
    """Whether it can be sorted by and counted."""
    has_positions: bool = True


def read_field(options: Mapping[str, Any]) -> Field:
    if unknown := set(options) - FIELD_OPTIONS:
        raise Problem(400, "mapper_parsing_exception", f"unknown parameters {sorted(unknown)}")
    kind = options["type"]
    if kind not in KINDS:
        raise Problem(400, "mapper_parsing_exception", f"No handler for type [{kind}]")
    if kind == "text" and options.get("analyzer") != "whitespace":
        raise Problem(400, "mapper_parsing_exception", "only the whitespace analyzer is here")
    return Field(
        kind,
        options.get("index", True),
        kind != "text" and options.get("doc_values", True),
        kind == "text" and options.get("index_options", "positions") == "positions",
    )


@dataclass
class Stored:
    source: Source
    version: int
    sequence: int


@dataclass
class Snapshot:
    """What searches see: the terms of each text, and the values of each other field."""

    fields: Mapping[str, Field]
    sources: Mapping[str, Source]

    @cached_property
    def terms(self) -> dict[str, dict[str, list[str]]]:
        """Field -> document -> its terms in their order."""
        found: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for id, source in self.sources.items():
            for name, kind in self.fields.items():
                if kind.kind == "text" and name in source:
                    found[name][id] = [term for text in values_of(source, name) for term in str(text).split()]
        return found

    @cached_property
    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Field -> term -> document -> how often."""
        found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for name, documents in self.terms.items():
            for id, terms in documents.items():
                for term, count in Counter(terms).items():
                    found[name][term][id] = count
        return found

    def field(self, name: str) -> Field | None:
        return self.fields.get(name)

    def values(self, id: str, name: str) -> Sequence[Any]:
        return values_of(self.sources[id], name)


def values_of(source: Source, name: str) -> Sequence[Any]:
    value = source.get(name, [])
    return value if isinstance(value, list) else [value]


@dataclass
class EngineIndex:
    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    is_strict: bool = False
    factor: float = 1.0
    """What all scores of BM25 are multiplied with."""
    aliases: set[str] = field(default_factory=set)
    documents: dict[str, Stored] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    """Versions of documents that are no more."""
    sequence: int = -1
    snapshot: Snapshot = field(init=False)

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        sources = {id: each.source for id, each in self.documents.items()}
        self.snapshot = Snapshot(dict(self.fields), sources)

    def check_source(self, source: Source) -> None:
        for name in source:
            known = self.fields.get(name)
            if known is None and self.is_strict:
                raise Problem(400, "strict_dynamic_mapping_exception", f"[{name}] is not allowed")
            if known and known.kind == "long" and not all(is_long(each) for each in values_of(source, name)):
                raise Problem(400, "mapper_parsing_exception", f"failed to parse field [{name}]")

    def put(self, id: str, source: Source, parameters: Mapping[str, str]) -> tuple[int, Stored]:
        """Status, and the document as it is stored."""
        self.check_source(source)
        known = self.documents.get(id)
        version = self.next_version(id, parameters)
        self.sequence += 1
        self.documents[id] = Stored(source, version, self.sequence)
        self.deleted.pop(id, None)
        return (200 if known else 201), self.documents[id]

    def remove(self, id: str, parameters: Mapping[str, str]) -> int:
        version = self.next_version(id, parameters)
        self.sequence += 1
        self.deleted[id] = version
        return 200 if self.documents.pop(id, None) else 404

    def next_version(self, id: str, parameters: Mapping[str, str]) -> int:
        """The version after this change; a Problem where it is not made."""
        known = self.documents.get(id)
        last = known.version if known else self.deleted.get(id, 0)
        if parameters.get("op_type") == "create" and known:
            raise Problem(409, "version_conflict_engine_exception", "document already exists")
        if "if_seq_no" in parameters:
            expected = (int(parameters["if_seq_no"]), int(parameters["if_primary_term"]))
            if known is None or (known.sequence, 1) != expected:
                raise Problem(409, "version_conflict_engine_exception", "required seqNo does not fit")
        if parameters.get("version_type") == "external_gte":
            given = int(parameters["version"])
            if last > given:
                raise Problem(409, "version_conflict_engine_exception", "a higher version is there")
            return given
        if "version" in parameters or "version_type" in parameters:
            raise Problem(400, "action_request_validation_exception", "internal versioning")
        return last + 1


def is_long(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def matching(names: Iterator[str], pattern: str) -> list[str]:
    """Names that a pattern with `*` at its end stands for."""
    if pattern.endswith("*"):
        return [each for each in names if each.startswith(pattern[:-1])]
    return [each for each in names if each == pattern]
