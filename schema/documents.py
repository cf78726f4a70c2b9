"""Documents that have been found right: parsed and validated once, kept for the next who sends the same."""

from collections import OrderedDict
from collections.abc import Iterator

from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

DOCUMENTS_LIMIT = 1_000
CHARACTERS_LIMIT = 400_000
"""Of all kept documents together; parsed, they take 100 bytes for each of them, at worst 300."""


class Documents:
    """The documents used last, by their whole text: bounded, whatever somebody sends."""

    def __init__(self, *, documents: int = DOCUMENTS_LIMIT, characters: int = CHARACTERS_LIMIT) -> None:
        self.documents = documents
        self.characters = characters
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, text: str) -> DocumentNode | None:
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
        return found

    def keep(self, text: str, document: DocumentNode) -> None:
        if text in self._kept:
            return
        self._kept[text] = document
        self._taken += len(text)
        while len(self._kept) > self.documents or self._taken > self.characters:
            forgotten, _ = self._kept.popitem(last=False)
            self._taken -= len(forgotten)


class KnownDocuments(SchemaExtension):
    """A document that was right before is neither parsed nor validated again. Wrong ones are not kept."""

    known = False

    def __init__(self, documents: Documents) -> None:
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
            self.documents.keep(operation.query or "", operation.graphql_document)
