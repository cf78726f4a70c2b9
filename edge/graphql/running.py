"""Running an operation on an open connection: its answers go into the queue, and then how it has ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

import structlog

from edge.auth import CredentialsRefused
from edge.graphql.answer import Answer, OperationFailed
from edge.graphql.connection import ConnectionViewer
from edge.graphql.operation import Operations, PreparedOperation
from edge.graphql.request import GraphQLRequest, RequestRefused
from edge.graphql.send_queue import ReaderTooSlow, SendQueue
from edge.persisted_operations import PersistedOperationRefused
from resolvers.context import Context, Viewer
from schema.shop import INTERNAL
from text.messages import Message

log = structlog.get_logger()


class AnswerFormat(Protocol):
    """How the answers to one operation are written on its connection."""

    def write_answer(self, body: bytes) -> bytes:
        """One answer, given as JSON."""

    def write_failure(self, failed: OperationFailed) -> bytes:
        """Why the operation was not executed, or does not go on; it has ended then."""

    def write_completion(self) -> bytes:
        """The operation has come to its end."""


async def prepare_request(
    operations: Operations, request: GraphQLRequest, viewer: ConnectionViewer
) -> PreparedOperation:
    """The operation that a message asks for; OperationFailed where it cannot be executed."""
    try:
        request = await operations.find_document(request)
        return await operations.prepare(request, viewer.viewer, viewer.place)
    except (RequestRefused, PersistedOperationRefused) as refused:
        failed = OperationFailed.of(refused.message, refused.code, refused.status)
        raise failed.translate(viewer.viewer) from refused


async def answer_operation(
    operations: Operations, prepared: PreparedOperation, viewer: ConnectionViewer, request_id: str
) -> AsyncGenerator[Answer]:
    """The answers to an operation on an open connection.

    The sign-in is checked before the operation and before each answer: CredentialsRefused when it has ended.
    OperationFailed where the operation cannot begin, or does not come to its end.
    """
    context = Context(operations.shop, await viewer.renew(), request_id, viewer.place, origin=viewer.origin)
    await operations.save_document(prepared.request)
    async with aclosing(operations.stream(prepared, context)) as answers:
        async for answer in answers:
            await viewer.renew()
            yield answer


async def queue_answers(
    answers: AsyncGenerator[Answer], queue: SendQueue, form: AnswerFormat, viewer: Viewer
) -> bytes:
    """Queue the answers as they come; the message that ends the operation, which is not queued yet.

    CredentialsRefused where the sign-in has ended.
    """
    version: int | None = None
    try:
        async with aclosing(answers):
            async for answer in answers:
                await queue.put(form.write_answer(answer.body))
                version = answer.version
    except CredentialsRefused:
        raise
    except OperationFailed as failed:
        return form.write_failure(failed.translate(viewer))
    except ReaderTooSlow:
        return form.write_failure(describe_slow_reader(version).translate(viewer))
    except Exception:
        log.exception("operation.failed")
        return form.write_failure(OperationFailed.of(INTERNAL, "INTERNAL").translate(viewer))
    return form.write_completion()


def describe_slow_reader(version: int | None) -> OperationFailed:
    """What a client is told that reads too slowly: the last version that it gets."""
    if version is None:
        return OperationFailed.of(
            Message("This client reads too slowly: subscribe again."), "RESUME_FROM_VERSION"
        )
    message = Message(
        "This client reads too slowly: subscribe again with `after: {version}`.", version=str(version)
    )
    return OperationFailed.of(message, "RESUME_FROM_VERSION", version=version)
