"""One convention for every mutation: `thingVerb(input: ThingVerbInput!): ThingVerbPayload!`."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import strawberry
from strawberry.utils.str_converters import capitalize_first, to_camel_case

from domain.errors import DomainError, ErrorCode
from resolvers.context import Info
from resolvers.described import describe_enum, words_of
from resolvers.guard import Allow
from schema.rows import plain_type

describe_enum(ErrorCode)


@plain_type
class UserError:
    """Why the shop said no."""

    code: ErrorCode
    """For programs: what kind of refusal this is."""
    message: str
    """For people: words a customer can read."""
    field: list[str]
    """The argument it is about, as a path inside `input`; empty when it is about none."""
    retry_after_seconds: float | None
    """When to try again, with BUSY; null where trying again does not help by itself."""


def mutation(
    resolver: Callable[..., Awaitable[Any]],
    *,
    returns: Any,
    allow: Allow,
    thing: str | None = None,
    says: str | None = None,
    beside: Mapping[str, tuple[Any, str]] | None = None,
) -> Any:
    """A mutation whose arguments become one input and whose row becomes one payload.

    `thing` names the payload's field where the type's own name does not fit; `says` describes it.
    `beside` names further fields, with type and description: the resolver then returns something that has
    the thing and each of them as an attribute.
    """
    beside = beside or {}
    name = capitalize_first(to_camel_case(resolver.__name__))
    field_name = thing or snake(returns.__name__)
    input_class, may_lack = input_of(resolver, name), needs_nothing(resolver)
    payload = payload_of(name, field_name, returns, says, beside)

    async def answer(root: Any, info: Info, input: Any = None) -> Any:
        try:
            info.context.viewer.require(allow)
            row = await resolver(info=info, **(vars(input) if input else {}))
        except DomainError as error:
            nothing = dict.fromkeys((field_name, *beside))
            return payload(**nothing, user_errors=[refusal(error)])
        said = {part: getattr(row, part) for part in (field_name, *beside)} if beside else {field_name: row}
        return payload(**said, user_errors=[])

    given: Any = input_class | None if input_class and may_lack else input_class
    shown = {"root": Any, "info": Info} | ({"input": given} if input_class else {})
    answer.__annotations__ = shown | {"return": payload}
    answer.__signature__ = signature(shown, {"input": None} if may_lack else {})  # type: ignore[attr-defined]
    made = strawberry.mutation(
        resolver=answer,
        graphql_type=payload,
        name=to_camel_case(resolver.__name__),
        description=words_of(resolver).description,
    )
    for argument in made.arguments:
        argument.description = "Everything the command needs."
    made.metadata = {"allow": allow}
    return made


def signature(shown: dict[str, Any], defaults: dict[str, Any]) -> inspect.Signature:
    kind, without = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    return inspect.Signature(
        [
            inspect.Parameter(name, kind, annotation=hint, default=defaults.get(name, without))
            for name, hint in shown.items()
        ]
    )


def needs_nothing(resolver: Callable[..., Any]) -> bool:
    """Whether everything it takes has a default, so that the input may be left out."""
    taken = inspect.signature(resolver).parameters.values()
    return all(given.default is not given.empty for given in taken if given.name != "info")


def input_of(resolver: Callable[..., Any], name: str) -> type | None:
    """The arguments of `resolver` but `info`, as an input type described by its docstring; None for none."""
    said = words_of(resolver).arguments
    hints = {
        key: parameter
        for key, parameter in inspect.signature(resolver, eval_str=True).parameters.items()
        if key != "info"
    }
    if not hints:
        return None
    body: dict[str, Any] = {"__annotations__": {key: given.annotation for key, given in hints.items()}}
    for key, given in hints.items():
        options: dict[str, Any] = {"description": said.get(key)}
        if isinstance(given.default, list):
            options["default_factory"] = list
        elif given.default is not inspect.Parameter.empty:
            options["default"] = given.default
        body[key] = strawberry.field(**options)
    made = type(f"{name}Input", (), body)
    return strawberry.input(made, description=f"What `{name[0].lower()}{name[1:]}` needs.")


def payload_of(
    name: str, field_name: str, returns: Any, says: str | None, beside: Mapping[str, tuple[Any, str]]
) -> type:
    types = {field_name: returns | None} | {part: kind | None for part, (kind, _) in beside.items()}
    body: dict[str, Any] = {
        "__annotations__": types | {"user_errors": list[UserError]},
        field_name: strawberry.field(description=says or "The outcome; null when the shop refused."),
        **{part: strawberry.field(description=said) for part, (_, said) in beside.items()},
        "user_errors": strawberry.field(description="Why the shop refused; empty when it did not."),
    }
    made = type(f"{name}Payload", (), body)
    return strawberry.type(made, description=f"The answer to `{name[0].lower()}{name[1:]}`.")


def refusal(error: DomainError) -> UserError:
    return UserError(
        code=error.code,
        message=str(error),
        field=field_of(error),
        retry_after_seconds=error.retry_after_seconds,
    )


def field_of(error: DomainError) -> list[str]:
    """The path of the argument a refusal is about, as clients spell it."""
    return [to_camel_case(str(part)) for part in error.field]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
