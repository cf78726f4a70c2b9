"""The shop as its customers and staff see it: over HTTP, and over a real WebSocket."""

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

from events.bus import Bell, LocalBus
from events.shop import Shop
from models import Account, Role
from tests.factories.account import create_account
from tests.factories.token import access_token
from tests.observe import PATIENCE_SECONDS, until


@dataclass
class Client:
    """Somebody with a device."""

    front: "Front"
    headers: dict[str, str] = field(default_factory=dict)
    account: Account | None = None

    async def post(self, document: str, **variables: Any) -> httpx.Response:
        body = {"query": document, "variables": variables}
        return await self.front.http.post("/graphql", json=body, headers=self.headers)

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The whole answer: `data`, and `errors` when there are any."""
        reply: dict[str, Any] = (await self.post(document, **variables)).json()
        return reply

    async def get(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer that must have no errors."""
        reply = await self.ask(document, **variables)
        assert "errors" not in reply, reply["errors"]
        data: dict[str, Any] = reply["data"]
        return data

    async def do(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of the one mutation in `document`, called with `$input`."""
        data = await self.get(document, input=given)
        payload: dict[str, Any] = next(iter(data.values()))
        return payload

    @asynccontextmanager
    async def watch(self, document: str, **variables: Any) -> AsyncIterator["Watch"]:
        """A subscription over graphql-transport-ws on a connection of its own.

        When the block begins, the shop listens for what is watched, or has already answered.
        """
        url, before = await self.front.address(), self.front.bells()
        async with connect(
            f"{url.replace('http', 'ws')}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as socket_:
            watch = Watch(socket_)
            await watch.send(type="connection_init", payload=self.headers)
            async with watch.reading():
                assert (await watch.receive())["type"] == "connection_ack"
                asked = {"query": document, "variables": variables}
                await watch.send(type="subscribe", id="1", payload=asked)
                await until(lambda: self.front.bells() - before or not watch.waits)
                yield watch


@dataclass
class Watch:
    """The receiving end of a subscription."""

    socket: ClientConnection
    inbox: "asyncio.Queue[str | bytes]" = field(default_factory=asyncio.Queue)

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Take what comes into the inbox, as it comes."""
        task = asyncio.create_task(self.read())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def read(self) -> None:
        async for frame in self.socket:
            self.inbox.put_nowait(frame)

    @property
    def waits(self) -> bool:
        """Whether nothing has come that is not taken yet."""
        return self.inbox.empty()

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await self.inbox.get()
        assert isinstance(frame, str), "a browser takes a binary frame for a file"
        message: dict[str, Any] = json.loads(frame)
        return message

    async def next(self) -> dict[str, Any]:
        """The next answer, as `{"data": ...}`."""
        message = await self.receive()
        assert message["type"] == "next", message
        payload: dict[str, Any] = message["payload"]
        return payload

    async def answer(self) -> dict[str, Any]:
        """The next answer or why there is none: `{"data": ...}` or `{"errors": ...}`."""
        message = await self.receive()
        return {"errors": message["payload"]} if message["type"] == "error" else dict(message["payload"])

    async def quiet(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for a while."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.inbox.get(), seconds)
            return False
        return True


@dataclass
class Front:
    """The door of a shop under test."""

    app: Starlette
    http: httpx.AsyncClient
    server: uvicorn.Server | None = None
    serving: "asyncio.Task[None] | None" = None
    port: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, app: Starlette) -> AsyncIterator["Front"]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test", timeout=PATIENCE_SECONDS
        ) as http:
            front = cls(app, http)
            try:
                yield front
            finally:
                await front.close()

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
        token = access_token(self.shop, account)
        return Client(self, {"Authorization": f"Bearer {token}"}, account)

    def bells(self) -> set[Bell]:
        """All that hang in the shop."""
        assert isinstance(self.shop.bus, LocalBus)
        return set().union(*self.shop.bus.bells.values())

    async def address(self) -> str:
        """Serve on a real port, the first time somebody needs one."""
        if self.server is None:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            config = uvicorn.Config(self.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
            self.server = uvicorn.Server(config)
            self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
            while not self.server.started:
                await asyncio.sleep(0.01)
        return f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        if self.server and self.serving:
            self.server.should_exit = True
            await self.serving
