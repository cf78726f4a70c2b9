"""Structured logs: one line per event, with the id of the request it belongs to."""

import asyncio
import logging
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import ExcInfo, Processor

from gateways.failures import describe_traceback
from settings import Settings

log = structlog.get_logger()

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNLOGGED_PATHS = ("/healthz", "/readyz")
UNKNOWN_ROUTE = "unknown"
"""Stands in the log for a path that the shop does not have."""


def configure_logging(settings: Settings) -> None:
    """Set up structlog, and the standard library's logging to write through it."""
    shared_processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers = build_renderers(settings)
    level = logging.getLevelNamesMapping()[settings.logs.level]
    structlog.configure(
        processors=[*shared_processors, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            foreign_pre_chain=shared_processors,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("strawberry.execution").disabled = True  # ShopSchema logs errors itself


def build_renderers(settings: Settings) -> list[Processor]:
    """The processors that write a line; of an error neither local variables nor values of a request."""
    plain = structlog.dev.plain_traceback  # what comes here is text already
    return [
        structlog.processors.ExceptionRenderer(describe_exc_info),
        structlog.processors.JSONRenderer()
        if settings.logs_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
    ]


def describe_exc_info(exc_info: ExcInfo) -> str:
    return describe_traceback(exc_info[1])


@contextmanager
def logged_loop_failures() -> Iterator[None]:
    """While the block runs, log what fails in the event loop by itself, without its message."""
    loop = asyncio.get_running_loop()
    previous = loop.get_exception_handler()
    loop.set_exception_handler(log_loop_failure)
    try:
        yield
    finally:
        loop.set_exception_handler(previous)


def log_loop_failure(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    log.error(
        "loop.failed",
        reason=context.get("message"),
        exc_info=error if isinstance(error, BaseException) else None,
    )


def request_id_of(scope: Scope) -> str:
    request_id: str = scope.get("state", {}).get("request_id", "")
    return request_id


def route_of(scope: Scope) -> str:
    """The path of the route that was found, such as "/media/{name}"; a path itself may hold a secret."""
    route = scope.get("route")
    return getattr(route, "path", "") or UNKNOWN_ROUTE


class RequestLog:
    """ASGI middleware that logs each request and answers it with an `X-Request-Id`.

    The id is the client's own where it fits REQUEST_ID, else a random one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        requested_id = Headers(scope=scope).get("x-request-id", "")
        request_id = requested_id if REQUEST_ID.fullmatch(requested_id) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            elif message["type"] == "websocket.close":
                status = message.get("code", 1000)
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            if scope["path"] not in UNLOGGED_PATHS:
                log.info(
                    "request",
                    kind=scope["type"],
                    method=scope.get("method"),
                    path=route_of(scope),
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )
