"""The largest body of a request, by its path."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from edge.responses import error_response
from text.messages import Message

DISCARD_BYTES = 32_000_000
DISCARD_SECONDS = 5.0
"""How much of a refused body is read and discarded: a client that still sends does not read the answer."""


class BodyTooLarge(Exception):
    """The body has more bytes than the limit of its path."""


class BodyLimit:
    """ASGI middleware that refuses a body above the limit of its path with 413.

    A `Content-Length` above the limit is refused at once, a body without one while it arrives.
    """

    def __init__(self, app: ASGIApp, *, limit: int, limits: Mapping[str, int]) -> None:
        self.app = app
        self.limit = limit
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limits.get(scope["path"], self.limit)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            await discard_body(receive)
            await too_large_response(limit)(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> ASGIMessage:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge
            return message

        async def send_within_limit(message: ASGIMessage) -> None:
            if received <= limit:
                await send(message)

        with suppress(BodyTooLarge):
            await self.app(scope, receive_within_limit, send_within_limit)
        if received > limit:  # the application may have caught the error and answered something else
            await discard_body(receive)
            await too_large_response(limit)(scope, receive, send)


async def discard_body(receive: Receive) -> None:
    """Read and discard the rest of the body, up to DISCARD_BYTES and DISCARD_SECONDS."""
    left = DISCARD_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return


def too_large_response(limit: int) -> Response:
    message = Message("The request body is larger than {limit} bytes.", limit=limit)
    return error_response(message, "BODY_TOO_LARGE", 413, Connection="close")
