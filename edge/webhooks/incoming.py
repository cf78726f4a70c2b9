"""What partners post to the shop: admitted with its raw body, before anybody looks at what it says."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from edge.addresses import client_address
from edge.rates import too_many_response
from edge.webhooks.room import HeldBody
from events.shop import Shop
from resolvers.rates import LimitedAction, TooManyAttempts, limit_action
from text.messages import Message

ROOM_AGAIN_SECONDS = 10
"""After how long a partner may send again for whose body there was no room."""

DATABASE_FAILURES = (DBAPIError, PoolTimeout, TimeoutError, OSError)
"""The partner is to send it again: nobody has judged it."""


class LimitAddress(Protocol):
    """How an address is limited before its body is read; TooManyAttempts beyond its rate."""

    def __call__(self, shop: Shop, action: LimitedAction, *, by: str) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class IncomingPost:
    """What came, and from which network address."""

    headers: dict[str, str]
    body: bytes
    address: str


class PostTooLarge(Exception):
    """A body of more than its limit."""


async def admit_post(
    shop: Shop,
    request: Request,
    *,
    limit_bytes: int,
    limit: LimitAddress = limit_action,
    held: HeldBody | None = None,
) -> IncomingPost | Response:
    """What was posted, or the answer to an address of which too much was refused, to what is compressed and
    to too much. NoRoomLeft where the body does not fit into the room where it is held.

    It counts as refused until it is forgiven, unless `limit` only looks how much was refused.
    """
    address = client_address(request.scope, shop.settings)
    try:
        await limit(shop, LimitedAction.WEBHOOK, by=address)
        if request.headers.get("content-encoding", "identity") != "identity":
            return PlainTextResponse("Send it uncompressed.", 415, {"Connection": "close"})
        body = await read_body(request, limit_bytes, held)
    except TooManyAttempts as error:
        return refuse_address(error)
    except PostTooLarge:
        return PlainTextResponse(f"At most {limit_bytes} bytes.", 413, {"Connection": "close"})
    return IncomingPost(read_headers(request), body, address)


async def answer_unknown(shop: Shop, request: Request, what: str) -> Response:
    """The answer to what is posted to a partner that the shop does not have; it counts as refused."""
    try:
        await limit_action(shop, LimitedAction.WEBHOOK, by=client_address(request.scope, shop.settings))
    except TooManyAttempts as error:
        return refuse_address(error)
    return PlainTextResponse(f"There is no such {what}.", 404)


def refuse_address(error: TooManyAttempts) -> Response:
    message = Message("Too many notifications were refused.")
    return too_many_response(message, error.retry_after_seconds or 1)


def refuse_for_now() -> Response:
    """The answer to what there is no room for at the moment."""
    headers = {"Retry-After": str(ROOM_AGAIN_SECONDS), "Connection": "close"}
    return PlainTextResponse("Too much arrives at the moment. Send it again.", 503, headers)


async def read_body(request: Request, limit_bytes: int, held: HeldBody | None) -> bytes:
    """The raw body, as it was signed; PostTooLarge beyond its limit, NoRoomLeft where it may not be held."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise PostTooLarge
        if held is not None:
            held.grow(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def read_headers(request: Request) -> dict[str, str]:
    """The headers by their names in lower case; one that comes twice is a list (RFC 9110), so that nobody
    reads one of two signatures."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
