"""GraphQL documents that are parsed and validated once and then reused."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

DOCUMENTS_LIMIT = 1_000
CHARACTERS_LIMIT = 400_000
"""Of all documents in the cache together; parsed, they take 100 bytes for each character, at worst 300."""


V = TypeVar("V")


class RecentlyUsed(Generic[V]):
    """A cache of what was used last, bounded by the number of entries and by the sum of their sizes."""

    def __init__(self, *, entries: int, characters: int) -> None:
        self.entries = entries
        self.characters = characters
        self._entries: OrderedDict[str, tuple[V, int]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def add(self, key: str, value: V, *, size: int) -> None:
        if key in self._entries:
            return
        self._entries[key] = value, size
        self._size += size
        while len(self._entries) > self.entries or self._size > self.characters:
            _, (_, freed) = self._entries.popitem(last=False)
            self._size -= freed


def new_document_cache() -> "RecentlyUsed[DocumentNode]":
    """A cache for the documents of one schema, by their text."""
    return RecentlyUsed(entries=DOCUMENTS_LIMIT, characters=CHARACTERS_LIMIT)


class ReuseDocuments(SchemaExtension):
    """Parses and validates a document only the first time. Invalid ones are not cached."""

    cached = False

    def __init__(self, documents: RecentlyUsed[DocumentNode]) -> None:
        self.documents = documents

    def on_parse(self) -> Iterator[None]:
        operation = self.execution_context
        operation.graphql_document = self.documents.get(operation.query or "")
        self.cached = operation.graphql_document is not None
        yield

    def on_validate(self) -> Iterator[None]:
        operation = self.execution_context
        if self.cached:
            operation.validation_rules = ()
        yield
        if not self.cached and not operation.pre_execution_errors and operation.graphql_document:
            text = operation.query or ""
            self.documents.add(text, operation.graphql_document, size=len(text))
