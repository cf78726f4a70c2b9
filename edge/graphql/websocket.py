"""GraphQL over WebSocket, by the protocol graphql-transport-ws."""

import asyncio
from datetime import timedelta

import structlog
from starlette.datastructures import Headers
from starlette.types import Message as ASGIMessage
from starlette.types import Receive, Scope, Send

from edge.auth import CredentialsRefused, viewer_of
from edge.connections import NO_ROOM, ROOM, LiveConnection
from edge.cors import may_open_socket
from edge.graphql import messages
from edge.graphql.answer import OperationFailed
from edge.graphql.connection import ENDED, ConnectionViewer, OpenConnections, place_of
from edge.graphql.messages import (
    PROTOCOL,
    ClientMessage,
    Complete,
    ConnectionInit,
    Ping,
    SocketClosed,
    SocketFormat,
    Subscribe,
    read_message,
)
from edge.graphql.operation import Operations
from edge.graphql.request import GraphQLRequest
from edge.graphql.running import answer_operation, prepare_request, queue_answers
from edge.graphql.send_queue import ReaderTooSlow, SendLimits, SendQueue
from edge.logs import request_id_of
from edge.shop_address import shop_address
from gateways.leases import LimitExceeded
from text.messages import Message

log = structlog.get_logger()

TOO_MANY = "TOO_MANY_OPERATIONS"


class GraphQLSocket:
    """One WebSocket: reads messages in order, runs operations beside each other, sends through one queue."""

    def __init__(
        self, operations: Operations, connections: OpenConnections, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.operations = operations
        self.connections = connections
        self.settings = operations.shop.settings.graphql
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers = Headers(scope=scope)
        self.queue = SendQueue(SendLimits.of(self.settings))
        self.viewer: ConnectionViewer | None = None
        self.init_received = False
        self.running: dict[str, asyncio.Task[None]] = {}
        self.closing: SocketClosed | None = None

    async def serve(self) -> None:
        """Accept the WebSocket and serve it until either side closes it; then nothing of it runs any more."""
        await self.receive()  # websocket.connect
        origin, host = self.headers.get("origin"), self.headers.get("host")
        if not may_open_socket(origin, host, self.operations.shop.settings):
            await self.send({"type": "websocket.close", "code": messages.FORBIDDEN})
            return
        if PROTOCOL not in self.scope["subprotocols"]:
            await self.send({"type": "websocket.accept"})
            await self.send_close(
                SocketClosed(messages.PROTOCOL_NOT_ACCEPTABLE, f"The protocol is {PROTOCOL}.")
            )
            return
        await self.send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        self.connections.open.add(self)
        with self.operations.shop.metrics.live_connections.hold("websocket"):
            await self.serve_accepted()

    async def serve_accepted(self) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.settings.init_timeout.total_seconds(), self.close_uninitialised)
        reader = asyncio.create_task(self.read())
        try:
            await self.queue.run(self.send_text)
            if self.closing:
                await self.send_close(self.closing)
        except TimeoutError:
            log.info("socket.reader_gone", queued=self.queue.size)
        except OSError:
            pass  # the client has closed the connection
        finally:
            timer.cancel()
            self.connections.open.discard(self)
            self.cancel_operations()
            reader.cancel()
            await asyncio.gather(reader, *self.running.values(), return_exceptions=True)

    async def send_text(self, message: bytes) -> None:
        # Text, since browsers read a binary frame as a Blob.
        await self.send({"type": "websocket.send", "text": message.decode()})

    async def send_close(self, closing: SocketClosed) -> None:
        await self.send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})

    def close(self, code: int, reason: str) -> None:
        """Stop everything that runs and close the socket behind what is queued."""
        if self.closing is None:
            self.closing = SocketClosed(code, reason)
            self.cancel_operations()
            self.queue.end()

    def close_uninitialised(self) -> None:
        if not self.init_received:
            self.close(messages.INIT_TIMEOUT, "Connection initialisation timeout")

    def cancel_operations(self) -> None:
        for task in self.running.values():
            task.cancel()

    # --- what the client sends

    async def read(self) -> None:
        """Handle the messages of the client until it disconnects."""
        try:
            while (event := await self.receive())["type"] == "websocket.receive":
                await self.queue.wait_for_room()
                await self.handle(read_message(self.text_of(event)))
        except SocketClosed as closed:
            self.close(closed.code, closed.reason)
        except ReaderTooSlow:
            self.close(messages.TRY_AGAIN_LATER, "This client reads too slowly.")
        except CredentialsRefused as refused:
            self.close(messages.FORBIDDEN, str(refused))
        finally:
            self.queue.end()

    def text_of(self, event: ASGIMessage) -> str:
        text = event.get("text")
        if text is None:
            raise SocketClosed(messages.BAD_REQUEST, "A message is text.")
        if len(text) > self.settings.message_bytes:
            raise SocketClosed(messages.MESSAGE_TOO_BIG, "The message is too large.")
        return str(text)

    async def handle(self, message: ClientMessage) -> None:
        """Do what a message asks for; SocketClosed or CredentialsRefused where that ends the connection."""
        match message:
            case ConnectionInit(payload):
                await self.initialise(payload)
            case Ping(payload):
                await self.answer_ping(payload)
            case Subscribe(operation_id, request):
                await self.start(operation_id, request)
            case Complete(operation_id):
                if task := self.running.pop(operation_id, None):
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    async def initialise(self, payload: messages.Payload) -> None:
        if self.init_received:
            raise SocketClosed(messages.TOO_MANY_INITS, "Too many initialisation requests")
        self.init_received = True
        given = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
        shop, headers = self.operations.shop, {**self.headers, **given}
        viewer = await viewer_of(headers, shop)
        await self.claim_place(viewer.account_id)
        place, origin = place_of(shop, self.scope), shop_address(self.scope, shop.settings)
        self.viewer = ConnectionViewer(shop, headers, viewer, place, origin=origin)
        await self.queue.put(messages.ACK)

    async def claim_place(self, account_id: int | None) -> None:
        """Count this socket for an account, too; SocketClosed where the account has too many."""
        place = self.scope.get("state", {}).get(ROOM)
        try:
            if isinstance(place, LiveConnection):
                await place.claim_account(account_id)
        except LimitExceeded:
            raise SocketClosed(messages.TRY_AGAIN_LATER, str(NO_ROOM)) from None

    async def answer_ping(self, payload: messages.Payload | None) -> None:
        """Answer with the same payload; one that holds a fresh token is taken over, and not sent back."""
        if self.viewer and payload and "authorization" in payload:
            await self.viewer.accept(payload)
            await self.claim_place(self.viewer.viewer.account_id)
            payload = {"authorization": "accepted"}
        await self.queue.put(messages.write_pong(payload))

    async def start(self, operation_id: str, request: GraphQLRequest) -> None:
        if self.viewer is None:
            raise SocketClosed(messages.UNAUTHORIZED, "Unauthorized")
        if operation_id in self.running:
            raise SocketClosed(messages.ALREADY_EXISTS, f"Subscriber for {operation_id} already exists")
        if len(self.running) >= self.settings.operations:
            failed = OperationFailed.of(
                Message(
                    "One connection runs {limit} operations at the same time.",
                    limit=self.settings.operations,
                ),
                TOO_MANY,
            )
            translated = failed.translate(self.viewer.viewer)
            await self.queue.put(SocketFormat(operation_id).write_failure(translated))
            return
        task = asyncio.create_task(self.run_operation(operation_id, request, self.viewer))
        self.running[operation_id] = task

    # --- operations

    async def run_operation(
        self, operation_id: str, request: GraphQLRequest, viewer: ConnectionViewer
    ) -> None:
        """Run one operation and queue its answers, then that it is complete or why it has ended."""
        form = SocketFormat(operation_id)
        try:
            with self.operations.shop.metrics.live_operations.hold("websocket"):
                prepared = await prepare_request(self.operations, request, viewer)
                request_id = request_id_of(self.scope)
                answers = answer_operation(self.operations, prepared, viewer, request_id)
                ending = await queue_answers(answers, self.queue, form, viewer.viewer)
            self.end_operation(operation_id, ending)
        except OperationFailed as failed:
            self.end_operation(operation_id, form.write_failure(failed.translate(viewer.viewer)))
        except CredentialsRefused:
            self.close(messages.FORBIDDEN, str(ENDED))
        finally:
            self.forget(operation_id)

    def end_operation(self, operation_id: str, message: bytes) -> None:
        """Queue the last message of an operation, whose id may be used again from now on."""
        self.forget(operation_id)
        self.queue.put_now(message)

    def forget(self, operation_id: str) -> None:
        """Free the id of the operation that the present task runs."""
        if self.running.get(operation_id) is asyncio.current_task():
            del self.running[operation_id]

    # --- what ends the connection from our side

    @property
    def family(self) -> str | None:
        return self.viewer.family if self.viewer else None

    async def check_rights(self) -> None:
        if self.viewer is None:
            return
        try:
            await self.viewer.renew()
        except CredentialsRefused:
            self.close(messages.FORBIDDEN, str(ENDED))

    def give_up(self) -> None:
        self.queue.give_up()

    def announce_restart(self, retry_after: timedelta) -> None:
        milliseconds = int(retry_after.total_seconds() * 1000)
        self.close(messages.SERVICE_RESTART, f"Service restart: connect again in {milliseconds} ms.")
