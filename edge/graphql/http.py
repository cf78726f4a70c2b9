"""GraphQL over HTTP: one answer to one request (https://graphql.github.io/graphql-over-http/draft/)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from domain.errors import ErrorCode
from edge import caching
from edge.auth import CredentialsRefused, viewer_of
from edge.graphql.answer import Answer, OperationFailed
from edge.graphql.connection import place_of
from edge.graphql.negotiation import SINGLE, STREAMS, MediaType, choose_media_type, read_accept
from edge.graphql.operation import Operations, PreparedOperation
from edge.graphql.request import RequestRefused, read_post, read_query_string
from edge.logs import request_id_of
from edge.persisted_operations import PersistedOperationRefused
from edge.reader import note_viewer
from edge.responses import error_response
from edge.shop_address import shop_address
from resolvers.context import Context
from schema.cache_control import max_age_of
from text.messages import Message

NO_MUTATION = Message("By GET things are only read: use POST.")
NO_STREAM = Message("Watch by WebSocket, text/event-stream or multipart/mixed;subscriptionSpec=1.0.")


class ClientGone(Exception):
    """The client has closed the connection; nobody reads an answer."""


@dataclass(frozen=True, slots=True)
class HttpOperation:
    """A request over HTTP with the form of its answer, ready to be executed."""

    context: Context
    media_type: MediaType
    prepared: PreparedOperation | OperationFailed
    """The operation, or why it is invalid."""


async def read_operation(operations: Operations, request: Request) -> HttpOperation:
    """Read a GET or POST and negotiate its answer.

    RequestRefused, CredentialsRefused and PersistedOperationRefused where there is nothing to execute.
    """
    ranges = read_accept(request.headers.get("accept", ""))
    if choose_media_type(ranges, (*SINGLE, *STREAMS)) is None:
        raise RequestRefused(Message("None of the accepted media types can be sent."), 406)
    if request.method == "POST":
        asked = read_post(request.headers, await request.body())
    else:
        asked = read_query_string(request.query_params)
    context = await open_context(operations, request)
    asked = await operations.find_document(asked)
    single = choose_media_type(ranges, SINGLE)
    try:
        prepared = await operations.prepare(asked, context.viewer, context.place)
    except OperationFailed as failed:
        media_type = single or choose_media_type(ranges, STREAMS) or MediaType.JSON
        return HttpOperation(context, media_type, failed)
    if request.method == "GET" and prepared.type is OperationType.MUTATION:
        raise RequestRefused(NO_MUTATION, 405, Allow="POST")
    is_subscription = prepared.type is OperationType.SUBSCRIPTION
    chosen = choose_media_type(ranges, STREAMS) if is_subscription else single
    if chosen is None:
        raise RequestRefused(NO_STREAM if is_subscription else Message("A query is answered as JSON."), 406)
    return HttpOperation(context, chosen, prepared)


async def open_context(operations: Operations, request: Request) -> Context:
    """The context of one request; CredentialsRefused when its token is not valid."""
    viewer = await viewer_of(request.headers, operations.shop)
    note_viewer(request.scope, viewer)
    cacheable = request.method == "GET" and caching.is_anonymous(request.headers)
    place = place_of(operations.shop, request.scope)
    origin = shop_address(request.scope, operations.shop.settings)
    return Context(operations.shop, viewer, request_id_of(request.scope), place, cacheable, origin=origin)


async def respond_once(operations: Operations, request: Request, asked: HttpOperation) -> Response:
    """Execute a query or mutation and build its response; ClientGone when nobody waits for it any more."""
    prepared = asked.prepared
    try:
        if isinstance(prepared, OperationFailed):
            raise prepared
        await operations.save_document(prepared.request)
        answer = await run_while_connected(request.receive, operations, prepared, asked.context)
    except OperationFailed as failed:
        return failure_response(failed.translate(asked.context.viewer), asked.media_type)
    response = json_response(answer.body, asked.media_type, 200)
    response.headers["Vary"] = caching.VARY
    if fresh := fresh_for(operations, request, prepared, answer):
        settings = operations.shop.settings
        response.headers["Cache-Control"] = caching.public_cache_control(fresh, settings)
    return response


async def run_while_connected(
    receive: Receive, operations: Operations, prepared: PreparedOperation, context: Context
) -> Answer:
    """Execute an operation; it is cancelled, and ClientGone raised, when the client closes the connection."""
    work = asyncio.create_task(operations.execute(prepared, context))
    gone = asyncio.create_task(wait_for_disconnect(receive))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise ClientGone
    finally:
        for task in (work, gone):
            task.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has closed the connection; its request has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def fresh_for(
    operations: Operations, request: Request, prepared: PreparedOperation, answer: Answer
) -> timedelta | None:
    """How long the answer may be cached for everybody; None when it is private."""
    if request.method != "GET" or answer.has_errors or not caching.is_anonymous(request.headers):
        return None
    return max_age_of(operations.schema._schema, prepared.document, prepared.request.operation_name)


def failure_response(failed: OperationFailed, media_type: MediaType) -> Response:
    """The response to an operation that has no data.

    An invalid operation is 400 for clients that know `application/graphql-response+json`; those that only
    know `application/json` get 200, as the specification recommends for them.
    """
    status = failed.status or (400 if media_type is MediaType.RESPONSE_JSON else 200)
    response = json_response(failed.body, media_type, status)
    if failed.retry_after is not None:
        response.headers["Retry-After"] = str(failed.retry_after)
    return response


def json_response(body: bytes, media_type: MediaType, status: int) -> Response:
    return Response(body, status, headers={"Content-Type": f"{media_type}; charset=utf-8"})


def refusal_response(error: Exception) -> Response:
    """The response to a request that cannot be executed."""
    match error:
        case RequestRefused():
            return error_response(error.message, error.code, error.status, **error.headers)
        case CredentialsRefused():
            return error_response(error.message, ErrorCode.UNAUTHENTICATED, 401)
        case PersistedOperationRefused():
            return error_response(error.message, error.code, error.status)
    raise error
