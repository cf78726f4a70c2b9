"""Test clients: GraphQL over HTTP without a network, and subscriptions over a real WebSocket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from edge.server import build_server_config
from events.bus import LocalBus, Signal
from events.shop import Shop
from models import Account, Role
from tests.factories.account import create_account
from tests.factories.token import sign_in_account
from tests.observe import TIMEOUT_SECONDS, wait_until


@dataclass
class Client:
    """One guest, customer or member of the staff with their headers."""

    clients: "Clients"
    headers: dict[str, str] = field(default_factory=dict)
    account: Account | None = None

    async def post(self, document: str, **variables: Any) -> httpx.Response:
        body = {"query": document, "variables": variables}
        return await self.clients.http.post("/graphql", json=body, headers=self.headers)

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """Return the response without its cost: `data`, and `errors` when there are any."""
        return without_cost((await self.post(document, **variables)).json())

    async def get(self, document: str, **variables: Any) -> dict[str, Any]:
        """Return the data; fail when the response has errors."""
        response = await self.ask(document, **variables)
        assert "errors" not in response, response["errors"]
        data: dict[str, Any] = response["data"]
        return data

    async def do(self, document: str, **terms: Any) -> dict[str, Any]:
        """Execute the one mutation of `document` with `terms` as `$input` and return its payload."""
        data = await self.get(document, input=terms)
        payload: dict[str, Any] = next(iter(data.values()))
        return payload

    @asynccontextmanager
    async def watch(self, document: str, **variables: Any) -> AsyncIterator["Watch"]:
        """Subscribe over graphql-transport-ws, on a connection of its own.

        When the block begins, the shop waits for a signal or has already sent a message.
        """
        url, before = await self.clients.start_server(), self.clients.signals()
        async with connect(
            f"{url.replace('http', 'ws')}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as socket_:
            watch = Watch(socket_)
            await watch.send(type="connection_init", payload=self.headers)
            async with watch.collect_messages():
                assert (await watch.receive())["type"] == "connection_ack"
                payload = {"query": document, "variables": variables}
                await watch.send(type="subscribe", id="1", payload=payload)
                await wait_until(lambda: self.clients.signals() - before or not watch.is_empty)
                yield watch


@dataclass
class Watch:
    """The client's end of one subscription."""

    socket: ClientConnection
    inbox: "asyncio.Queue[str | bytes]" = field(default_factory=asyncio.Queue)

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    @asynccontextmanager
    async def collect_messages(self) -> AsyncIterator[None]:
        """Put every message into the inbox as it arrives, until the block ends."""
        task = asyncio.create_task(self._collect())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _collect(self) -> None:
        async for frame in self.socket:
            self.inbox.put_nowait(frame)

    @property
    def is_empty(self) -> bool:
        """Whether no message waits in the inbox."""
        return self.inbox.empty()

    async def receive(self) -> dict[str, Any]:
        """Return the next protocol message."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            frame = await self.inbox.get()
        assert isinstance(frame, str), "a browser takes a binary frame for a file"
        message: dict[str, Any] = json.loads(frame)
        return message

    async def next(self) -> dict[str, Any]:
        """Return the next result, as `{"data": ...}`."""
        message = await self.receive()
        assert message["type"] == "next", message
        return without_cost(message["payload"])

    async def answer(self) -> dict[str, Any]:
        """Return the next result or refusal: `{"data": ...}` or `{"errors": ...}`."""
        message = await self.receive()
        if message["type"] == "error":
            return {"errors": message["payload"]}
        return without_cost(message["payload"])

    async def is_quiet(self, seconds: float = 0.2) -> bool:
        """Whether no message arrives within `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.inbox.get()
            return False
        return True


def without_cost(response: dict[str, Any]) -> dict[str, Any]:
    """The response without `extensions`, where every answer tells what it cost."""
    return {key: value for key, value in response.items() if key != "extensions"}


@dataclass
class Clients:
    """Makes clients for one shop under test."""

    app: Starlette
    http: httpx.AsyncClient
    server: uvicorn.Server | None = None
    serving: "asyncio.Task[None] | None" = None
    port: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, app: Starlette) -> AsyncIterator["Clients"]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test", timeout=TIMEOUT_SECONDS
        ) as http:
            clients = cls(app, http)
            try:
                yield clients
            finally:
                await clients.close()

    @property
    def shop(self) -> Shop:
        shop: Shop = self.app.state.shop
        return shop

    def guest(self, **headers: str) -> Client:
        return Client(self, dict(headers))

    async def customer(self, account: Account | None = None) -> Client:
        return await self.staff(Role.CUSTOMER, account)

    async def staff(self, role: Role, account: Account | None = None) -> Client:
        if account is None:
            async with self.shop.database.writes.begin() as session:
                account = await create_account(session, role=role)
        token = await sign_in_account(self.shop, account)
        return Client(self, {"Authorization": f"Bearer {token}"}, account)

    def signals(self) -> set[Signal]:
        """Every signal that somebody in the shop waits for."""
        assert isinstance(self.shop.bus, LocalBus)
        return set().union(*self.shop.bus.signals.values())

    async def start_server(self, *, send_buffer: int | None = None, port: int = 0) -> str:
        """Serve on the port unless it serves already, on a free one by default; return the address.

        send_buffer: how many bytes the kernel keeps for a client that does not read
        """
        if self.server is None:
            listener = socket.socket()
            if send_buffer is not None:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
            listener.bind(("127.0.0.1", port))
            self.port = listener.getsockname()[1]
            config = build_server_config(self.app, self.shop.settings)
            config.lifespan, config.timeout_graceful_shutdown = "off", 1
            self.server = uvicorn.Server(config)
            self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
            while not self.server.started:
                await asyncio.sleep(0.01)
        return f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        if self.server and self.serving:
            self.server.should_exit = True
            await self.serving
