"""The schema as the shop runs it: fresh loaders, a cache of documents, masked errors."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from resolvers.errors import DomainError, path_of
from schema.compiled_documents import ReuseDocuments, new_document_cache
from schema.scalars import DateTime

log = structlog.get_logger()

INTERNAL = "Something went wrong on our side."
REPEATED_VALUE = re.compile(r""",? found:? [{['"].*""", re.DOTALL)
"""Where the message of a validation repeats the value it was given, which may hold a password."""


class FreshLoaders(SchemaExtension):
    """New loaders for each operation: the operations of one WebSocket share a context, not what was read."""

    async def on_operation(self) -> AsyncIterator[None]:
        self.execution_context.context.forget_loaded()
        yield


class ShopSchema(strawberry.Schema):
    """Shows refusals; any other error is logged whole and shown as one sentence with the request id."""

    def __init__(self, *, query: type, mutation: type, subscription: type) -> None:
        self.documents = new_document_cache()
        reuse = partial(ReuseDocuments, self.documents)
        super().__init__(
            query,
            mutation,
            subscription,
            extensions=[FreshLoaders, reuse],
            scalar_overrides={datetime: DateTime},
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        request_id = getattr(getattr(execution_context, "context", None), "request_id", "")
        for error in errors:
            cause = error.original_error
            if isinstance(cause, DomainError):
                if cause.field:
                    error.extensions = {**cause.extensions, "field": path_of(cause)}
                continue
            if cause is None or isinstance(cause, GraphQLError):
                error.message = REPEATED_VALUE.sub(".", error.message)
                continue
            log.error("graphql.failed", path=error.path, exc_info=cause)
            error.message = INTERNAL
            error.extensions = {"code": "INTERNAL", "requestId": request_id}
