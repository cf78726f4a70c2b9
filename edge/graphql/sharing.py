"""Which answers to one event are the same: those are executed and written once for all watchers."""

import json
from collections.abc import Hashable

from graphql import (
    DocumentNode,
    FieldNode,
    Node,
    OperationDefinitionNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.language.visitor import VisitorAction

from edge.graphql.request import GraphQLRequest
from resolvers.context import Viewer

CHOOSES_EVENTS = frozenset({"after", "id", "ids"})
"""Arguments of subscriptions that say which events come, and nothing about how each is answered."""


def selection_of(
    request: GraphQLRequest, document: DocumentNode, operation: OperationDefinitionNode
) -> Hashable:
    """What is selected of each event; equal for the operations that select the same.

    Variables that only say which events come are left out: watchers resume from different versions.
    """
    collector = VariableCollector(operation)
    visit(document, collector)
    used = {name: value for name, value in (request.variables or {}).items() if name in collector.names}
    return request.query, request.operation_name, json.dumps(used, sort_keys=True)


def answer_key(selection: Hashable, viewer: Viewer, event: object) -> Hashable:
    """Equal for the same selection, equal viewers and the same event."""
    comparable = type(event).__hash__ is not None
    return selection, viewer, event if comparable else id(event)


class VariableCollector(Visitor):
    """Collects the variables of a document, without those that only choose events."""

    def __init__(self, operation: OperationDefinitionNode) -> None:
        super().__init__()
        fields = [each for each in operation.selection_set.selections if isinstance(each, FieldNode)]
        self.choosing = {
            id(argument)
            for field in fields
            for argument in field.arguments or ()
            if argument.name.value in CHOOSES_EVENTS
        }
        self.names: set[str] = set()

    def enter(self, node: Node, *_: object) -> VisitorAction:
        if isinstance(node, VariableDefinitionNode) or id(node) in self.choosing:
            return self.SKIP
        if isinstance(node, VariableNode):
            self.names.add(node.name.value)
        return None
