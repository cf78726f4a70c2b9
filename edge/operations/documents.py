"""Reading the operations of client applications from GraphQL files or from a manifest."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

TOKENS_LIMIT = 20_000
"""Of one file: a syntax error beyond it is reported as one."""

PACKAGES = "node_modules"
"""Folders of this name hold packages of others, and no operations of the application."""

MANIFEST_FORMAT = "apollo-persisted-query-manifest"
"""https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format"""
MANIFEST_VERSION = 1


class UnreadableOperations(Exception):
    """Files that hold no operations as they should; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class ClientOperation:
    """One operation with the fragments it needs, as a client sends it."""

    name: str
    kind: str
    """query, mutation or subscription."""
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_operations(path: Path) -> list[ClientOperation]:
    """Return the operations of a manifest, or of all `.graphql` files in a folder and below it, by name.

    Fragments are shared by the files of one folder. Raises UnreadableOperations.
    """
    if path.is_file():
        operations = read_manifest(path)
    else:
        files = (file for file in path.rglob("*.graphql") if PACKAGES not in file.parts)
        folders = sorted({file.parent for file in files})
        operations = [operation for folder in folders for operation in read_folder(folder)]
    if not operations:
        raise UnreadableOperations(f"{path} holds no operation.")
    check_unique(operation.name for operation in operations)
    return sorted(operations, key=lambda operation: operation.name)


def read_folder(folder: Path) -> Iterator[ClientOperation]:
    """Yield the operations of the files in a folder, each with the fragments it needs."""
    documents = [(file, parse_file(file)) for file in sorted(folder.glob("*.graphql"))]
    fragments = collect_fragments(documents)
    for file, document in documents:
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                yield read_operation(definition, fragments, file)
            elif not isinstance(definition, FragmentDefinitionNode):
                raise UnreadableOperations(f"{file} defines something else than operations and fragments.")


def read_operation_of(file: Path, name: str | None) -> ClientOperation:
    """Return an operation of a file by its name, or its only one, with fragments of any file of its folder.

    Raises UnreadableOperations.
    """
    if not file.is_file():
        raise UnreadableOperations(f"There is no file {file}.")
    document = parse_file(file)
    beside = [each for each in sorted(file.parent.glob("*.graphql")) if not each.samefile(file)]
    fragments = collect_fragments([(file, document), *((each, parse_file(each)) for each in beside)])
    operations = [
        read_operation(definition, fragments, file)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    named = [each for each in operations if name in (None, each.name)]
    if len(named) != 1:
        raise UnreadableOperations(
            f"{file} has the operations: {', '.join(each.name for each in operations)}. Name one of them."
        )
    return named[0]


def parse_file(file: Path) -> DocumentNode:
    try:
        return parse(file.read_text(encoding="utf-8"), no_location=True, max_tokens=TOKENS_LIMIT)
    except GraphQLSyntaxError as error:
        line = error.locations[0].line if error.locations else 0
        raise UnreadableOperations(f"{file}:{line}: {error.message}") from None
    except UnicodeDecodeError:
        raise UnreadableOperations(f"{file} is not UTF-8 text.") from None


def collect_fragments(documents: Iterable[tuple[Path, DocumentNode]]) -> Mapping[str, FragmentDefinitionNode]:
    """Return the fragments by name; UnreadableOperations for a name that is used twice."""
    found: dict[str, FragmentDefinitionNode] = {}
    for file, document in documents:
        for definition in document.definitions:
            if not isinstance(definition, FragmentDefinitionNode):
                continue
            if definition.name.value in found:
                raise UnreadableOperations(f"{file}: there are two fragments {definition.name.value}.")
            found[definition.name.value] = definition
    return found


def read_operation(
    definition: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], file: Path
) -> ClientOperation:
    """Return one operation, followed by its fragments in the order of their names."""
    if definition.name is None:
        raise UnreadableOperations(f"{file} has an operation without a name.")
    needed: dict[str, FragmentDefinitionNode] = {}
    waiting: list[OperationDefinitionNode | FragmentDefinitionNode] = [definition]
    while waiting:
        for name in names_of_spreads(waiting.pop()) - needed.keys():
            if name not in fragments:
                raise UnreadableOperations(f"{file}: {definition.name.value} needs a fragment {name}.")
            needed[name] = fragments[name]
            waiting.append(fragments[name])
    parts = (definition, *(needed[name] for name in sorted(needed)))
    text = print_ast(DocumentNode(definitions=parts))
    return ClientOperation(definition.name.value, definition.operation.value, text)


def names_of_spreads(definition: OperationDefinitionNode | FragmentDefinitionNode) -> set[str]:
    """Return the names of the fragments that a definition spreads itself."""
    names: set[str] = set()

    class CollectSpreads(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
            names.add(node.name.value)

    visit(definition, CollectSpreads())
    return names


def check_unique(names: Iterable[str]) -> None:
    """UnreadableOperations when two operations have one name, since clients look them up by it."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UnreadableOperations(f"There are two operations {name}.")
        seen.add(name)


def read_manifest(file: Path) -> list[ClientOperation]:
    """Return the operations of a manifest in Apollo's format.

    UnreadableOperations when it is none, or when an id is not the SHA-256 of its body.
    """
    try:
        manifest = json.loads(file.read_bytes())
        if manifest["format"] != MANIFEST_FORMAT or manifest["version"] != MANIFEST_VERSION:
            raise UnreadableOperations(f"{file} is not version {MANIFEST_VERSION} of {MANIFEST_FORMAT}.")
        listed = [
            (str(each["id"]), ClientOperation(str(each["name"]), str(each["type"]), str(each["body"])))
            for each in manifest["operations"]
        ]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UnreadableOperations(f"{file} is no manifest of operations.") from None
    for sha256, operation in listed:
        if sha256 != operation.sha256:
            raise UnreadableOperations(f"{file}: the id of {operation.name} is not the SHA-256 of its body.")
    return [operation for _, operation in listed]


def format_manifest(operations: Sequence[ClientOperation]) -> str:
    """Return a manifest in Apollo's format, from which clients read the hashes that they send."""
    entries = [
        {"id": each.sha256, "name": each.name, "type": each.kind, "body": each.text} for each in operations
    ]
    manifest = {"format": MANIFEST_FORMAT, "version": MANIFEST_VERSION, "operations": entries}
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
