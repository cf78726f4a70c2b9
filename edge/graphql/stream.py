"""Answers to operations over a response that stays open: event streams and multipart."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Protocol

import structlog
from starlette.types import Receive, Send

from edge.auth import CredentialsRefused
from edge.graphql.answer import OperationFailed
from edge.graphql.connection import ENDED, ConnectionViewer, OpenConnections
from edge.graphql.http import HttpOperation, wait_for_disconnect
from edge.graphql.operation import Operations
from edge.graphql.outbox import Outbox, OutboxLimits, ReaderTooSlow
from edge.graphql.running import answer_operation, describe_slow_reader

log = structlog.get_logger()

HEADERS = {"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
"""Neither kept by caches nor collected by a proxy before it passes it on."""


class StreamFormat(Protocol):
    """How the parts of a stream are written."""

    transport: str
    """The name by which its operations are counted."""
    content_type: str
    opening: bytes
    keep_alive: bytes
    """Sent while nothing happens; clients ignore it."""
    ending: bytes
    """The end of the response."""

    def write_answer(self, body: bytes) -> bytes:
        """One answer to the operation."""

    def write_failure(self, failed: OperationFailed) -> bytes:
        """Why the operation has ended."""

    def write_completion(self) -> bytes:
        """The operation has ended."""

    def write_restart(self, milliseconds: int) -> bytes:
        """The process ends; the client connects again after this time."""


class AnswerStream:
    """One operation whose answers are the parts of one response."""

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
        self.producer: asyncio.Task[None] | None = None

    async def serve(self, asked: HttpOperation, receive: Receive, send: Send) -> None:
        """Answer the operation until it ends or the client closes the connection."""

        async def send_part(part: bytes) -> None:
            await send({"type": "http.response.body", "body": part, "more_body": True})

        self.outbox = Outbox(send_part, OutboxLimits.of(self.settings))
        await send(start_message(self.form.content_type))
        self.outbox.put_now(self.form.opening)
        self.producer = asyncio.create_task(self.produce(asked))
        self.connections.open.add(self)
        try:
            with self.operations.shop.metrics.live_connections.hold(self.form.transport):
                await send_until_gone(self.outbox, self.form, self.settings.keep_alive, receive, send)
        finally:
            self.connections.open.discard(self)
            self.producer.cancel()
            await asyncio.gather(self.producer, return_exceptions=True)

    async def produce(self, asked: HttpOperation) -> None:
        """Queue the answers, and how the operation has ended."""
        version: int | None = None
        try:
            with self.operations.shop.metrics.live_operations.hold(self.form.transport):
                if isinstance(asked.prepared, OperationFailed):
                    raise asked.prepared
                request_id = asked.context.request_id
                answers = answer_operation(self.operations, asked.prepared, self.viewer, request_id)
                async with aclosing(answers):
                    async for answer in answers:
                        await self.outbox.put(self.form.write_answer(answer.body))
                        version = answer.version
        except OperationFailed as failed:
            self.finish(self.form.write_failure(failed))
        except ReaderTooSlow:
            self.finish(self.form.write_failure(describe_slow_reader(version)))
        except CredentialsRefused:
            self.lose_rights()
        else:
            self.finish(b"")

    def finish(self, last: bytes) -> None:
        """Queue the last part; what still runs ends, and the response behind it."""
        self.outbox.put_now(last + self.form.write_completion())
        self.outbox.end()

    def lose_rights(self) -> None:
        self.finish(self.form.write_failure(OperationFailed.of(ENDED, "UNAUTHENTICATED")))

    async def check_rights(self) -> None:
        try:
            await self.viewer.renew()
        except CredentialsRefused:
            if self.producer:
                self.producer.cancel()
            self.lose_rights()

    def announce_restart(self, retry_after: timedelta) -> None:
        if self.producer:
            self.producer.cancel()
        self.outbox.put_now(self.form.write_restart(int(retry_after.total_seconds() * 1000)))
        self.outbox.end()


def start_message(content_type: str) -> dict[str, object]:
    """The ASGI message that begins a stream."""
    headers: Mapping[str, str] = {"Content-Type": content_type, **HEADERS}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": encoded}


async def send_until_gone(
    outbox: Outbox, form: StreamFormat, keep_alive: timedelta, receive: Receive, send: Send
) -> None:
    """Send what is queued until the outbox ends, then the end of the response; or until the client goes."""
    gone = asyncio.create_task(wait_for_disconnect(receive))
    writer = asyncio.create_task(outbox.run(idle=keep_alive.total_seconds(), keep_alive=form.keep_alive))
    try:
        await asyncio.wait({gone, writer}, return_when=asyncio.FIRST_COMPLETED)
        if writer.done() and not gone.done():
            writer.result()
            await send({"type": "http.response.body", "body": form.ending, "more_body": False})
    except TimeoutError:
        log.info("stream.reader_gone", queued=outbox.size)
    finally:
        for task in (gone, writer):
            task.cancel()
        await asyncio.gather(gone, writer, return_exceptions=True)
