"""The smallest document that asks for a field, written from the schema, with placeholders for arguments."""

from collections.abc import Iterator, Mapping

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from resolvers.ids import global_id

NOTHING = global_id("Nothing", 1)
"""A well-formed id of no existing type."""

PLACEHOLDERS = {
    "ID": f'"{NOTHING}"',
    "String": '"x"',
    "Int": "1",
    "Float": "1.0",
    "Boolean": "false",
    "Decimal": '"1"',
    "Date": '"2026-11-11"',
    "DateTime": '"2026-11-11T08:00:00Z"',
    "CarrierCode": '"SIMULATED"',
}

Values = Mapping[str, str]
"""Path of an argument, "input.lines.orderLineId" -> what to write there instead of a placeholder."""
NONE: Values = {}


def root_types(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    """Keyword of an operation -> its root type."""
    found = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    return {keyword: root for keyword, root in found.items() if root}


def write_document(
    schema: GraphQLSchema, keyword: str, name: str, given: Values = NONE, *, required: Values = NONE
) -> str:
    """A document for one root field, with its required arguments and those that are `given`.

    Values in `required` are written only where an argument is required.
    """
    field = root_types(schema)[keyword].fields[name]
    known = {**required, **given}
    parts = [
        f"{key}: {write_literal(argument.type, key, given, known)}"
        for key, argument in field.args.items()
        if is_required_argument(argument) or is_given(key, given)
    ]
    arguments = f"({', '.join(parts)})" if parts else ""
    return f"{keyword} {{ {name}{arguments}{selection_of(field.type)} }}"


def selection_of(type_: GraphQLOutputType) -> str:
    """The errors of a payload, the length of a connection, or else the type name."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    fields = named.fields if isinstance(named, GraphQLObjectType) else {}
    for name, field in fields.items():
        if get_named_type(field.type).name == "UserError":
            return f" {{ {name} {{ code message field }} }}"
    return " { totalCount }" if "totalCount" in fields else " { __typename }"


def write_literal(type_: GraphQLInputType, path: str, given: Values, known: Values) -> str:
    if isinstance(type_, GraphQLNonNull):
        return write_literal(type_.of_type, path, given, known)
    if path in known and not isinstance(type_, GraphQLList):
        return known[path]
    if isinstance(type_, GraphQLList):
        return f"[{write_literal(type_.of_type, path, given, known)}]"
    if isinstance(type_, GraphQLInputObjectType):
        parts = [
            f"{key}: {write_literal(part.type, f'{path}.{key}', given, known)}"
            for key, part in type_.fields.items()
            if is_required_input_field(part) or is_given(f"{path}.{key}", given)
        ]
        return f"{{{', '.join(parts)}}}"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    return PLACEHOLDERS[type_.name]


def is_given(path: str, given: Values) -> bool:
    return any(f"{each}.".startswith(f"{path}.") for each in given)


def id_paths(schema: GraphQLSchema, keyword: str, name: str) -> Iterator[str]:
    """The paths of all ids in the arguments of a field."""
    return argument_paths(schema, keyword, name, "ID")


def argument_paths(schema: GraphQLSchema, keyword: str, name: str, scalar: str) -> Iterator[str]:
    """The paths of all values of this scalar in the arguments of a field."""
    for key, argument in root_types(schema)[keyword].fields[name].args.items():
        yield from paths_in(argument.type, key, scalar)


def paths_in(type_: GraphQLInputType, path: str, scalar: str) -> Iterator[str]:
    named = get_named_type(type_)
    if isinstance(named, GraphQLScalarType) and named.name == scalar:
        yield path
    if isinstance(named, GraphQLInputObjectType):
        for key, part in named.fields.items():
            yield from paths_in(part.type, f"{path}.{key}", scalar)
