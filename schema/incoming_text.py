"""Every text of every argument, in literals and variables, is brought into its one spelling at this place.

What clients write is normalized, or refused by name with the path of the argument; nothing is executed then.
Passwords are only normalized. Cursors, tokens and keys pass as they are, and so do whole files, whose cells
are checked where they are read.
"""

from collections.abc import Callable, Mapping

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    is_input_object_type,
    is_object_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from resolvers.context import Context
from resolvers.errors import REFUSALS_LIMIT, DomainError
from resolvers.incoming_text import normalize_incoming_text, normalize_password
from schema.mutation import snake_case

PASSWORDS = frozenset({"password", "newPassword"})
UNCHANGED = frozenset(
    {"after", "before", "token", "refreshToken", "idempotencyKey", "secondFactor", "content"}
)
"""Arguments that are no texts of people: what the shop gave out, keys of clients, whole files."""

Path = tuple[str | int, ...]
Refusals = list[DomainError]
Resolver = Callable[..., object]
Normalizer = Callable[[object, Path, Refusals], object]
"""A function of a value, its path and the refusals it adds to, that returns the value as it is taken."""


def normalize_arguments(schema: GraphQLSchema) -> None:
    """Wrap the resolver of each field that has a text among its arguments."""
    known: dict[str, Normalizer | None] = {}
    for declared in schema.type_map.values():
        if is_object_type(declared) and not declared.name.startswith("__"):
            for field in declared.fields.values():
                normalize_arguments_of(field, known)


def normalize_arguments_of(field: GraphQLField, known: dict[str, Normalizer | None]) -> None:
    if normalize := normalizer_of_group(field.args, known):
        field.resolve = with_normal_texts(field, field.resolve, normalize) if field.resolve else None
        field.subscribe = with_normal_texts(field, field.subscribe, normalize) if field.subscribe else None


def with_normal_texts(field: GraphQLField, resolve: Resolver, normalize: Normalizer) -> Resolver:
    """The resolver, called with normal texts; it is not called where one of them is refused."""
    metadata = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].metadata
    refuse, allow = metadata.get("refuse"), metadata.get("allow")

    def resolve_field(source: object, info: GraphQLResolveInfo[Context], **arguments: object) -> object:
        refusals: Refusals = []
        normal = normalize(arguments, (), refusals)
        if not refusals:
            return resolve(source, info, **normal)  # type: ignore[arg-type]
        if refuse:
            return refuse(info, refusals)
        if allow is not None:  # who may not use the field learns nothing else
            info.context.viewer.require(allow)
        raise refusals[0]

    return resolve_field


def normalizer_of_group(
    declared: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField],
    known: dict[str, Normalizer | None],
) -> Normalizer | None:
    """What normalizes the arguments of a field, or the fields of an input; None where no text is in them."""
    named = {name: normalizer_of(name, each.type, known) for name, each in declared.items()}
    texts = {name: normalize for name, normalize in named.items() if normalize}
    if not texts:
        return None

    def normalize_group(values: object, path: Path, refusals: Refusals) -> object:
        if not isinstance(values, dict):
            return values
        return values | {
            name: texts[name](value, path if name == "input" else (*path, snake_case(name)), refusals)
            for name, value in values.items()
            if value is not None and name in texts
        }

    return normalize_group


def normalizer_of(
    name: str, declared: GraphQLInputType, known: dict[str, Normalizer | None]
) -> Normalizer | None:
    """What normalizes a value of this name and type; None where no text is in it."""
    if isinstance(declared, GraphQLNonNull):
        return normalizer_of(name, declared.of_type, known)
    if isinstance(declared, GraphQLList):
        item = normalizer_of(name, declared.of_type, known)
        return normalizer_of_items(item) if item else None
    if declared == GraphQLString:
        return normalizer_of_text(name)
    if not is_input_object_type(declared):
        return None
    if declared.name not in known:
        known[declared.name] = normalizer_of_group(declared.fields, known)
    return known[declared.name]


def normalizer_of_text(name: str) -> Normalizer | None:
    if name in UNCHANGED:
        return None
    return normalize_password_value if name in PASSWORDS else normalize_text_value


def normalizer_of_items(normalize: Normalizer) -> Normalizer:
    def normalize_items(values: object, path: Path, refusals: Refusals) -> object:
        if not isinstance(values, list):
            return values
        return [
            value if value is None else normalize(value, (*path, at), refusals)
            for at, value in enumerate(values)
        ]

    return normalize_items


def normalize_text_value(value: object, path: Path, refusals: Refusals) -> object:
    try:
        return normalize_incoming_text(value, field=path) if isinstance(value, str) else value
    except DomainError as refusal:
        if len(refusals) < REFUSALS_LIMIT:
            refusals.append(refusal)
        return value


def normalize_password_value(value: object, path: Path, refusals: Refusals) -> object:
    return normalize_password(value) if isinstance(value, str) else value
