"""A root field as a part of a trace."""

from collections.abc import Callable
from inspect import isawaitable

from gateways.tracing import Tracer
from resolvers.context import Context


async def resolve_in_span(tracer: Tracer, name: str, resolve: Callable[[], object]) -> object:
    with tracer.span(name, {}):
        result = resolve()
        return await result if isawaitable(result) else result


def tracer_of(context: object) -> Tracer | None:
    """The tracer of the request's shop, if it has one."""
    return context.shop.tracer if isinstance(context, Context) else None
