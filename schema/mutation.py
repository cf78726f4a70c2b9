"""One convention for every mutation: `thingVerb(input: ThingVerbInput!): ThingVerbPayload!`."""

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, get_origin

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import capitalize_first, to_camel_case

from resolvers.context import Info
from resolvers.descriptions import describe_enum, parse_docstring
from resolvers.errors import REFUSALS, DomainError, ErrorCode, path_of, refusal_of
from resolvers.guard import Permission
from resolvers.removal import RemovalOutcome
from schema.limits.sizes import COMMAND, FEW, SOME
from schema.rows import plain_list, plain_type

describe_enum(ErrorCode)

ARCHIVED_THING = "The archived thing; null when it was removed, and when the shop refused."
REMOVAL_OUTCOME = {"outcome": (describe_enum(RemovalOutcome), "Whether it was removed or archived.")}
"""What mutations that remove something answer beside it."""


@plain_type
class UserError:
    """Why the shop refused."""

    code: ErrorCode
    """For programs: what kind of refusal this is."""
    message: str
    """For people: a sentence a customer can read."""
    field: list[str] = plain_list(size=FEW)
    """The argument it is about, as a path inside `input`; empty when it is about none."""
    retry_after_seconds: float | None
    """When to try again, with BUSY and after too many attempts; null where that does not help by itself."""


def mutation(
    resolver: Callable[..., Awaitable[Any]],
    *,
    returns: Any,
    allow: Permission,
    field_name: str | None = None,
    field_description: str = "The outcome; null when the shop refused.",
    further_fields: Mapping[str, tuple[Any, str]] | None = None,
    price: float = COMMAND,
) -> Any:
    """A mutation whose arguments become one input and whose row becomes one payload.

    A resolver with many arguments declares the input itself: it takes, beside `info`, one argument named
    `input`, of an input class named like the mutation (`ProductCreateInput` for `product_create`).

    `field_name` names the payload's field where the type's own name does not fit. `further_fields` are names
    with type and description: the resolver then returns an object that has the row and each of them. `price`
    is what the mutation counts for the cost of an operation.
    """
    further_fields = further_fields or {}
    name = capitalize_first(to_camel_case(resolver.__name__))
    field_name = field_name or snake_case(returns.__name__)
    own_input = declared_input(resolver, name)
    input_class, optional = own_input or build_input(resolver, name), has_no_required_argument(resolver)
    payload = build_payload(name, {field_name: (returns, field_description), **further_fields})

    def answer_refusals(info: Info, refusals: Sequence[DomainError]) -> Any:
        refused = [user_error(each, info) for each in in_order_of_input(refusals, input_class)]
        return payload(**dict.fromkeys((field_name, *further_fields)), user_errors=refused)

    def refuse(info: Info, refusals: Sequence[DomainError]) -> Any:
        """The payload of a mutation that is not called because of its texts."""
        try:
            info.context.viewer.require(allow)
        except REFUSALS as error:
            return answer_refusals(info, refusal_of(error).each)
        return answer_refusals(info, refusals)

    async def answer(root: Any, info: Info, input: Any = None) -> Any:
        try:
            info.context.viewer.require(allow)
            arguments = {"input": input} if own_input else vars(input) if input else {}
            row = await resolver(info=info, **arguments)
        except REFUSALS as error:
            return answer_refusals(info, refusal_of(error).each)
        names = (field_name, *further_fields)
        values = {each: getattr(row, each) for each in names} if further_fields else {field_name: row}
        return payload(**values, user_errors=[])

    input_type: Any = input_class | None if input_class and optional else input_class
    parameters = {"root": Any, "info": Info} | ({"input": input_type} if input_class else {})
    answer.__annotations__ = parameters | {"return": payload}
    answer.__signature__ = build_signature(parameters, {"input": None} if optional else {})  # type: ignore[attr-defined]
    declared = strawberry.mutation(
        resolver=answer,
        graphql_type=payload,
        name=to_camel_case(resolver.__name__),
        description=parse_docstring(resolver).description,
    )
    for argument in declared.arguments:
        argument.description = "Everything the command needs."
    declared.metadata = {"allow": allow, "price": price, "refuse": refuse}
    return declared


def build_signature(parameters: dict[str, Any], defaults: dict[str, Any]) -> inspect.Signature:
    kind, no_default = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    return inspect.Signature(
        [
            inspect.Parameter(name, kind, annotation=hint, default=defaults.get(name, no_default))
            for name, hint in parameters.items()
        ]
    )


def has_no_required_argument(resolver: Callable[..., Any]) -> bool:
    """Whether every argument but `info` has a default, so that the input may be left out."""
    parameters = inspect.signature(resolver).parameters.values()
    return all(each.default is not each.empty for each in parameters if each.name != "info")


def declared_input(resolver: Callable[..., Any], name: str) -> type | None:
    """The class `<name>Input` that the resolver takes as its only argument beside `info`; None otherwise.

    Raises `TypeError` for an argument named `input` of any other class.
    """
    parameters = inspect.signature(resolver, eval_str=True).parameters
    if "input" not in parameters:
        return None
    declared: type = parameters["input"].annotation
    if set(parameters) != {"info", "input"} or getattr(declared, "__name__", None) != f"{name}Input":
        raise TypeError(f"{resolver.__name__} takes info and input: {name}Input, and nothing else.")
    return declared


def build_input(resolver: Callable[..., Any], name: str) -> type | None:
    """The arguments of `resolver` but `info`, as an input type described by its docstring; None for none."""
    descriptions = parse_docstring(resolver).arguments
    parameters = dict(inspect.signature(resolver, eval_str=True).parameters)
    del parameters["info"]
    if not parameters:
        return None
    body: dict[str, Any] = {"__annotations__": {key: each.annotation for key, each in parameters.items()}}
    for key, parameter in parameters.items():
        options: dict[str, Any] = {"description": descriptions.get(key)}
        if isinstance(parameter.default, list):
            options["default_factory"] = list
        elif parameter.default is not inspect.Parameter.empty:
            options["default"] = parameter.default
        body[key] = strawberry.field(**options)
    return strawberry.input(
        type(f"{name}Input", (), body), description=f"What `{name[0].lower()}{name[1:]}` needs."
    )


def build_payload(name: str, fields: Mapping[str, tuple[Any, str]]) -> type:
    """The payload with these fields, each null when the shop refused, and `userErrors`."""
    annotations = {field: kind | None for field, (kind, _) in fields.items()}
    body: dict[str, Any] = {
        "__annotations__": annotations | {"user_errors": list[UserError]},
        **{field: payload_field(kind, description) for field, (kind, description) in fields.items()},
        "user_errors": plain_list(size=FEW, description="All reasons why the shop refused; else empty."),
    }
    return strawberry.type(
        type(f"{name}Payload", (), body), description=f"The answer to `{name[0].lower()}{name[1:]}`."
    )


def payload_field(kind: Any, description: str) -> Any:
    if get_origin(kind) is list:
        return plain_list(size=SOME, description=description)
    return strawberry.field(description=description)


def in_order_of_input(refusals: Sequence[DomainError], input_class: type | None) -> Sequence[DomainError]:
    """The refusals in the order in which the input declares their fields; those about no field come last."""
    return sorted(refusals, key=lambda each: place_in_input(each.field, input_class))


def place_in_input(path: Sequence[str | int], input_class: type | None) -> tuple[float, ...]:
    """Where a path leads within an input: the place of each field in its class, the index in each list."""
    if not path:
        return (math.inf,)
    first, *rest = path
    if isinstance(first, int):
        return (first, *(place_in_input(rest, input_class) if rest else ()))
    definition = get_object_definition(input_class) if input_class else None
    fields = definition.fields if definition else []
    place = next((index for index, each in enumerate(fields) if each.python_name == first), None)
    if place is None:
        return (math.inf,)
    return (place, *(place_in_input(rest, innermost_type(fields[place].type)) if rest else ()))


def innermost_type(kind: Any) -> Any:
    """The type within lists and optional types."""
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return kind


def user_error(error: DomainError, info: Info) -> UserError:
    """The refusal in the language of the reader."""
    return UserError(
        code=error.code,
        message=info.context.viewer_of(info).text_of(error.message),
        field=path_of(error),
        retry_after_seconds=error.retry_after_seconds,
    )


def snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
