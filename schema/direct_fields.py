"""Fields whose values are read from their row without waiting: most of what an answer consists of.

The general way to answer a field describes where it stands in an object, binds arguments and walks through
the kinds of types. None of that is needed for a text or a number of a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_nullable_type,
    is_leaf_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from resolvers.context import Viewer
from schema.privacy import PRIVACY, FieldPrivacy

DIRECT = "direct"
"""The key under which a field of the schema keeps its DirectField."""

ViewerReader = Callable[[object, Viewer], object]


@dataclass(frozen=True, slots=True)
class DirectField:
    """How a value is read and what it becomes in the answer."""

    read: Callable[[object], object]
    coerce: Callable[[object], object]
    read_for: ViewerReader | None = None
    """In place of `read`, where the value depends on the viewer's language."""
    privacy: FieldPrivacy | None = None
    """What it takes to read it, where that is not only to see the row."""
    nullable: bool = False


def direct_field_of(parent_type: GraphQLObjectType, name: str) -> DirectField | None:
    """How a field is read directly; None for one that is answered in the general way."""
    declared = parent_type.fields.get(name)
    return None if declared is None else declared.extensions.get(DIRECT)


def prepare_direct_fields(schema: GraphQLSchema) -> None:
    """Find the direct fields of all types but the roots, whose fields have permissions and are traced."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and each not in roots:
            for declared in each.fields.values():
                if direct := describe_direct_field(declared):
                    nullable = not isinstance(declared.type, GraphQLNonNull)
                    privacy = declared.extensions.get(PRIVACY)
                    declared.extensions[DIRECT] = replace(direct, privacy=privacy, nullable=nullable)


def describe_direct_field(declared: GraphQLField) -> DirectField | None:
    """A leaf that is an attribute of the row, or a function of the row or of row and viewer alone."""
    definition = declared.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    shown = get_nullable_type(declared.type)
    if not isinstance(definition, StrawberryField) or not is_leaf_type(shown) or declared.args:
        return None
    if definition.is_basic_field:
        return DirectField(attrgetter(definition.python_name), shown.coerce_output_value)
    resolver = definition.base_resolver
    if resolver is None or resolver.is_async or definition.extensions:
        return None
    function = resolver.wrapped_func
    if isinstance(function, staticmethod | classmethod):
        return None
    if (read_for := getattr(function, "read_for", None)) is not None:
        return DirectField(function, shown.coerce_output_value, read_for)
    if set(resolver.signature.parameters) == {"root"}:
        return DirectField(function, shown.coerce_output_value)
    return None
