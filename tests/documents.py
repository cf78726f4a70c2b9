"""The smallest document that asks for a field, made from the schema: placeholders stand for its arguments."""

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
"""A well-formed id of nothing at all."""

PLACEHOLDERS = {
    "ID": f'"{NOTHING}"',
    "String": '"x"',
    "Int": "1",
    "Float": "1.0",
    "Boolean": "false",
    "Decimal": '"1"',
    "Date": '"2026-11-11"',
    "DateTime": '"2026-11-11T08:00:00Z"',
}

Values = Mapping[str, str]
"""Path of an argument, "input.lines.lineId" -> what to write there instead of a placeholder."""
NONE: Values = {}


def roots(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    """Keyword of an operation -> the type it begins with."""
    found = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    return {keyword: root for keyword, root in found.items() if root}


def document(
    schema: GraphQLSchema, keyword: str, name: str, given: Values = NONE, *, required: Values = NONE
) -> str:
    """Ask for one field of a root, with the arguments it must have and those that are `given`.

    What is in `required` is written only where something must be.
    """
    field = roots(schema)[keyword].fields[name]
    known = {**required, **given}
    parts = [
        f"{key}: {literal(argument.type, key, given, known)}"
        for key, argument in field.args.items()
        if is_required_argument(argument) or touched(key, given)
    ]
    arguments = f"({', '.join(parts)})" if parts else ""
    return f"{keyword} {{ {name}{arguments}{selection(field.type)} }}"


def selection(type_: GraphQLOutputType) -> str:
    """What refuses is asked why, a list how long it is, anything else only whether it is there."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    fields = named.fields if isinstance(named, GraphQLObjectType) else {}
    for name, field in fields.items():
        if get_named_type(field.type).name == "UserError":
            return f" {{ {name} {{ code message field }} }}"
    return " { totalCount }" if "totalCount" in fields else " { __typename }"


def literal(type_: GraphQLInputType, path: str, given: Values, known: Values) -> str:
    if isinstance(type_, GraphQLNonNull):
        return literal(type_.of_type, path, given, known)
    if path in known and not isinstance(type_, GraphQLList):
        return known[path]
    if isinstance(type_, GraphQLList):
        return f"[{literal(type_.of_type, path, given, known)}]"
    if isinstance(type_, GraphQLInputObjectType):
        parts = [
            f"{key}: {literal(part.type, f'{path}.{key}', given, known)}"
            for key, part in type_.fields.items()
            if is_required_input_field(part) or touched(f"{path}.{key}", given)
        ]
        return f"{{{', '.join(parts)}}}"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    return PLACEHOLDERS[type_.name]


def touched(path: str, given: Values) -> bool:
    return any(f"{each}.".startswith(f"{path}.") for each in given)


def id_paths(schema: GraphQLSchema, keyword: str, name: str) -> Iterator[str]:
    """Every place in the arguments of a field where an id can stand."""
    return places(schema, keyword, name, "ID")


def places(schema: GraphQLSchema, keyword: str, name: str, scalar: str) -> Iterator[str]:
    """Every place in the arguments of a field where such a scalar can stand."""
    for key, argument in roots(schema)[keyword].fields[name].args.items():
        yield from places_in(argument.type, key, scalar)


def places_in(type_: GraphQLInputType, path: str, scalar: str) -> Iterator[str]:
    named = get_named_type(type_)
    if isinstance(named, GraphQLScalarType) and named.name == scalar:
        yield path
    if isinstance(named, GraphQLInputObjectType):
        for key, part in named.fields.items():
            yield from places_in(part.type, f"{path}.{key}", scalar)
