"""GraphQL over HTTP and over WebSocket (graphql-transport-ws)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from json import JSONDecodeError
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import UNSET
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError, MissingQueryError
from strawberry.http import GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UnsetType

from domain.errors import ErrorCode
from edge import caching
from edge.auth import CredentialsRefused, viewer_of
from edge.graphiql import graphiql_page
from edge.logs import request_id_of
from edge.persisted import PersistedQueries, PersistedQueryRefused, check_hash, named_hash
from events.shop import Shop
from resolvers.context import Context
from schema.freshness import fresh_for
from schema.shop import ShopSchema

NUL = re.compile(r"\0|\\u0000|\\u\{0+\}")
"""A NUL character, plain or escaped as JSON and GraphQL do."""

READING, DOING = frozenset({OperationType.QUERY}), frozenset({OperationType.MUTATION})


class ConnectionContext(Context):
    """A WebSocket says who it is in its first message, after the context was made."""

    connection_params: Mapping[str, object] | None = None


class WrongWay(Exception):
    """Something is asked for by a method that is not for it: 405, or 406 for what no answer can hold."""

    def __init__(self, operation: OperationType) -> None:
        watched = operation is OperationType.SUBSCRIPTION
        super().__init__("Watch by WebSocket." if watched else "By GET things are only read: use POST.")
        self.status = 406 if watched else 405
        self.headers = {} if watched else {"Allow": "POST"}


class GraphQLEndpoint(GraphQL[Context, None]):
    """The one door for reading, doing and watching; a browser that asks for a page gets GraphiQL."""

    def __init__(self, schema: ShopSchema, shop: Shop, persisted: PersistedQueries) -> None:
        super().__init__(schema, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
        self.documents = schema.documents
        self.built = schema._schema
        self.shop = shop
        self.persisted = persisted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope.get("query_string", b"").decode("latin-1")
        if "%00" in address or NUL.search(address):
            await unreadable("The address holds a NUL character.")(scope, receive, send)
        elif scope["type"] == "http":
            head = scope["method"] == "HEAD"
            response = await self.answer(Request({**scope, "method": "GET"} if head else scope, receive))
            response.body = b"" if head else response.body
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Public where the operation says so, private in every other case, refusals included."""
        try:
            response = await self.run(request)
        except HTTPException as error:
            response = refusal(error.reason, ErrorCode.INVALID.value, error.status_code)
        except CredentialsRefused as refused:
            response = unauthenticated(refused)
        except PersistedQueryRefused as refused:
            response = refusal(str(refused), refused.code, refused.status)
        except WrongWay as refused:
            response = refusal(str(refused), ErrorCode.INVALID.value, refused.status, **refused.headers)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = caching.PRIVATE
        if response.headers["Cache-Control"].startswith("public"):
            return caching.etagged(response, request.headers)
        return response

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Who asks by hash wants an answer, whatever else they would take."""
        return "extensions" not in request.query_params and super().should_render_graphql_ide(request)

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        asked = await super().parse_http_body(request)
        if isinstance(asked, GraphQLRequestData) and (sha256 := named_hash(asked.extensions)):
            if asked.query:
                check_hash(sha256, asked.query)
            else:
                asked.query = await self.persisted.find(sha256)
        return asked

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        allowed = READING if request.method == "GET" else READING | DOING
        try:
            result = await self.schema.execute(
                request_data.query,
                root_value=root_value,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=allowed,
                operation_extensions=request_data.extensions,
            )
        except InvalidOperationTypeError as error:
            raise WrongWay(error.operation_type) from error
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except MissingQueryError as error:
            raise HTTPException(400, "No GraphQL query found in the request") from error
        sub_response.headers["Vary"] = caching.VARY
        fresh = self.fresh_for(request, request_data, result)
        if fresh:
            sub_response.headers["Cache-Control"] = caching.public(fresh, self.shop.settings)
        if sha256 := named_hash(request_data.extensions):
            await self.keep(sha256, request_data.query or "")
        return result

    def fresh_for(
        self, request: Request, asked: GraphQLRequestData, result: ExecutionResult
    ) -> timedelta | None:
        """How long anybody may be given this answer; None when it belongs to whoever asked."""
        document = self.documents.get(asked.query or "")
        if request.method != "GET" or result.errors or document is None:
            return None
        if not caching.is_nobody(request.headers):
            return None
        return fresh_for(self.built, document, asked.operation_name)

    async def keep(self, sha256: str, text: str) -> None:
        """Only what was found right: nobody fills the store with noise."""
        if self.documents.get(text) is not None:
            await self.persisted.keep(sha256, text)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        viewer = viewer_of(request.headers, self.shop)
        kept = request.scope.get("method") == "GET" and caching.is_nobody(request.headers)
        return ConnectionContext(self.shop, viewer, request_id_of(request.scope), kept)

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

    def parse_json(self, data: str | bytes) -> Any:
        try:
            read = self.decode_json(data)
        except JSONDecodeError as error:
            raise HTTPException(400, f"This is not JSON that can be taken: {error.msg}.") from error
        if isinstance(data, bytes) and not isinstance(read, dict | list):
            raise HTTPException(400, "A request is a JSON object.")
        return read

    def decode_json(self, data: str | bytes) -> object:
        """JSON without NUL characters, which no database would take, and without half characters."""
        if NUL.search(data if isinstance(data, str) else data.decode("latin-1")):
            raise JSONDecodeError("it holds a NUL character", "", 0)
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Text, not bytes: browsers take a binary WebSocket frame for a file."""
        return orjson.dumps(data, default=str).decode()


def unreadable(message: str) -> Response:
    return refusal(message, ErrorCode.INVALID.value, 400)


def unauthenticated(refused: CredentialsRefused) -> Response:
    return refusal(str(refused), ErrorCode.UNAUTHENTICATED.value, 401, **{"WWW-Authenticate": "Bearer"})


def refusal(message: str, code: str, status: int, **headers: str) -> Response:
    """Why a request was not even executed, in GraphQL's own form."""
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": code}}]}, status, headers=headers
    )
