"""The HTTP server: uvicorn with limits on what a client may do before its request is there.

uvicorn limits neither how long headers take nor how many bytes they have, counts no connections by address
and waits without end for a client that does not read (0.54 with httptools, 2026-11-28).
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from edge.addresses import group_address, is_trusted, parse_address
from settings import Settings

HEADER_LIMIT_BYTES = 64_000
"""Bytes of the headers of one request, the first line included."""

TOO_MANY = b"429 Too Many Requests"
TOO_SLOW = b"408 Request Timeout"
TOO_LARGE = b"431 Request Header Fields Too Large"
REFUSAL = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nretry-after: 10\r\nconnection: close\r\n\r\n"


class PeerConnections:
    """Counts the connections to this process by the address of the peer; trusted proxies are not counted."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()

    def name_peer(self, client: tuple[str, int] | None) -> str | None:
        """What the connections of a peer are counted by; None for a trusted proxy or one without address."""
        address = parse_address(client[0]) if client else None
        if address is None or is_trusted(address, self.settings.proxies.trusted):
            return None
        return group_address(address)

    def add(self, peer: str) -> bool:
        """Count a connection; False where the peer has more than CONNECTIONS_PER_ADDRESS now."""
        self.counts[peer] += 1
        return self.counts[peer] <= self.settings.connections.per_address

    def remove(self, peer: str) -> None:
        self.counts[peer] -= 1
        if not self.counts[peer]:
            del self.counts[peer]


class GuardedProtocol(HttpToolsProtocol):
    """An HTTP connection: its headers must arrive in time, and its answers must be read."""

    peers: ClassVar[PeerConnections]

    peer: str | None = None
    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0
    reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.peer = self.peers.name_peer(self.client)
        self.await_headers()
        if self.peer is not None and not self.peers.add(self.peer):
            self.refuse(TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_timers()
        self.leave()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Count this connection no longer."""
        if self.peer is not None:
            self.peers.remove(self.peer)
            self.peer = None

    # --- headers

    def await_headers(self) -> None:
        timeout = self.peers.settings.connections.header_timeout.total_seconds()
        self.header_timer = self.loop.call_later(timeout, self.end_slow_headers)
        self.header_bytes = 0

    def end_slow_headers(self) -> None:
        if self.is_answering:
            self.await_headers()  # of the next request: the answer to this one goes first
        else:
            self.refuse(TOO_SLOW)

    @property
    def is_answering(self) -> bool:
        cycle: object = self.cycle  # uvicorn declares it as always there
        return isinstance(cycle, RequestResponseCycle) and not cycle.response_complete

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.header_timer is None:
            self.await_headers()

    def on_headers_complete(self) -> None:
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        timer = self.header_timer
        super().data_received(data)
        if timer is not None and self.header_timer is timer:
            self.header_bytes += len(data)
            if self.header_bytes > HEADER_LIMIT_BYTES:
                self.refuse(TOO_LARGE)

    def handle_websocket_upgrade(self) -> None:
        self.stop_timers()
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        if isinstance(protocol, GuardedSocketProtocol) and self.peer is not None:
            protocol.peer, self.peer = self.peer, None
        else:
            self.leave()

    # --- answers

    def pause_writing(self) -> None:
        super().pause_writing()
        timeout = self.peers.settings.connections.reader_timeout.total_seconds()
        self.reader_timer = self.loop.call_later(timeout, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.reader_timer is not None:
            self.reader_timer.cancel()
            self.reader_timer = None

    def refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(REFUSAL % status)
            self.transport.close()

    def stop_timers(self) -> None:
        for timer in (self.header_timer, self.reader_timer):
            if timer is not None:
                timer.cancel()
        self.header_timer = self.reader_timer = None


class GuardedSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that is counted as the HTTP connection was that it began as."""

    peers: ClassVar[PeerConnections]
    peer: str | None = None

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.close_sent:  # uvicorn takes a handshake that was refused by an answer for one never answered
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is not None:
            self.peers.remove(self.peer)
            self.peer = None
        super().connection_lost(exc)


class ShopServer(uvicorn.Server):
    """uvicorn's server, which tells the clients of open connections before it closes them."""

    def __init__(self, config: uvicorn.Config, announce_restart: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self.announce_restart = announce_restart

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.announce_restart()
        for connection in list(self.server_state.connections):
            transport: asyncio.Transport = connection.transport
            if transport.is_closing():  # and still here, since its client does not read what is left
                transport.abort()
        await super().shutdown(sockets)


def build_server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """The configuration of uvicorn for this application."""

    class Http(GuardedProtocol):
        peers = PeerConnections(settings)

    class Socket(GuardedSocketProtocol):
        peers = Http.peers

    return uvicorn.Config(
        app,
        host=settings.server.host,
        port=settings.server.port,
        http=Http,
        ws=Socket,
        ws_max_size=settings.graphql.message_bytes,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # edge/addresses.py reads them
        timeout_keep_alive=int(settings.connections.keep_alive.total_seconds()) or 1,
        timeout_graceful_shutdown=settings.server.shutdown_seconds,
    )
