"""How long an answer may be kept by those who pass it on: declared at each field, the least of all wins."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeGuard

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_operation_ast,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

NEVER = timedelta()
"""Whoever is not staff sees nothing here, or something of their own."""
SECONDS = timedelta(seconds=5)
"""What every order changes."""
MINUTE = timedelta(minutes=1)
"""What a clerk changes."""
MINUTES = timedelta(minutes=5)
"""What hardly ever changes."""

Parent = GraphQLObjectType | GraphQLInterfaceType | None


def fresh_for(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> timedelta:
    """The least of what the fields of a valid operation say, skipped ones included.

    A root that says nothing says NEVER; below, a field that says nothing is as fresh as what it belongs to.
    """
    operation = get_operation_ast(document, operation_name)
    root = schema.get_root_type(operation.operation) if operation else None
    if operation is None or root is None:
        return NEVER
    asked = selected(schema, document, root, operation.selection_set)
    return min(
        (said_by(field, otherwise=NEVER if parent is root else MINUTES) for parent, field in asked),
        default=NEVER,
    )


def said_by(field: GraphQLField | None, *, otherwise: timedelta) -> timedelta:
    """What the declaration of a field says; those of the introspection have none."""
    declared = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    said: timedelta | None = declared.metadata.get("public") if declared else None
    return otherwise if said is None else said


def selected(
    schema: GraphQLSchema, document: DocumentNode, root: GraphQLObjectType, selections: SelectionSetNode
) -> Iterator[tuple[Parent, GraphQLField | None]]:
    """Every field at any depth, and its parent. A fragment is looked through once, however often spread."""
    fragments = {each.name.value: each for each in document.definitions if is_fragment(each)}
    waiting: list[tuple[Parent, SelectionSetNode]] = [(root, selections)]
    while waiting:
        parent, below = waiting.pop()
        for node in below.selections:
            if isinstance(node, FieldNode) and node.name.value != "__typename":
                field = parent.fields.get(node.name.value) if parent else None
                yield parent, field
                if node.selection_set:
                    waiting.append((composite(field and get_named_type(field.type)), node.selection_set))
            elif isinstance(node, InlineFragmentNode):
                inside = schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                waiting.append((composite(inside), node.selection_set))
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                spread = fragments.pop(node.name.value)
                inside = schema.get_type(spread.type_condition.name.value)
                waiting.append((composite(inside), spread.selection_set))


def is_fragment(definition: DefinitionNode) -> TypeGuard[FragmentDefinitionNode]:
    return isinstance(definition, FragmentDefinitionNode)


def composite(shown: object) -> Parent:
    return shown if isinstance(shown, (GraphQLObjectType, GraphQLInterfaceType)) else None
