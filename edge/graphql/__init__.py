"""Serves `/graphql`: GraphQL over HTTP, WebSocket, event streams and multipart; GraphiQL for browsers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from edge import caching
from edge.auth import CredentialsRefused
from edge.graphiql import GraphiQL
from edge.graphql.answer import OperationFailed
from edge.graphql.connection import ConnectionViewer, OpenConnections
from edge.graphql.http import (
    ClientGone,
    failure_response,
    open_context,
    read_operation,
    refusal_response,
    respond_once,
)
from edge.graphql.multipart import MultipartFormat
from edge.graphql.negotiation import MediaType, prefers_html
from edge.graphql.operation import Operations
from edge.graphql.request import RequestRefused, check_address, read_post
from edge.graphql.reservations import Reservations, SharedStream, read_operation_id, token_of
from edge.graphql.running import prepare_request
from edge.graphql.sse import EventFormat
from edge.graphql.stream import AnswerStream, SingleFormat
from edge.graphql.websocket import GraphQLSocket
from edge.logs import request_id_of
from edge.persisted_operations import PersistedOperationRefused, PersistedOperations
from events.shop import Shop
from schema.shop import ShopSchema
from text.messages import Message

METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"

FORMATS: dict[MediaType, SingleFormat] = {
    MediaType.EVENT_STREAM: EventFormat(),
    MediaType.MULTIPART: MultipartFormat(),
}

REFUSALS = (RequestRefused, CredentialsRefused, PersistedOperationRefused)


class GraphQLEndpoint:
    """The ASGI application of one path."""

    def __init__(
        self, schema: ShopSchema, shop: Shop, persisted_operations: PersistedOperations, graphiql: GraphiQL
    ) -> None:
        self.graphiql = graphiql
        self.operations = Operations(schema, shop, persisted_operations)
        self.connections = OpenConnections(shop)
        self.reservations = Reservations(self.operations, self.connections)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look after open connections until the block ends; then finish the mutations that still run."""
        async with self.connections.running():
            yield
        await self.operations.finish()

    async def announce_restart(self) -> None:
        """Tell the clients of open connections to connect again, and end these connections."""
        await self.connections.announce_restart()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await GraphQLSocket(self.operations, self.connections, scope, receive, send).serve()
            return
        is_head = scope["method"] == "HEAD"
        request = Request({**scope, "method": "GET"} if is_head else scope, receive)
        try:
            check_address(scope["query_string"])
            response = await self.respond(request, send, streams=not is_head)
        except REFUSALS as refused:
            response = refusal_response(refused)
        except ClientGone:
            return
        if response is not None:
            response = complete_headers(response, request)
            response.body = b"" if is_head else response.body
            await response(scope, receive, send)

    async def respond(self, request: Request, send: Send, *, streams: bool) -> Response | None:
        """The response; None where it has been sent already, part by part, as only `streams` are."""
        token = token_of(request)
        match request.method:
            case "GET" if self.shows_page(request):
                return await self.graphiql.show_page(request)
            case "GET" if streams and token and "query" not in request.query_params:
                await self.serve_reserved(token, request, send)
                return None
            case "POST" if token:
                return await self.start_reserved(token, request)
            case "GET" | "POST":
                return await self.answer(request, send, streams=streams)
            case "PUT":
                return PlainTextResponse(self.reservations.reserve(await self.open_viewer(request)), 201)
            case "DELETE":
                stream = self.own_stream(token, await self.open_viewer(request))
                await stream.stop(request.query_params.get("operationId", ""))
                return Response(status_code=200)
            case "OPTIONS":
                return Response(status_code=204, headers={"Allow": METHODS})
        raise RequestRefused(Message("This method is not served here."), 405, Allow=METHODS)

    def shows_page(self, request: Request) -> bool:
        """Whether the answer is GraphiQL, which is there where the schema is shown."""
        return self.operations.shop.settings.shows_schema and wants_page(request)

    async def answer(self, request: Request, send: Send, *, streams: bool) -> Response | None:
        """Execute the operation of a GET or POST and answer it."""
        asked = await read_operation(self.operations, request)
        if not streams or asked.media_type not in FORMATS:
            return await respond_once(self.operations, request, asked)
        viewer = ConnectionViewer.of(asked.context, request.headers)
        stream = AnswerStream(self.operations, self.connections, FORMATS[asked.media_type], viewer)
        stream.start(asked)
        await stream.serve(request.receive, send)
        return None

    # --- several operations on one event stream

    async def open_viewer(self, request: Request) -> ConnectionViewer:
        return ConnectionViewer.of(await open_context(self.operations, request), request.headers)

    def own_stream(self, token: str, viewer: ConnectionViewer) -> SharedStream:
        """The reserved stream; RequestRefused (404) for one of another account, as for none."""
        stream = self.reservations.find(token)
        if stream.viewer.viewer.account_id != viewer.viewer.account_id:
            return self.reservations.find("")
        return stream

    async def serve_reserved(self, token: str, request: Request, send: Send) -> None:
        """Open a reserved stream; whoever has the token may, since an EventSource sends no headers."""
        stream = self.reservations.open(token)
        try:
            await stream.serve(request.receive, send)
        finally:
            self.reservations.remove(token)

    async def start_reserved(self, token: str, request: Request) -> Response:
        """Execute an operation whose answers go to a reserved stream; 202 when it has begun.

        The credentials of the request hold for the whole stream from now on: they may be fresher.
        """
        viewer = await self.open_viewer(request)
        stream = self.own_stream(token, viewer)
        asked = read_post(request.headers, await request.body())
        operation_id = read_operation_id(asked.extensions)
        await stream.viewer.accept({"authorization": request.headers.get("authorization", "")})
        try:
            prepared = await prepare_request(self.operations, asked, viewer)
        except OperationFailed as failed:
            return failure_response(failed.translate(viewer.viewer), MediaType.RESPONSE_JSON)
        stream.start(operation_id, prepared, request_id_of(request.scope))
        return Response(status_code=202)


def wants_page(request: Request) -> bool:
    """Whether a browser opens the address; one that asks by the hash of a document gets its result."""
    if "extensions" in request.query_params or token_of(request):
        return False
    accepted = request.headers.get("accept", "*/*")
    return prefers_html(accepted) or ("query" not in request.query_params and accepted == "*/*")


def complete_headers(response: Response, request: Request) -> Response:
    """The response, private unless it says otherwise; a public one has an ETag, or is 304."""
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = caching.PRIVATE
    if response.headers["Cache-Control"].startswith("public"):
        return caching.add_etag(response, request.headers)
    return response
