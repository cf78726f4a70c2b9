"""Answers over a response that stays open: event streams and multipart."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

import structlog
from starlette.types import Receive, Send

from edge.auth import CredentialsRefused
from edge.graphql.answer import OperationFailed
from edge.graphql.connection import ENDED, ConnectionViewer, OpenConnections
from edge.graphql.http import HttpOperation, wait_for_disconnect
from edge.graphql.operation import Operations
from edge.graphql.running import AnswerFormat, answer_operation, queue_answers
from edge.graphql.send_queue import SendLimits, SendQueue
from resolvers.context import Viewer

log = structlog.get_logger()

HEADERS = {"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
"""Neither kept by caches nor collected by a proxy before it passes it on."""


class StreamFormat(Protocol):
    """How a response that stays open begins, goes on and ends."""

    transport: str
    """The name by which its operations are counted."""
    content_type: str
    opening: bytes
    keep_alive: bytes
    """Sent while nothing happens; clients ignore it."""
    ending: bytes

    def write_restart(self, milliseconds: int, viewer: Viewer) -> bytes:
        """The process ends; the client connects again after this time."""


class SingleFormat(AnswerFormat, StreamFormat, Protocol):
    """A response that has the answers to one operation."""


class StreamConnection:
    """A response that stays open, and how it is sent."""

    def __init__(
        self,
        operations: Operations,
        connections: OpenConnections,
        form: StreamFormat,
        viewer: ConnectionViewer,
    ) -> None:
        self.operations = operations
        self.connections = connections
        self.form = form
        self.viewer = viewer
        self.settings = operations.shop.settings.graphql
        self.queue = SendQueue(SendLimits.of(self.settings))
        self.running: dict[str, asyncio.Task[None]] = {}
        """The operations, by their ids."""

    async def serve(self, receive: Receive, send: Send) -> None:
        """Send the answers until the queue ends or the client closes the connection; then nothing runs."""
        self.connections.open.add(self)
        try:
            # Whoever counts open connections may refuse this one here: then nothing may go on running.
            await send(start_message(self.form.content_type))
            self.queue.put_now(self.form.opening)
            with self.operations.shop.metrics.live_connections.hold(self.form.transport):
                await self.send_until_gone(receive, send)
        finally:
            self.connections.open.discard(self)
            self.cancel_operations()
            await asyncio.gather(*self.running.values(), return_exceptions=True)

    async def send_until_gone(self, receive: Receive, send: Send) -> None:
        async def send_part(part: bytes) -> None:
            await send({"type": "http.response.body", "body": part, "more_body": True})

        idle, keep_alive = self.settings.keep_alive.total_seconds(), self.form.keep_alive
        gone = asyncio.create_task(wait_for_disconnect(receive))
        writer = asyncio.create_task(self.queue.run(send_part, idle=idle, keep_alive=keep_alive))
        try:
            await asyncio.wait({gone, writer}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not gone.done():
                writer.result()
                await send({"type": "http.response.body", "body": self.form.ending, "more_body": False})
        except TimeoutError:
            log.info("stream.reader_gone", queued=self.queue.size)
        finally:
            for task in (gone, writer):
                task.cancel()
            await asyncio.gather(gone, writer, return_exceptions=True)

    def cancel_operations(self) -> None:
        for task in self.running.values():
            task.cancel()

    def lose_rights(self) -> None:
        """End everything, since the sign-in has ended."""
        self.cancel_operations()
        failed = OperationFailed.of(ENDED, "UNAUTHENTICATED").translate(self.viewer.viewer)
        self.queue.put_now(self.write_ended(failed))
        self.queue.end()

    def write_ended(self, failed: OperationFailed) -> bytes:
        """Why the connection ends."""
        raise NotImplementedError

    @property
    def family(self) -> str | None:
        return self.viewer.family

    async def check_rights(self) -> None:
        try:
            await self.viewer.renew()
        except CredentialsRefused:
            self.lose_rights()

    def give_up(self) -> None:
        self.queue.give_up()

    def announce_restart(self, retry_after: timedelta) -> None:
        self.cancel_operations()
        milliseconds = int(retry_after.total_seconds() * 1000)
        self.queue.put_now(self.form.write_restart(milliseconds, self.viewer.viewer))
        self.queue.end()


class AnswerStream(StreamConnection):
    """A response that has the answers to one operation, and ends with it."""

    def __init__(
        self,
        operations: Operations,
        connections: OpenConnections,
        form: SingleFormat,
        viewer: ConnectionViewer,
    ) -> None:
        super().__init__(operations, connections, form, viewer)
        self.answer_form = form

    def start(self, asked: HttpOperation) -> None:
        """Begin to execute the operation."""
        self.running[""] = asyncio.create_task(self.produce(asked))

    async def produce(self, asked: HttpOperation) -> None:
        """Queue the answers, and how the operation has ended."""
        prepared, request_id = asked.prepared, asked.context.request_id
        try:
            if isinstance(prepared, OperationFailed):
                ending = self.answer_form.write_failure(prepared.translate(self.viewer.viewer))
            else:
                with self.operations.shop.metrics.live_operations.hold(self.form.transport):
                    answers = answer_operation(self.operations, prepared, self.viewer, request_id)
                    ending = await queue_answers(answers, self.queue, self.answer_form, self.viewer.viewer)
        except CredentialsRefused:
            self.lose_rights()
        else:
            self.queue.put_now(ending)
            self.queue.end()

    def write_ended(self, failed: OperationFailed) -> bytes:
        return self.answer_form.write_failure(failed)


def start_message(content_type: str) -> dict[str, object]:
    """The ASGI message that begins a stream."""
    headers: Mapping[str, str] = {"Content-Type": content_type, **HEADERS}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": encoded}
