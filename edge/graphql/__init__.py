"""Serves `/graphql`: GraphQL over HTTP, WebSocket, event streams and multipart; GraphiQL for browsers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge import caching
from edge.auth import CredentialsRefused
from edge.graphiql import graphiql_page
from edge.graphql.connection import ConnectionViewer, OpenConnections
from edge.graphql.http import (
    ClientGone,
    HttpOperation,
    read_operation,
    refusal_response,
    respond_once,
)
from edge.graphql.multipart import MultipartFormat
from edge.graphql.negotiation import MediaType, prefers_html
from edge.graphql.operation import Operations
from edge.graphql.request import RequestRefused, check_address
from edge.graphql.sse import EventFormat
from edge.graphql.stream import AnswerStream, StreamFormat
from edge.graphql.websocket import GraphQLSocket
from edge.persisted_operations import PersistedOperationRefused, PersistedOperations
from events.shop import Shop
from schema.shop import ShopSchema

METHODS = "GET, HEAD, POST, OPTIONS"

FORMATS: dict[MediaType, StreamFormat] = {
    MediaType.EVENT_STREAM: EventFormat(),
    MediaType.MULTIPART: MultipartFormat(),
}

REFUSALS = (RequestRefused, CredentialsRefused, PersistedOperationRefused)


class GraphQLEndpoint:
    """The ASGI application of one path."""

    def __init__(self, schema: ShopSchema, shop: Shop, persisted_operations: PersistedOperations) -> None:
        self.operations = Operations(schema, shop, persisted_operations)
        self.connections = OpenConnections(shop)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look after open connections until the block ends; then finish the mutations that still run."""
        async with self.connections.running():
            yield
        await self.operations.finish()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await GraphQLSocket(self.operations, self.connections, scope, receive, send).serve()
            return
        is_head = scope["method"] == "HEAD"
        request = Request({**scope, "method": "GET"} if is_head else scope, receive)
        try:
            check_address(scope["query_string"])
            if (response := self.respond_without_operation(request)) is None:
                asked = await read_operation(self.operations, request)
                if asked.media_type in FORMATS and not is_head:
                    await self.stream(request, asked, send)
                    return
                response = await respond_once(self.operations, request, asked)
        except REFUSALS as refused:
            response = refusal_response(refused)
        except ClientGone:
            return
        response = complete_headers(response, request)
        response.body = b"" if is_head else response.body
        await response(scope, receive, send)

    def respond_without_operation(self, request: Request) -> Response | None:
        """The response to a request that asks for no operation; None for those that do."""
        match request.method:
            case "GET":
                return graphiql_page(request) if self.shows_page(request) else None
            case "POST":
                return None
            case "OPTIONS":
                return Response(status_code=204, headers={"Allow": METHODS})
        raise RequestRefused("This method is not served here.", 405, Allow=METHODS)

    def shows_page(self, request: Request) -> bool:
        """Whether the answer is GraphiQL, which is there where the schema is shown."""
        return self.operations.shop.settings.shows_schema and wants_page(request)

    async def stream(self, request: Request, asked: HttpOperation, send: Send) -> None:
        """Answer an operation by a response that stays open."""
        shop, context = self.operations.shop, asked.context
        viewer = ConnectionViewer(shop, request.headers, context.viewer, context.place, origin=context.origin)
        stream = AnswerStream(self.operations, self.connections, FORMATS[asked.media_type], viewer)
        await stream.serve(asked, request.receive, send)


def wants_page(request: Request) -> bool:
    """Whether a browser opens the address; one that asks by the hash of a document gets its result."""
    if "extensions" in request.query_params:
        return False
    return prefers_html(request.headers.get("accept", "")) or (
        "query" not in request.query_params and request.headers.get("accept", "*/*") == "*/*"
    )


def complete_headers(response: Response, request: Request) -> Response:
    """The response, private unless it says otherwise; a public one has an ETag, or is 304."""
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = caching.PRIVATE
    if response.headers["Cache-Control"].startswith("public"):
        return caching.add_etag(response, request.headers)
    return response
