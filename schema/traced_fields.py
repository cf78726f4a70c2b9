"""Each root field of queries and mutations is a part of the trace, where the shop has a tracer."""

from collections.abc import Callable

from graphql import GraphQLResolveInfo, GraphQLSchema

from resolvers.tracing import resolve_in_span, tracer_of


def trace_root_fields(schema: GraphQLSchema) -> None:
    """Wrap the resolvers of the root fields; without a tracer they are called as they were."""
    for root in (schema.query_type, schema.mutation_type):
        for name, declared in root.fields.items() if root else ():
            if declared.resolve:
                declared.resolve = with_span(f"{root}.{name}", declared.resolve)


def with_span(name: str, resolve: Callable[..., object]) -> Callable[..., object]:
    def resolve_field(source: object, info: GraphQLResolveInfo[object], **arguments: object) -> object:
        tracer = tracer_of(info.context)
        if tracer is None:
            return resolve(source, info, **arguments)
        return resolve_in_span(tracer, name, lambda: resolve(source, info, **arguments))

    return resolve_field
