"""The schema as this shop runs it: fresh loaders, known documents, and no error that tells too much."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from domain.errors import DomainError
from schema.documents import KnownDocuments, known_documents
from schema.mutation import field_of
from schema.scalars import DateTime

log = structlog.get_logger()

INTERNAL = "Something went wrong on our side."
GIVEN = re.compile(r""",? found:? [{['"].*""", re.DOTALL)
"""How a validation repeats what it was given, with a password in it as likely as not."""


class FreshLoaders(SchemaExtension):
    """Operations of one WebSocket share a context, not what they have read."""

    async def on_operation(self) -> AsyncIterator[None]:
        self.execution_context.context.forget()
        yield


class ShopSchema(strawberry.Schema):
    """Refusals are shown; anything else is logged whole and shown as a sentence and a request id."""

    def __init__(self, *, query: type, mutation: type, subscription: type) -> None:
        self.documents = known_documents()
        known = partial(KnownDocuments, self.documents)
        super().__init__(
            query,
            mutation,
            subscription,
            extensions=[FreshLoaders, known],
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
                    error.extensions = {**cause.extensions, "field": field_of(cause)}
                continue
            if cause is None or isinstance(cause, GraphQLError):
                error.message = GIVEN.sub(".", error.message)
                continue
            log.error("graphql.failed", path=error.path, exc_info=cause)
            error.message = INTERNAL
            error.extensions = {"code": "INTERNAL", "requestId": request_id}
