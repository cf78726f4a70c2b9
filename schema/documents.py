"""Documents that have been found right: parsed and validated once, kept for the next who sends the same."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

DOCUMENTS_LIMIT = 1_000
CHARACTERS_LIMIT = 400_000
"""Of all kept documents together; parsed, they take 100 bytes for each of them, at worst 300."""


V = TypeVar("V")


class Recent(Generic[V]):
    """What was used last, by a text: bounded by number and by size, whatever somebody sends."""

    def __init__(self, *, entries: int, characters: int) -> None:
        self.entries = entries
        self.characters = characters
        self._kept: OrderedDict[str, tuple[V, int]] = OrderedDict()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> V | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: str, value: V, *, size: int) -> None:
        if key in self._kept:
            return
        self._kept[key] = value, size
        self._taken += size
        while len(self._kept) > self.entries or self._taken > self.characters:
            _, (_, freed) = self._kept.popitem(last=False)
            self._taken -= freed


def known_documents() -> "Recent[DocumentNode]":
    """Room for the documents of one schema, each by its whole text."""
    return Recent(entries=DOCUMENTS_LIMIT, characters=CHARACTERS_LIMIT)


class KnownDocuments(SchemaExtension):
    """A document that was right before is neither parsed nor validated again. Wrong ones are not kept."""

    known = False

    def __init__(self, documents: Recent[DocumentNode]) -> None:
        self.documents = documents

    def on_parse(self) -> Iterator[None]:
        operation = self.execution_context
        operation.graphql_document = self.documents.get(operation.query or "")
        self.known = operation.graphql_document is not None
        yield

    def on_validate(self) -> Iterator[None]:
        operation = self.execution_context
        if self.known:
            operation.validation_rules = ()
        yield
        if not self.known and not operation.pre_execution_errors and operation.graphql_document:
            text = operation.query or ""
            self.documents.keep(text, operation.graphql_document, size=len(text))
