"""Each operation is counted, timed and, with a tracer, a part of a trace; a slow one is logged."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
)

from edge.graphql.answer import OperationFailed
from edge.persisted_operations import sha256_of
from events.shop import Shop
from gateways.metrics import USAGE, Usage
from gateways.tracing import open_span

INVALID, SEVERAL = "invalid", "several"
"""What metrics call a wrong document, and one with several root fields and no registered name."""

NO_CODE = "GRAPHQL"
"""The code of an error that has none: the document is wrong."""

ROOT_LIMIT = 50
"""Selections that are looked at to find the root fields of an operation."""

NAME_LIMIT = 64


@dataclass(slots=True)
class MeasuredOperation:
    """An operation that runs: what metrics call it, what its document calls it, and what it has used."""

    kind: str
    label: str
    name: str | None = None
    usage: Usage = field(default_factory=Usage)
    errors: Sequence[GraphQLError] = ()

    @property
    def codes(self) -> list[str]:
        """The code of each of its errors, each once."""
        return list(dict.fromkeys(code_of(error) for error in self.errors))


@contextmanager
def measure_operation(
    shop: Shop, operation: MeasuredOperation, document: str, *, began: float
) -> Iterator[MeasuredOperation]:
    """Measure an operation that has begun at `began`, in seconds of `perf_counter`, until the block ends."""
    USAGE.set(operation.usage)
    attributes = {"graphql.operation.type": operation.kind}
    # each event of a subscription is a trace of its own: one for all would last for hours
    tracer = None if operation.kind == OperationType.SUBSCRIPTION.value else shop.tracer
    if tracer:
        attributes["graphql.document.hash"] = sha256_of(document)
        attributes["graphql.operation.name"] = (operation.name or "")[:NAME_LIMIT]
    try:
        with open_span(tracer, f"{operation.kind} {operation.label}", attributes) as span:
            yield operation
            if operation.errors:
                span.fail(operation.codes[0])
    except OperationFailed as failed:
        operation.errors = failed.errors
        raise
    finally:
        USAGE.set(None)
        finish_operation(shop, operation, document, seconds=perf_counter() - began)


def finish_operation(shop: Shop, operation: MeasuredOperation, document: str, *, seconds: float) -> None:
    """Add an operation to the metrics, and log it where it was slow; a subscription is meant to last."""
    metrics = shop.metrics
    metrics.operations.at(operation.kind, operation.label).add(seconds, operation.usage)
    for code in operation.codes:
        metrics.operation_errors.add(operation.kind, operation.label, code)
    if operation.kind != OperationType.SUBSCRIPTION.value:
        name = (operation.name or operation.label)[:NAME_LIMIT]
        shop.slow_operations.note(
            operation.usage, seconds=seconds, operation=f"{operation.kind} {name}", document=document
        )


@contextmanager
def count_invalid(shop: Shop, document: str, *, began: float) -> Iterator[None]:
    """Count a document that is refused in the block, before anything is executed."""
    try:
        yield
    except OperationFailed as failed:
        operation = MeasuredOperation("query", INVALID, errors=failed.errors)
        finish_operation(shop, operation, document, seconds=perf_counter() - began)
        raise


def describe_operation(
    schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode, names: frozenset[str]
) -> MeasuredOperation:
    """What metrics call an operation: by its name if that is one of `names`, else by its root field.

    Nothing that a client makes up becomes a label: its own name only stands in the log of slow operations.
    """
    kind, name = node.operation.value, node.name.value if node.name else None
    if name in names:
        return MeasuredOperation(kind, name or "", name)
    fields = find_root_fields(document, node)
    label = fields.pop() if len(fields) == 1 else SEVERAL
    return MeasuredOperation(kind, label if is_root_field(schema, node.operation, label) else INVALID, name)


def find_root_fields(document: DocumentNode, node: OperationDefinitionNode) -> set[str]:
    """The names of the fields at the root, through fragments, of the first ROOT_LIMIT selections."""
    fragments: Mapping[str, FragmentDefinitionNode] = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    found: set[str] = set()
    waiting = list(node.selection_set.selections)
    for _ in range(ROOT_LIMIT):
        if not waiting:
            break
        selection = waiting.pop()
        if isinstance(selection, FieldNode):
            found.add(selection.name.value)
        elif isinstance(selection, InlineFragmentNode):
            waiting += selection.selection_set.selections
        elif isinstance(selection, FragmentSpreadNode) and (fragment := fragments.get(selection.name.value)):
            waiting += fragment.selection_set.selections
    return found


def is_root_field(schema: GraphQLSchema, operation: OperationType, name: str) -> bool:
    root = schema.get_root_type(operation)
    return name == SEVERAL or name.startswith("__") or (root is not None and name in root.fields)


def code_of(error: GraphQLError) -> str:
    extensions = error.extensions or getattr(error.original_error, "extensions", None) or {}
    return str(extensions.get("code", NO_CODE))
