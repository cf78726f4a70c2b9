"""The schema as the shop runs it: fresh loaders, a cache of documents, masked errors."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

import strawberry
import structlog
from graphql import DocumentNode, GraphQLError, NoSchemaIntrospectionCustomRule, validate
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

import models
from resolvers.context import Context
from resolvers.errors import REFUSALS, Message, SentenceError, path_of, refusal_of, translate_error
from schema.compiled_documents import Documents, ReuseDocuments
from schema.direct_fields import prepare_direct_fields
from schema.executor import CountingExecutor
from schema.incoming_text import normalize_arguments
from schema.privacy import prepare_privacy
from schema.redaction import redact_message
from schema.scalars import CarrierCode, DateTime
from schema.traced_fields import trace_root_fields

log = structlog.get_logger()

INTROSPECTION = re.compile(r"\b__(schema|type)\b")
"""What the text of each introspection has, and other texts seldom."""

INTERNAL = Message("Something went wrong on our side.")


class FreshLoaders(SchemaExtension):
    """New loaders for each operation: the operations of one WebSocket share a context, not what was read."""

    async def on_operation(self) -> AsyncIterator[None]:
        self.execution_context.context.forget_loaded()
        yield


class HideSchema(SchemaExtension):
    """Refuses introspection where the shop does not show its schema; `__typename` is no introspection."""

    def on_validate(self) -> Iterator[None]:
        operation = self.execution_context
        document, schema = operation.graphql_document, operation.schema
        if document is not None and isinstance(schema, ShopSchema) and not shows_schema(operation.context):
            errors = schema.find_introspection(operation.query or "", document)
            operation.pre_execution_errors = errors or operation.pre_execution_errors
        yield


def shows_schema(context: object) -> bool:
    """Whether the settings of the request's shop allow it; without a shop nothing is shown."""
    return isinstance(context, Context) and context.shop.settings.shows_schema


class ShopSchema(strawberry.Schema):
    """Shows refusals; any other error is logged whole and shown as one sentence with the request id."""

    def __init__(self, *, query: type, mutation: type, subscription: type) -> None:
        super().__init__(
            query,
            mutation,
            subscription,
            extensions=[FreshLoaders, lambda: ReuseDocuments(self.documents), HideSchema],
            execution_context_class=CountingExecutor,
            scalar_overrides={datetime: DateTime, models.CarrierCode: CarrierCode},
        )
        normalize_arguments(self._schema)
        trace_root_fields(self._schema)
        prepare_privacy(self._schema)
        prepare_direct_fields(self._schema)
        self.documents = Documents(self._schema)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        context = getattr(execution_context, "context", None)
        shop_context = context if isinstance(context, Context) else None
        mask_errors(errors, shop_context, suggest=shows_schema(context))

    def find_introspection(self, text: str, document: DocumentNode) -> list[GraphQLError]:
        """An error for each field of a document that shows the schema."""
        if not INTROSPECTION.search(text):
            return []
        return validate(self._schema, document, [NoSchemaIntrospectionCustomRule])


def mask_errors(errors: Sequence[GraphQLError], context: Context | None, *, suggest: bool) -> None:
    """Leave what a client may read of errors: refusals, and validations without the values they repeat.

    With `suggest`, validations name what may have been meant.

    Any other error is logged, and its message replaced by INTERNAL with the id of the request. What is one of
    the catalogue of messages is translated for the viewer; without a context it stays in English.
    """
    for error in errors:
        cause = error.original_error
        viewer = context and (context.viewer_at(error.path[0]) if error.path else context.viewer)
        if viewer:
            translate_error(error, viewer)
        if isinstance(cause, REFUSALS):
            refusal = refusal_of(cause)
            error.extensions = dict(refusal.extensions)
            if refusal.field:
                error.extensions["field"] = path_of(refusal)
            continue
        if isinstance(error, SentenceError):
            continue
        if cause is None or isinstance(cause, GraphQLError):
            error.message = redact_message(error.message, suggest=suggest)
            continue
        log.error("graphql.failed", path=error.path, exc_info=cause)
        error.message = viewer.text_of(INTERNAL) if viewer else str(INTERNAL)
        error.extensions = {"code": "INTERNAL", "requestId": context.request_id if context else ""}
