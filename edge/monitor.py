"""Each HTTP request is counted; with a tracer, it is the first part of a trace, or follows the client's."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.shop import Shop
from gateways.metrics import OTHER

ROUTES = ("graphql", "graphiql", "media", "products.csv", "webhooks", "sandbox", "healthz", "readyz")
"""The first parts of our paths: what else clients ask for is one label."""

METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "WEBSOCKET")
SWITCHING_PROTOCOLS = 101
UNTRACED = ("healthz", "readyz")
REFUSALS = {408: "slow_body", 413: "body_size", 429: "requests_or_connections"}
"""The limit that a status tells of."""


class RequestMonitor:
    """ASGI middleware that counts requests and sockets by method, route and status, and begins traces."""

    def __init__(self, app: ASGIApp, shop: Shop) -> None:
        self.app = app
        self.shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        method = scope.get("method", "WEBSOCKET")
        method = method if method in METHODS else OTHER
        route = route_of(scope["path"])
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = SWITCHING_PROTOCOLS
            await send(message)

        is_traced = scope["type"] == "http" and route not in UNTRACED
        tracer = self.shop.tracer if is_traced else None
        try:
            if tracer is None:
                await self.app(scope, receive, send_and_note)
                return
            attributes = {"http.request.method": method, "http.route": route}
            parent = Headers(scope=scope).get("traceparent", "")
            with tracer.span(f"{method} /{route}", attributes, parent=parent) as span:
                await self.app(scope, receive, send_and_note)
                span.note("http.response.status_code", status)
                if status >= 500:
                    span.fail(str(status))
        finally:
            self.shop.metrics.requests.add(method, route, str(status))
            if status in REFUSALS:
                self.shop.metrics.refusals.add(REFUSALS[status])


def route_of(path: str) -> str:
    """The first part of a path of ours; the start page is empty."""
    first = path.strip("/").partition("/")[0]
    return first if first in ROUTES or not first else OTHER
