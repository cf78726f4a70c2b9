"""GraphQL over HTTP and over WebSocket (graphql-transport-ws)."""

from collections.abc import Mapping
from json import JSONDecodeError

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import UNSET
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema import BaseSchema
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from domain.errors import ErrorCode
from edge.auth import CredentialsRefused, viewer_of
from edge.graphiql import graphiql_page
from edge.logs import request_id_of
from events.shop import Shop
from resolvers.context import Context


class ConnectionContext(Context):
    """A WebSocket says who it is in its first message, after the context was made."""

    connection_params: Mapping[str, object] | None = None


class GraphQLEndpoint(GraphQL[Context, None]):
    """The one door for reading, doing and watching; a browser that asks for a page gets GraphiQL."""

    def __init__(self, schema: BaseSchema, shop: Shop) -> None:
        super().__init__(schema, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
        self.shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if has_nul(scope.get("query_string", b"").decode("latin-1")):
            await unreadable("The address holds a NUL character.")(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        except CredentialsRefused as refused:
            await unauthenticated(refused)(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        viewer = viewer_of(request.headers, self.shop)
        return ConnectionContext(self.shop, viewer, request_id_of(request.scope))

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        params = getattr(context, "connection_params", None)
        if isinstance(params, Mapping):
            given = {str(name).lower(): value for name, value in params.items() if isinstance(value, str)}
            try:
                context.viewer = viewer_of(given, self.shop)
            except CredentialsRefused as refused:
                raise ConnectionRejectionError from refused
        answer: UnsetType = UNSET
        return answer

    async def render_graphql_ide(self, request: Request) -> Response:
        return graphiql_page(request)

    def decode_json(self, data: str | bytes) -> object:
        """JSON without NUL characters, which no database would take, and without half characters."""
        if has_nul(data if isinstance(data, str) else data.decode("latin-1")):
            raise JSONDecodeError("a NUL character", "", 0)
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Text, not bytes: browsers take a binary WebSocket frame for a file."""
        return orjson.dumps(data, default=str).decode()


def has_nul(text: str) -> bool:
    """Whether a NUL stands in it, plain, percent-encoded or escaped as JSON and GraphQL do."""
    return "\0" in text or "\\u0000" in text or "\\u{0" in text or "%00" in text


def unreadable(message: str) -> Response:
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": ErrorCode.INVALID.value}}]}, 400
    )


def unauthenticated(refused: CredentialsRefused) -> Response:
    error = {"message": str(refused), "extensions": {"code": ErrorCode.UNAUTHENTICATED.value}}
    return JSONResponse({"errors": [error]}, 401, headers={"WWW-Authenticate": "Bearer"})
