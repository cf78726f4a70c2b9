"""The schema as the shop runs it: fresh loaders, a cache of documents, masked errors."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from functools import partial

import strawberry
import structlog
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule, validate
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from resolvers.context import Context
from resolvers.errors import DomainError, path_of
from schema.compiled_documents import ReuseDocuments, new_document_cache
from schema.redaction import redact_message
from schema.scalars import DateTime

log = structlog.get_logger()

INTROSPECTION = re.compile(r"\b__(schema|type)\b")
"""What the text of each introspection has, and other texts seldom."""

INTERNAL = "Something went wrong on our side."


class FreshLoaders(SchemaExtension):
    """New loaders for each operation: the operations of one WebSocket share a context, not what was read."""

    async def on_operation(self) -> AsyncIterator[None]:
        self.execution_context.context.forget_loaded()
        yield


class HideSchema(SchemaExtension):
    """Refuses introspection where the shop does not show its schema; `__typename` is no introspection."""

    def on_validate(self) -> Iterator[None]:
        operation = self.execution_context
        document = operation.graphql_document
        if (
            document is not None
            and INTROSPECTION.search(operation.query or "")
            and not shows_schema(operation.context)
        ):
            errors = validate(operation.schema._schema, document, [NoSchemaIntrospectionCustomRule])
            operation.pre_execution_errors = errors or operation.pre_execution_errors
        yield


def shows_schema(context: object) -> bool:
    """Whether the settings of the request's shop allow it; without a shop nothing is shown."""
    return isinstance(context, Context) and context.shop.settings.shows_schema


class ShopSchema(strawberry.Schema):
    """Shows refusals; any other error is logged whole and shown as one sentence with the request id."""

    def __init__(self, *, query: type, mutation: type, subscription: type) -> None:
        self.documents = new_document_cache()
        reuse = partial(ReuseDocuments, self.documents)
        super().__init__(
            query,
            mutation,
            subscription,
            extensions=[FreshLoaders, reuse, HideSchema],
            scalar_overrides={datetime: DateTime},
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        context = getattr(execution_context, "context", None)
        request_id = getattr(context, "request_id", "")
        for error in errors:
            cause = error.original_error
            if isinstance(cause, DomainError):
                if cause.field:
                    error.extensions = {**cause.extensions, "field": path_of(cause)}
                continue
            if cause is None or isinstance(cause, GraphQLError):
                error.message = redact_message(error.message, suggest=shows_schema(context))
                continue
            log.error("graphql.failed", path=error.path, exc_info=cause)
            error.message = INTERNAL
            error.extensions = {"code": "INTERNAL", "requestId": request_id}
