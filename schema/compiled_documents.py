"""GraphQL documents that are parsed, limited and validated once and then reused."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationType, parse, specified_rules, validate
from graphql.validation import OverlappingFieldsCanBeMergedRule
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.limits.document import Operations, weigh_document
from schema.limits.overlap import MergeableFieldsRule
from schema.limits.prices import collect_prices
from schema.limits.text import check_text

DOCUMENTS_LIMIT = 1_000
CHARACTERS_LIMIT = 400_000
"""Of all documents in the cache together; parsed, they take 100 bytes for each character, at worst 300."""

ERRORS_LIMIT = 5
"""Errors of one document that are told; a client mends one after the other."""

RULES = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    MergeableFieldsRule,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)

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


@dataclass(frozen=True, slots=True)
class LimitedDocument:
    """A parsed document whose text and structure are within the limits."""

    node: DocumentNode
    operations: Operations


class Documents:
    """Reads the documents of one schema; those that are valid are kept."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._prices = collect_prices(schema)
        roots = {each: schema.get_root_type(each) for each in OperationType}
        self._roots = {operation: root.name for operation, root in roots.items() if root}
        self._valid: RecentlyUsed[LimitedDocument] = RecentlyUsed(
            entries=DOCUMENTS_LIMIT, characters=CHARACTERS_LIMIT
        )

    def get(self, text: str) -> DocumentNode | None:
        """The document of this text, if it is known to be valid."""
        document = self._valid.get(text)
        return document.node if document else None

    def read(self, text: str) -> LimitedDocument:
        """The document of this text, valid or not; raises OperationRefused or GraphQLSyntaxError."""
        if known := self._valid.get(text):
            return known
        check_text(text)
        node = parse(text)
        part_tokens(node)
        return LimitedDocument(node, weigh_document(node, self._prices, self._roots))

    def validate(self, text: str, document: LimitedDocument, *, suggest: bool) -> list[GraphQLError]:
        """The first errors of a document that was read; a valid one is kept. Raises OperationRefused.

        With `suggest`, errors name fields and types that may be meant.
        """
        if self._valid.get(text) is document:
            return []
        errors = validate(
            self._schema, document.node, RULES, max_errors=ERRORS_LIMIT, hide_suggestions=not suggest
        )
        if not errors:
            self._valid.add(text, document, size=len(text))
        return errors


def part_tokens(document: DocumentNode) -> None:
    """Take each token of a parsed document from the list of all.

    The parser links them both ways and needs that no more. Without the links a document that is dropped is
    freed at once: the collector would find it only much later (edge/gc_tuning.py).
    """
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following


class ReuseDocuments(SchemaExtension):
    """Gives Strawberry the document that was read and validated before."""

    cached = False

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def on_parse(self) -> Iterator[None]:
        operation = self.execution_context
        operation.graphql_document = self.documents.get(operation.query or "")
        self.cached = operation.graphql_document is not None
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.validation_rules = () if self.cached else RULES
        yield
