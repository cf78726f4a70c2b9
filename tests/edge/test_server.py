"""A client that is slow, or holds too many connections, is ended by itself and harms nobody else."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from edge.connections import BodyDeadline
from edge.server import HEADER_LIMIT_BYTES, build_server_config
from settings import Settings
from settings.connections import ConnectionSettings

GET = b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 10\r\n\r\n"
SOON = timedelta(seconds=0.2)
WAIT_SECONDS = 20.0
LARGE_BYTES = 50_000_000


async def respond(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def respond_large(request: Request) -> Response:
    return Response(b"x" * LARGE_BYTES)


async def serve_socket(socket_: WebSocket) -> None:
    await socket_.accept()
    with contextlib.suppress(Exception):
        await socket_.receive_text()


@dataclass
class TestServer:
    __test__ = False

    port: int
    config: uvicorn.Config

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, *parts: bytes) -> bytes:
        """What a client reads that sends these parts and then waits for the end."""
        reader, writer = await self.open()
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.05)
        async with asyncio.timeout(WAIT_SECONDS):
            answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def serving(**changes: timedelta | int) -> AsyncIterator[TestServer]:
    settings = Settings.from_environment(env_file=None, secret_key="x" * 32)
    connections = ConnectionSettings().model_copy(update=changes)
    settings = settings.model_copy(update={"connections": connections})
    routes = [
        Route("/", respond, methods=["GET", "POST"]),
        Route("/large", respond_large),
        WebSocketRoute("/", serve_socket),
    ]
    slow = Middleware(BodyDeadline, settings=connections, timeouts={})
    app = Starlette(routes=routes, middleware=[slow])
    config = build_server_config(app, settings)
    config.lifespan = "off"
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield TestServer(listener.getsockname()[1], config)
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("parts", [[], [GET[:10]], [GET[:-2]], [GET, GET[:10]], [GET[:1], GET[1:2]]])
async def test_headers_that_do_not_arrive_in_time_end_the_connection(parts: list[bytes]) -> None:
    async with serving(header_timeout=SOON, keep_alive=timedelta(seconds=60)) as server:
        answer = await server.exchange(*parts)

    assert answer.endswith(b"connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == parts.count(GET)
    assert answer.count(b"HTTP/1.1 408 Request Timeout") == 1


async def test_headers_without_end_are_refused_by_their_size() -> None:
    async with serving() as server:
        answer = await server.exchange(GET[:-2], b"x-filler: ", b"x" * (HEADER_LIMIT_BYTES + 1))
        large_but_whole = await server.exchange(
            GET[:-2] + b"connection: close\r\nx-filler: " + b"x" * (HEADER_LIMIT_BYTES - 200) + b"\r\n\r\n"
        )

    assert answer.startswith(b"HTTP/1.1 431")
    assert large_but_whole.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("limit", ["body_timeout", "body_pause"])
async def test_a_body_that_does_not_arrive_in_time_is_answered_408(limit: str) -> None:
    async with serving(**{limit: SOON}) as server:
        answer = await server.exchange(POST, b"half")
        quick = await server.exchange(POST.replace(b"host", b"connection: close\r\nhost"), b"0123456789")

    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"BODY_TOO_SLOW"' in answer
    assert b"connection: close" in answer
    assert quick.startswith(b"HTTP/1.1 200")


async def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    async with serving(reader_timeout=SOON) as server:
        reader, writer = await server.open()
        writer.write(GET.replace(b"/ ", b"/large "))
        await asyncio.sleep(2 * SOON.total_seconds())
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WAIT_SECONDS):
                received = await reader.read(-1)
            assert len(received) < LARGE_BYTES
        writer.close()
        assert (await server.exchange(GET[:-2] + b"connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_connections_beyond_the_limit_of_an_address_are_refused_and_closed_ones_give_room() -> None:
    async with serving(per_address=3) as server:
        web_socket = await connect(f"ws://127.0.0.1:{server.port}/")
        opened = [await server.open() for _ in range(2)]
        refused = await server.exchange(GET)
        opened[0][1].close()
        await web_socket.close()
        await asyncio.sleep(0.1)
        accepted = await server.exchange(GET[:-2] + b"connection: close\r\n\r\n")
        opened[1][1].close()

    assert refused.startswith(b"HTTP/1.1 429")
    assert b"retry-after: 10" in refused
    assert accepted.startswith(b"HTTP/1.1 200")


async def test_every_connection_that_has_ended_is_counted_no_longer() -> None:
    async with serving(per_address=5, header_timeout=SOON) as server:
        for _ in range(20):
            await server.exchange(GET[:-2] + b"connection: close\r\n\r\n")
            await (await connect(f"ws://127.0.0.1:{server.port}/")).close()
            await server.exchange(b"nonsense\r\n\r\n")
        await server.exchange()
        counts = server.config.http_protocol_class.peers.counts  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)

        assert counts == {}


async def test_trusted_proxies_may_hold_any_number_of_connections() -> None:
    settings = Settings.from_environment(env_file=None, secret_key="x" * 32, trusted_proxies="127.0.0.0/8")
    config = build_server_config(Starlette(), settings)
    peers = config.http.peers  # type: ignore[union-attr]

    assert peers.name_peer(("127.0.0.1", 1)) is None
    assert peers.name_peer(("192.0.2.1", 1)) == "192.0.2.1"
    assert peers.name_peer(("2001:db8::1", 1)) == peers.name_peer(("2001:db8::2", 1)) == "2001:db8::/64"
