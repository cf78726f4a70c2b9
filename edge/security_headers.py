"""Headers that tell browsers what not to do with an answer, on every answer; and answers to failures."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from edge.logs import request_id_of
from edge.responses import error_response
from settings import Settings
from text.messages import Message

log = structlog.get_logger()

HSTS_SECONDS = 31_536_000

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Unless an answer has its own, as pages have."""


class SecurityHeaders:
    """ASGI middleware that adds HEADERS to every answer; a failure is logged and answered like a refusal."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.headers = dict(HEADERS)
        if settings.server.address.startswith("https://"):
            self.headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_safely(message: ASGIMessage) -> None:
            nonlocal has_begun
            has_begun = True
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_safely)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                raise
            log.error("request.failed", exc_info=error)
            await failure_response(request_id_of(scope))(scope, receive, send_safely)


def failure_response(request_id: str) -> ASGIApp:
    message = Message("Something went wrong on our side. Tell us this number: {number}", number=request_id)
    return error_response(message, "INTERNAL", 500)
