"""How a GraphQL type is tied to the rows it shows, and a field to what answers it.

Relations are declared (`loaded`), computed fields are functions of all parents (`batched`). Both carry
what a compiled executor needs to answer a whole level at once; today aiodataloader collects the rows.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, dataclass_transform

import strawberry

from resolvers.context import Batched, Info
from resolvers.described import described, words_of
from resolvers.guard import Allow

T = TypeVar("T")

ROW_OF: dict[type, type] = {}
"""GraphQL type -> the class of the rows it shows."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A field answered by a named loader, asked with one attribute of the row."""

    loader: str
    key: str


@dataclass(frozen=True, slots=True)
class ForAll:
    """A field answered by a function of all parents at once."""

    function: Batched


@dataclass_transform(kw_only_default=True)
def row_type(row: type, *, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """Declare a GraphQL type whose plain fields are attributes of `row`."""

    def declare(cls: type[T]) -> type[T]:
        cls.is_type_of = classmethod(lambda _, value, info: isinstance(value, row))  # type: ignore[attr-defined]
        ROW_OF[cls] = row
        return described(strawberry.type(cls, name=name, description=inspect.getdoc(cls)))

    return declare


@dataclass_transform(kw_only_default=True)
def plain_type(cls: type[T]) -> type[T]:
    """Declare a GraphQL type that is its own row."""
    ROW_OF[cls] = cls
    return described(strawberry.type(cls, description=inspect.getdoc(cls)))


def field(
    resolver: Callable[..., Any],
    *,
    allow: Allow | None = None,
    public: timedelta | None = None,
    **options: Any,
) -> Any:
    """A field answered by a function in resolvers/; its docstring describes it and its arguments.

    Fields of the roots must say whom they `allow`; elsewhere whoever sees the parent sees the field.
    `public` is how long a guest's answer may be kept by those who pass it on (schema/freshness.py).
    """
    answer = guarded(resolver, allow) if allow is not None else resolver
    made = strawberry.field(resolver=answer, description=words_of(resolver).description, **options)
    made.metadata = {**made.metadata, "public": public}
    return declared(made, resolver, allow)


def subscription(resolver: Callable[..., Any], *, allow: Allow) -> Any:
    """A stream fed by a function in resolvers/."""

    @wraps(resolver)
    async def stream(*args: Any, info: Info, **kwargs: Any) -> Any:
        info.context.viewer.require(allow)
        async for row in resolver(*args, info=info, **kwargs):
            info.context.forget()
            yield row

    made = strawberry.subscription(resolver=stream, description=words_of(resolver).description)
    return declared(made, resolver, allow)


def loaded(loader: str, *, key: str = "id", public: timedelta | None = None) -> Any:
    """A relation: the loader of this name, asked with the row's attribute `key`; null where that is null."""

    async def load(root: Any, info: Info) -> Any:
        wanted = getattr(root, key)
        return None if wanted is None else await getattr(info.context.load, loader).load(wanted)

    made: Any = strawberry.field(resolver=load)
    made.metadata = {**made.metadata, "batch": Loaded(loader, key), "public": public}
    return made


def batched(function: Batched, *, public: timedelta | None = None) -> Any:
    """A computed field: `async def stock(variants, info, **arguments) -> [one answer per variant]`."""

    async def collect(root: Any, info: Info, **arguments: Any) -> Any:
        return await info.context.batch(function, info, arguments).load(root)

    parameters = list(inspect.signature(function).parameters.values())
    root = inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    collect.__signature__ = inspect.Signature([root, *parameters[1:]])  # type: ignore[attr-defined]
    collect.__annotations__ = {p.name: p.annotation for p in parameters[1:]}
    collect.__module__ = function.__module__
    collect.__name__ = function.__name__
    made: Any = strawberry.field(resolver=collect, description=words_of(function).description)
    made.metadata = {**made.metadata, "batch": ForAll(function), "public": public}
    return declared(made, function, None)


def translated(attribute: str) -> Any:
    """A text of the row in the language the viewer reads; the row has `translations`."""

    def read(root: Any, info: Info) -> str:
        return info.context.viewer_of(info).read(root.translations, attribute, getattr(root, attribute))

    return strawberry.field(resolver=read)


def guarded(resolver: Callable[..., Any], allow: Allow) -> Callable[..., Awaitable[Any]]:
    @wraps(resolver)
    async def answer(*args: Any, info: Info, **kwargs: Any) -> Any:
        info.context.viewer.require(allow)
        found = resolver(*args, info=info, **kwargs)
        return await found if inspect.isawaitable(found) else found

    return answer


def declared(made: Any, resolver: Callable[..., Any], allow: Allow | None) -> Any:
    """Describe the arguments of a field and remember whom it allows."""
    said = words_of(resolver).arguments
    for argument in made.arguments:
        argument.description = argument.description or said.get(argument.python_name)
    made.metadata = {**made.metadata, "allow": allow}
    return made
