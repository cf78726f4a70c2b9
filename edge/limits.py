"""What a request may cost before anybody looks at it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN_BYTES = 32_000_000
DRAIN_SECONDS = 5.0
"""How much of a refused body is read and thrown away: who still sends does not hear the answer."""


class BodyTooLarge(Exception):
    """More bytes have come than this path takes."""


class BodyLimit:
    """Refuses a body above the limit of its path, by its announced length or while it comes in."""

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
            await drain(receive)
            await too_large(limit)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise BodyTooLarge
            return message

        async def answer(message: Message) -> None:
            if seen <= limit:
                await send(message)

        with suppress(BodyTooLarge):
            await self.app(scope, counted, answer)
        if seen > limit:  # whatever the application made of it
            await drain(receive)
            await too_large(limit)(scope, receive, send)


async def drain(receive: Receive) -> None:
    """Let the sender finish, within reason."""
    left = DRAIN_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return


def too_large(limit: int) -> JSONResponse:
    message = f"The request body is larger than {limit} bytes."
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": "BODY_TOO_LARGE"}}]},
        413,
        headers={"Connection": "close"},
    )
