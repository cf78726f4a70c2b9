"""How many requests an address may send, and the answer to those that are too many."""

import math

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.addresses import client_address
from edge.responses import error_response
from gateways.buckets import MemoryBuckets, Rate
from resolvers.rates import MINUTE_SECONDS
from settings import Settings
from text.messages import Message

RATE_LIMITED = "RATE_LIMITED"
TOO_MANY = Message("Too many requests come from your address.")

UNLIMITED_PATHS = ("/healthz", "/readyz")
"""Paths that are asked by what watches over the process."""
PARTNER_PATHS = "/webhooks/"
"""Partners post here, a large one thousands of times a minute; what is refused of them is counted there."""


class RequestRate:
    """ASGI middleware that refuses requests of an address beyond REQUESTS_PER_MINUTE with 429.

    Each process counts its own: a flood must not cost a call of Redis for each of its requests.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.rate = Rate(settings.rates.requests, settings.rates.requests / MINUTE_SECONDS)
        self.buckets = MemoryBuckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and not is_unlimited(scope["path"]):
            taken = await self.buckets.take(client_address(scope, self.settings), 1, self.rate)
            if not taken.allowed:
                response = too_many_response(TOO_MANY, taken.retry_after)
                await refuse_request(scope, receive, send, response)
                return
        await self.app(scope, receive, send)


def is_unlimited(path: str) -> bool:
    return path in UNLIMITED_PATHS or path.startswith(PARTNER_PATHS)


def too_many_response(message: Message, retry_after: float) -> Response:
    """429 with the seconds after which the same request would be served."""
    seconds = str(max(math.ceil(retry_after), 1))
    return error_response(message, RATE_LIMITED, 429, **{"Retry-After": seconds})


async def refuse_request(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """Answer a request, or the handshake of a WebSocket where the server can; else close it."""
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await response(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1013, "reason": "Try again later."})
