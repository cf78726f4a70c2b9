"""How a GraphQL type is tied to the rows it shows, and a field to what answers it.

Relations are declared (`loaded`), computed fields are functions of all parents (`batched`). Both carry in
their metadata what it takes to answer them for all parents of a level at once; today aiodataloader collects
the rows. Each field also carries what it counts for the cost of an operation (schema/limits/): `price` for
itself, 1 when not declared, and `size`, the rows of a list that has no argument `first`.
"""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, dataclass_transform

import strawberry

from resolvers.context import BatchResolver, Info, Viewer
from resolvers.descriptions import describe_fields, parse_docstring
from resolvers.guard import Permission
from resolvers.subscriptions import check_update_count
from schema.limits.sizes import COMMAND, Size
from schema.page_arguments import PAGE_ARGUMENTS, with_page_arguments

T = TypeVar("T")

ROW_OF: dict[type, type] = {}
"""GraphQL type -> the class of the rows it shows."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A field answered by a named loader, whose key is an attribute of the row."""

    loader: str
    key: str


@dataclass(frozen=True, slots=True)
class ForAll:
    """A field answered by a function of all parents at once."""

    function: BatchResolver


@dataclass_transform(kw_only_default=True)
def row_type(row: type, *, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """Declare a GraphQL type whose plain fields are attributes of `row`."""

    def declare(cls: type[T]) -> type[T]:
        cls.is_type_of = classmethod(lambda _, value, info: isinstance(value, row))  # type: ignore[attr-defined]
        ROW_OF[cls] = row
        return describe_fields(strawberry.type(cls, name=name, description=inspect.getdoc(cls)))

    return declare


@dataclass_transform(kw_only_default=True)
def plain_type(cls: type[T]) -> type[T]:
    """Declare a GraphQL type that is its own row."""
    ROW_OF[cls] = cls
    return describe_fields(strawberry.type(cls, description=inspect.getdoc(cls)))


def field(
    resolver: Callable[..., Any],
    *,
    allow: Permission | None = None,
    public: timedelta | None = None,
    size: Size | None = None,
    price: float | None = None,
    **options: Any,
) -> Any:
    """A field answered by a function in resolvers/; its docstring describes it and its arguments.

    Fields of the roots must name the permission they ask for (`allow`); elsewhere whoever sees the parent
    sees the field. `public` is how long caches may keep a guest's answer (schema/cache_control.py). Where the
    resolver has a parameter `page`, the field has the four arguments of a connection in place of it.
    """
    resolver = with_page_arguments(resolver)
    answer = guard_resolver(resolver, allow) if allow is not None else resolver
    declared = strawberry.field(resolver=answer, description=parse_docstring(resolver).description, **options)
    declared.metadata = {**declared.metadata, "public": public, "size": size, "price": price}
    return describe_arguments(declared, resolver, allow)


FIRST_DESCRIPTION = (
    "After how many updates the subscription completes; without it, it does not end by itself."
)


def subscription(resolver: Callable[..., Any], *, allow: Permission, price: float = COMMAND) -> Any:
    """A stream fed by an async generator in resolvers/; each event is answered with freshly loaded rows.

    Beside the arguments of the resolver it has `first`, the number of updates after which it completes.
    """

    @wraps(resolver)
    async def stream(*args: Any, info: Info, first: int | None = None, **kwargs: Any) -> Any:
        info.context.viewer.require(allow)
        check_update_count(first)
        sent = 0
        async with aclosing(resolver(*args, info=info, **kwargs)) as rows:
            async for row in rows:
                info.context.forget_loaded()
                yield row
                sent += 1
                if sent == first:
                    return

    signature = inspect.signature(resolver, eval_str=True)
    first = inspect.Parameter("first", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=int | None)
    stream.__signature__ = signature.replace(parameters=[*signature.parameters.values(), first])  # type: ignore[attr-defined]
    stream.__annotations__ = {**resolver.__annotations__, "first": int | None}
    declared = strawberry.subscription(resolver=stream, description=parse_docstring(resolver).description)
    for argument in declared.arguments:
        if argument.python_name == "first":
            argument.description = FIRST_DESCRIPTION
    declared.metadata = {**declared.metadata, "price": price, "size": 1}
    return describe_arguments(declared, resolver, allow)


def loaded(
    loader: str,
    *,
    key: str = "id",
    public: timedelta | None = None,
    size: Size | None = None,
    price: float | None = None,
) -> Any:
    """A relation: the loader of this name, with the row's attribute `key`; null where that is null."""

    async def load(root: Any, info: Info) -> Any:
        value = getattr(root, key)
        return None if value is None else await getattr(info.context.load, loader).load(value)

    declared: Any = strawberry.field(resolver=load)
    batch = Loaded(loader, key)
    declared.metadata = {**declared.metadata, "batch": batch, "public": public, "size": size, "price": price}
    return declared


def plain_list(*, size: Size, **options: Any) -> Any:
    """A list that is an attribute of the row."""
    declared: Any = strawberry.field(**options)
    declared.metadata = {**declared.metadata, "size": size}
    return declared


def batched(
    function: BatchResolver,
    *,
    public: timedelta | None = None,
    size: Size | None = None,
    price: float | None = None,
) -> Any:
    """A computed field: `async def stock(variants, info, **arguments) -> [one answer per variant]`."""
    function = with_page_arguments(function)

    async def collect(root: Any, info: Info, **arguments: Any) -> Any:
        return await info.context.batch(function, info, arguments).load(root)

    parameters = list(inspect.signature(function).parameters.values())
    root = inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    collect.__signature__ = inspect.Signature([root, *parameters[1:]])  # type: ignore[attr-defined]
    collect.__annotations__ = {p.name: p.annotation for p in parameters[1:]}
    collect.__module__ = function.__module__
    collect.__name__ = function.__name__
    declared: Any = strawberry.field(resolver=collect, description=parse_docstring(function).description)
    batch = ForAll(function)
    declared.metadata = {**declared.metadata, "batch": batch, "public": public, "size": size, "price": price}
    return describe_arguments(declared, function, None)


def translated(attribute: str) -> Any:
    """A text of the row in the viewer's language; the row has `translations`."""

    def read_for(root: Any, viewer: Viewer) -> str:
        return viewer.translate(root.translations, attribute, getattr(root, attribute))

    def read(root: Any, info: Info) -> str:
        return read_for(root, info.context.viewer_of(info))

    read.read_for = read_for  # type: ignore[attr-defined]
    return strawberry.field(resolver=read)


def guard_resolver(resolver: Callable[..., Any], permission: Permission) -> Callable[..., Awaitable[Any]]:
    """The resolver, refused to viewers without the permission."""

    @wraps(resolver)
    async def answer(*args: Any, info: Info, **kwargs: Any) -> Any:
        info.context.viewer.require(permission)
        answered = resolver(*args, info=info, **kwargs)
        return await answered if inspect.isawaitable(answered) else answered

    return answer


def describe_arguments(declared: Any, resolver: Callable[..., Any], allow: Permission | None) -> Any:
    """The field with the descriptions of its arguments and the permission it asks for."""
    pages = {name: description for name, (_, description) in PAGE_ARGUMENTS.items()}
    descriptions = {**pages, **parse_docstring(resolver).arguments}
    for argument in declared.arguments:
        argument.description = argument.description or descriptions.get(argument.python_name)
    declared.metadata = {**declared.metadata, "allow": allow}
    return declared
