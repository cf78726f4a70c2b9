"""Several operations on one event stream: the "single connection mode" of graphql-sse.

A client reserves a stream (PUT), opens it (GET), and requests operations beside it (POST, DELETE). A
reservation is kept by one process: where several serve, a proxy has to send all four to the same one.
"""

import asyncio
import secrets

from starlette.requests import Request

from edge.auth import CredentialsRefused
from edge.graphql.answer import OperationFailed
from edge.graphql.connection import ConnectionViewer, OpenConnections
from edge.graphql.operation import Operations, PreparedOperation
from edge.graphql.request import RequestRefused
from edge.graphql.running import answer_operation, queue_answers
from edge.graphql.sse import EventFormat, SharedEventFormat
from edge.graphql.stream import StreamConnection
from text.messages import Message

TOKEN_HEADER = "x-graphql-event-stream-token"  # noqa: S105 - the name of a header
TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a parameter

RESERVATION_SECONDS = 30.0
"""How long a reserved stream may wait to be opened."""

RESERVATIONS_LIMIT = 2_000
"""Streams of one process, reserved and open."""

OPERATION_ID_LENGTH = 200


class SharedStream(StreamConnection):
    """A reserved event stream, which has the answers to all operations that its client requests beside it."""

    opened = False

    def start(self, operation_id: str, prepared: PreparedOperation, request_id: str) -> None:
        """Begin to execute an operation; RequestRefused for an id that is in use, and beyond the limit."""
        if operation_id in self.running:
            raise RequestRefused(Message("An operation with this id is running."), 409)
        if len(self.running) >= self.settings.operations:
            raise RequestRefused(
                Message("Too many operations run on this event stream."), 429, code="TOO_MANY_OPERATIONS"
            )
        task = asyncio.create_task(self.produce(operation_id, prepared, request_id))
        self.running[operation_id] = task

    async def stop(self, operation_id: str) -> None:
        """End an operation, if it still runs."""
        if task := self.running.pop(operation_id, None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def produce(self, operation_id: str, prepared: PreparedOperation, request_id: str) -> None:
        """Queue the answers, and how the operation has ended."""
        try:
            with self.operations.shop.metrics.live_operations.hold(self.form.transport):
                answers = answer_operation(self.operations, prepared, self.viewer, request_id)
                form = SharedEventFormat(operation_id)
                ending = await queue_answers(answers, self.queue, form, self.viewer.viewer)
            self.forget(operation_id)
            self.queue.put_now(ending)
        except CredentialsRefused:
            self.lose_rights()
        finally:
            self.forget(operation_id)

    def forget(self, operation_id: str) -> None:
        """Free the id of the operation that the present task runs."""
        if self.running.get(operation_id) is asyncio.current_task():
            del self.running[operation_id]

    def write_ended(self, failed: OperationFailed) -> bytes:
        return b"".join(SharedEventFormat(each).write_failure(failed) for each in self.running)


class Reservations:
    """The event streams that clients have reserved in this process, by their tokens."""

    def __init__(self, operations: Operations, connections: OpenConnections) -> None:
        self.operations = operations
        self.connections = connections
        self.streams: dict[str, SharedStream] = {}

    def reserve(self, viewer: ConnectionViewer) -> str:
        """The token of a new stream; RequestRefused where there are too many."""
        if len(self.streams) >= RESERVATIONS_LIMIT:
            raise RequestRefused(Message("Too many event streams are open."), 503, code="BUSY")
        token = secrets.token_urlsafe(24)
        self.streams[token] = SharedStream(self.operations, self.connections, EventFormat(), viewer)
        asyncio.get_running_loop().call_later(RESERVATION_SECONDS, self.expire, token)
        return token

    def expire(self, token: str) -> None:
        """Give up a stream that nobody has opened."""
        stream = self.streams.get(token)
        if stream and not stream.opened:
            self.remove(token)

    def remove(self, token: str) -> None:
        if stream := self.streams.pop(token, None):
            stream.cancel_operations()

    def open(self, token: str) -> SharedStream:
        """The stream, to be served by the caller, who removes it afterwards; each is opened once."""
        stream = self.find(token)
        if stream.opened:
            raise RequestRefused(Message("This event stream is open already."), 409)
        stream.opened = True
        return stream

    def find(self, token: str) -> SharedStream:
        """The stream of a token; RequestRefused (404) where there is none."""
        stream = self.streams.get(token)
        if stream is None:
            raise RequestRefused(
                Message("There is no such event stream: reserve one by PUT."), 404, code="NOT_FOUND"
            )
        return stream


def token_of(request: Request) -> str:
    """The token that a request names; empty when there is none."""
    return request.headers.get(TOKEN_HEADER, "") or request.query_params.get(TOKEN_PARAMETER, "")


def read_operation_id(extensions: dict[str, object] | None) -> str:
    """The id that a client gives an operation; RequestRefused where it gives none."""
    value = (extensions or {}).get("operationId")
    if not isinstance(value, str) or not 0 < len(value) <= OPERATION_ID_LENGTH:
        raise RequestRefused(Message("`extensions.operationId` names the operation on its event stream."))
    return value
