"""GraphQL over HTTP and over WebSocket (protocol graphql-transport-ws)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from json import JSONDecodeError

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import Response
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

from domain.account import SignInPlace
from domain.errors import ErrorCode
from edge import caching
from edge.addresses import client_address
from edge.auth import CredentialsRefused, viewer_of
from edge.graphiql import graphiql_page
from edge.logs import request_id_of
from edge.persisted_operations import (
    PersistedOperationRefused,
    PersistedOperations,
    requested_hash,
)
from edge.responses import error_response
from events.shop import Shop
from resolvers.context import Context
from schema.cache_control import max_age_of
from schema.shop import ShopSchema

NUL = re.compile(r"\0|\\u0000|\\u\{0+\}")
"""A NUL character, plain or escaped as in JSON and GraphQL."""

QUERIES, MUTATIONS = frozenset({OperationType.QUERY}), frozenset({OperationType.MUTATION})


class ConnectionContext(Context):
    """The context of a WebSocket: its viewer is known only after `connection_init`."""

    connection_params: Mapping[str, object] | None = None


class WrongMethod(Exception):
    """An operation that the HTTP method cannot execute: a mutation by GET (405) or a subscription (406)."""

    def __init__(self, operation: OperationType) -> None:
        is_subscription = operation is OperationType.SUBSCRIPTION
        super().__init__(
            "Watch by WebSocket." if is_subscription else "By GET things are only read: use POST."
        )
        self.status = 406 if is_subscription else 405
        self.headers = {} if is_subscription else {"Allow": "POST"}


class GraphQLEndpoint(GraphQL[Context, None]):
    """Serves `/graphql`: operations over HTTP, subscriptions over WebSocket, GraphiQL for browsers."""

    def __init__(self, schema: ShopSchema, shop: Shop, persisted_operations: PersistedOperations) -> None:
        super().__init__(schema, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
        self.documents = schema.documents
        self.graphql_schema = schema._schema
        self.shop = shop
        self.persisted_operations = persisted_operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query_string = scope.get("query_string", b"").decode("latin-1")
        if "%00" in query_string or NUL.search(query_string):
            response: Response = error_response("The address holds a NUL character.", ErrorCode.INVALID, 400)
            await response(scope, receive, send)
        elif scope["type"] == "http":
            is_head = scope["method"] == "HEAD"
            response = await self.respond(Request({**scope, "method": "GET"} if is_head else scope, receive))
            response.body = b"" if is_head else response.body
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """Execute a request; the response is private unless every selected field is declared public."""
        try:
            response = await self.run(request)
        except HTTPException as error:
            response = error_response(error.reason, ErrorCode.INVALID, error.status_code)
        except CredentialsRefused as refused:
            response = error_response(str(refused), ErrorCode.UNAUTHENTICATED, 401)
        except PersistedOperationRefused as refused:
            response = error_response(str(refused), refused.code, refused.status)
        except WrongMethod as refused:
            response = error_response(str(refused), ErrorCode.INVALID, refused.status, **refused.headers)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = caching.PRIVATE
        if response.headers["Cache-Control"].startswith("public"):
            return caching.add_etag(response, request.headers)
        return response

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """A request by the hash of a persisted operation gets its result, even if the client accepts HTML."""
        return "extensions" not in request.query_params and super().should_render_graphql_ide(request)

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        data = await super().parse_http_body(request)
        if isinstance(data, GraphQLRequestData):
            found = await self.persisted_operations.find_document(data.query or "", data.extensions)
            data.query = found or None
        return data

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        allowed = QUERIES if request.method == "GET" else QUERIES | MUTATIONS
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
            raise WrongMethod(error.operation_type) from error
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except MissingQueryError as error:
            raise HTTPException(400, "No GraphQL query found in the request") from error
        sub_response.headers["Vary"] = caching.VARY
        if fresh := self.fresh_for(request, request_data, result):
            sub_response.headers["Cache-Control"] = caching.public_cache_control(fresh, self.shop.settings)
        if sha256 := requested_hash(request_data.extensions):
            await self.save_operation(sha256, request_data.query or "")
        return result

    def fresh_for(
        self, request: Request, request_data: GraphQLRequestData, result: ExecutionResult
    ) -> timedelta | None:
        """How long the result may be cached for everybody; None when it is private."""
        document = self.documents.get(request_data.query or "")
        if request.method != "GET" or result.errors or document is None:
            return None
        if not caching.is_anonymous(request.headers):
            return None
        return max_age_of(self.graphql_schema, document, request_data.operation_name)

    async def save_operation(self, sha256: str, text: str) -> None:
        """Save a document by its hash if it is valid, so that nobody can fill the store with others."""
        if self.documents.get(text) is not None:
            await self.persisted_operations.save(sha256, text)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        viewer = await viewer_of(request.headers, self.shop)
        cacheable = request.scope.get("method") == "GET" and caching.is_anonymous(request.headers)
        address = client_address(request.scope, self.shop.settings)
        place = SignInPlace(address=address, user_agent=request.headers.get("user-agent", ""))
        return ConnectionContext(self.shop, viewer, request_id_of(request.scope), place, cacheable)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        params = getattr(context, "connection_params", None)
        if isinstance(params, Mapping):
            headers = {str(name).lower(): value for name, value in params.items() if isinstance(value, str)}
            try:
                context.viewer = await viewer_of(headers, self.shop)
            except CredentialsRefused as refused:
                raise ConnectionRejectionError from refused
        payload: UnsetType = UNSET
        return payload

    async def render_graphql_ide(self, request: Request) -> Response:
        return graphiql_page(request)

    def parse_json(self, data: str | bytes) -> object:
        try:
            value = self.decode_json(data)
        except JSONDecodeError as error:
            raise HTTPException(400, f"This is not JSON that can be taken: {error.msg}.") from error
        if isinstance(data, bytes) and not isinstance(value, dict | list):
            raise HTTPException(400, "A request is a JSON object.")
        return value

    def decode_json(self, data: str | bytes) -> object:
        """Parse JSON; JSONDecodeError for NUL characters, which PostgreSQL refuses, and lone surrogates."""
        if NUL.search(data if isinstance(data, str) else data.decode("latin-1")):
            raise JSONDecodeError("it holds a NUL character", "", 0)
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        # Text, since browsers read a binary WebSocket frame as a Blob.
        return orjson.dumps(data, default=str).decode()
