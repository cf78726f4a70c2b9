"""How long caches may keep an answer: declared at each field, the shortest time of all fields counts."""

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
"""For what is only for staff or differs by viewer."""
SECONDS = timedelta(seconds=5)
"""For what changes with every order."""
MINUTE = timedelta(minutes=1)
"""For what the staff changes."""
MINUTES = timedelta(minutes=5)
"""For what hardly ever changes."""

Parent = GraphQLObjectType | GraphQLInterfaceType | None


def max_age_of(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> timedelta:
    """The shortest time declared by any field of a valid operation, including skipped ones.

    A root field without one counts as NEVER; any other field without one lasts as long as its parent.
    """
    operation = get_operation_ast(document, operation_name)
    root = schema.get_root_type(operation.operation) if operation else None
    if operation is None or root is None:
        return NEVER
    selected = selected_fields(schema, document, root, operation.selection_set)
    return min(
        (declared_max_age(field, default=NEVER if parent is root else MINUTES) for parent, field in selected),
        default=NEVER,
    )


def declared_max_age(field: GraphQLField | None, *, default: timedelta) -> timedelta:
    """The time declared with a field, or `default`; fields of the introspection declare none."""
    declared = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    max_age: timedelta | None = declared.metadata.get("public") if declared else None
    return default if max_age is None else max_age


def selected_fields(
    schema: GraphQLSchema, document: DocumentNode, root: GraphQLObjectType, selections: SelectionSetNode
) -> Iterator[tuple[Parent, GraphQLField | None]]:
    """Every field at any depth with its parent type; each fragment is visited once."""
    fragments = {each.name.value: each for each in document.definitions if is_fragment(each)}
    waiting: list[tuple[Parent, SelectionSetNode]] = [(root, selections)]
    while waiting:
        parent, below = waiting.pop()
        for node in below.selections:
            if isinstance(node, FieldNode) and node.name.value != "__typename":
                field = parent.fields.get(node.name.value) if parent else None
                yield parent, field
                if node.selection_set:
                    waiting.append((as_parent(field and get_named_type(field.type)), node.selection_set))
            elif isinstance(node, InlineFragmentNode):
                inside = schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                waiting.append((as_parent(inside), node.selection_set))
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                spread = fragments.pop(node.name.value)
                inside = schema.get_type(spread.type_condition.name.value)
                waiting.append((as_parent(inside), spread.selection_set))


def is_fragment(definition: DefinitionNode) -> TypeGuard[FragmentDefinitionNode]:
    return isinstance(definition, FragmentDefinitionNode)


def as_parent(type_: object) -> Parent:
    return type_ if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)) else None
