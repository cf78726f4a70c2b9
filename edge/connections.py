"""Live connections of one address or account, and bodies that arrive too slowly."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from edge.addresses import client_address
from edge.auth import account_of
from edge.rates import refuse_request, too_many_response
from edge.responses import error_response
from events.shop import Shop
from gateways.leases import LimitExceeded
from settings.connections import ConnectionSettings
from text.messages import Message

STREAMS = ("text/event-stream", "multipart/mixed")
"""Media types of answers that last as long as their client listens."""

RETRY_SECONDS = 10
"""After how long a client may try again for which there is no room."""

NO_ROOM = Message("Too many live connections are open from here. Close some of them.")

ROOM = "live_connection"
"""The key in `scope["state"]` of the LiveConnection of a WebSocket."""


class LiveConnection:
    """The place that one WebSocket or event stream takes among those of its address and its account."""

    def __init__(self, shop: Shop, address: str) -> None:
        self.shop = shop
        self.address = address
        self.account_id: int | None = None
        self.held = AsyncExitStack()

    async def claim_address(self) -> None:
        """LimitExceeded where the address has as many as LIVE_CONNECTIONS_PER_ADDRESS."""
        limit = self.shop.settings.connections.live_per_address
        await self.held.enter_async_context(self.shop.leases.hold(f"live:address:{self.address}", limit))

    async def claim_account(self, account_id: int | None) -> None:
        """LimitExceeded where the account has as many as LIVE_CONNECTIONS_PER_ACCOUNT; a guest has none."""
        if account_id is None or account_id == self.account_id:
            return
        limit = self.shop.settings.connections.live_per_account
        await self.held.enter_async_context(self.shop.leases.hold(f"live:account:{account_id}", limit))
        self.account_id = account_id


class LiveConnections:
    """ASGI middleware that refuses WebSockets and event streams beyond the limits of address and account.

    A WebSocket names its account later: what serves it calls `claim_account` of its place.
    """

    def __init__(self, app: ASGIApp, *, shop: Shop) -> None:
        self.app = app
        self.shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        place = LiveConnection(self.shop, client_address(scope, self.shop.settings))
        serve = self.serve_socket if scope["type"] == "websocket" else self.serve_request
        async with place.held:
            await serve(place, scope, receive, send)

    async def serve_socket(self, place: LiveConnection, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await place.claim_address()
        except LimitExceeded:
            await refuse_request(scope, receive, send, too_many_response(NO_ROOM, RETRY_SECONDS))
            return
        scope.setdefault("state", {})[ROOM] = place
        await self.app(scope, receive, send)

    async def serve_request(self, place: LiveConnection, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_within_limit(message: ASGIMessage) -> None:
            nonlocal refused
            if is_stream_start(message):
                try:
                    await place.claim_address()
                    await place.claim_account(account_of(Headers(scope=scope), self.shop))
                except LimitExceeded:
                    refused = True
                    raise
            if not refused:
                await send(message)

        with suppress(LimitExceeded):
            await self.app(scope, receive, send_within_limit)
        if refused:  # the application may have caught the error
            await too_many_response(NO_ROOM, RETRY_SECONDS)(scope, receive, send)


def is_stream_start(message: ASGIMessage) -> bool:
    if message["type"] != "http.response.start":
        return False
    return Headers(raw=message.get("headers", [])).get("content-type", "").startswith(STREAMS)


class BodyTooSlow(Exception):
    """The body of a request has not arrived in time."""


class BodyDeadline:
    """ASGI middleware that answers 408 where a body takes longer than its path allows, or pauses too long."""

    def __init__(
        self, app: ASGIApp, *, settings: ConnectionSettings, timeouts: Mapping[str, timedelta]
    ) -> None:
        self.app = app
        self.settings = settings
        self.timeouts = timeouts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        deadline = BodyClock(
            receive, self.timeouts.get(scope["path"], self.settings.body_timeout), self.settings
        )

        async def send_unless_slow(message: ASGIMessage) -> None:
            deadline.answered = deadline.answered or not deadline.is_over
            if deadline.answered:
                await send(message)

        with suppress(BodyTooSlow):
            await self.app(scope, deadline.receive, send_unless_slow)
        if deadline.is_over and not deadline.answered:
            await too_slow_response()(scope, receive, send)


class BodyClock:
    """Receives a body until it is whole or its time is over; what comes after it may take any time."""

    def __init__(self, receive: Receive, timeout: timedelta, settings: ConnectionSettings) -> None:
        self.inner = receive
        self.ends_at = asyncio.get_running_loop().time() + timeout.total_seconds()
        self.pause = settings.body_pause.total_seconds()
        self.is_whole = False
        self.is_over = False
        self.answered = False
        """The application has begun to answer before the time was over."""

    async def receive(self) -> ASGIMessage:
        if self.is_whole:
            return await self.inner()
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(self.ends_at, now + self.pause)):
                message = await self.inner()
        except TimeoutError:
            self.is_over = True
            raise BodyTooSlow from None
        self.is_whole = message["type"] != "http.request" or not message.get("more_body")
        return message


def too_slow_response() -> ASGIApp:
    message = Message("The request took too long to arrive.")
    return error_response(message, "BODY_TOO_SLOW", 408, Connection="close")
