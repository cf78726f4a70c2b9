"""Which pages of other origins may use the shop: CORS for HTTP, and the origin of WebSockets."""

import re

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin

from settings import Settings
from settings.cors import origin_pattern

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
REQUEST_HEADERS = (
    "Apollo-Require-Preflight",
    "Apollographql-Client-Name",
    "Apollographql-Client-Version",
    "Authorization",
    "Cache-Control",
    "If-None-Match",
    "Last-Event-ID",
    "Traceparent",
    "Tracestate",
    "X-Apollo-Operation-Name",
    "X-Cart-Token",
    "X-Currency",
    "X-GraphQL-Event-Stream-Token",
    "X-Request-Id",
)
"""Headers that a page may send, beside those that every page may."""
ANSWER_HEADERS = ("Content-Disposition", "ETag", "Retry-After", "X-Request-Id")
"""Headers that a page may read, beside those that every page may."""


class CrossOrigin(CORSMiddleware):
    """ASGI middleware that lets pages of allowed origins use the shop.

    There are no cookies, so that no page can act with the rights of whoever looks at it.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origin_regex=allowed_origins(settings),
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
            max_age=settings.cors.preflight_seconds,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_varying(message: Message) -> None:
            # Also without an origin: a cache must not give what it got without one to a page with one.
            if message["type"] == "http.response.start":
                self.add_vary_header(message)
            await send(message)

        await super().__call__(scope, receive, send_varying)

    @staticmethod
    def add_vary_header(message: Message) -> None:
        """Add `Origin` to the header `Vary` unless it is there."""
        headers = MutableHeaders(scope=message)
        if "origin" not in headers.get("vary", "").lower():
            headers.add_vary_header("Origin")


def allowed_origins(settings: Settings) -> str:
    """A regular expression for the origins that may use the shop."""
    return origin_pattern(
        settings.cors.origins, own=settings.server.public_url, local=not settings.deployment.is_production
    )


def may_open_socket(origin: str | None, host: str | None, settings: Settings) -> bool:
    """Whether a page of this origin may open a WebSocket: one of the same host, or an allowed one.

    Without an origin it is no page. Browsers let every page open a WebSocket; only the server can refuse.
    """
    if origin is None or is_same_origin(origin, host):
        return True
    return re.fullmatch(allowed_origins(settings), origin.lower()) is not None
