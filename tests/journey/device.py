"""A client of a running shop: executes operations by name, and subscribes over a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.observe import TIMEOUT_SECONDS

DOCUMENT = (Path(__file__).parent / "documents.graphql").read_text(encoding="utf-8")


@dataclass
class Device:
    """A browser or app that talks to one server process."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, operation: str, **variables: Any) -> Any:
        """Execute an operation of DOCUMENT and return its one field; fail when there are errors."""
        body = {"query": DOCUMENT, "operationName": operation, "variables": variables}
        response = (await self.http.post("/graphql", json=body, headers=self.headers)).json()
        assert "errors" not in response, response["errors"]
        return next(iter(response["data"].values()))

    async def do(self, operation: str, **terms: Any) -> Any:
        """Execute a mutation and return the object of its payload; fail when it is refused."""
        payload = await self.ask(operation, input=terms)
        assert payload["userErrors"] == [], (operation, payload["userErrors"])
        return next(iter(payload.values()))

    async def sign_in(self, login: str, password: str) -> None:
        session = await self.do("SignIn", login=login, password=password)
        self.headers["Authorization"] = f"Bearer {session['accessToken']}"


@dataclass
class Watcher:
    """Collects the updates of an order, over connections that may break."""

    url: str
    headers: dict[str, str]
    order_id: str
    updates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def versions(self) -> list[int]:
        return [update["version"] for update in self.updates]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Subscribe behind the last version received, until the block ends and the connection breaks."""
        ready = asyncio.Event()
        watching = asyncio.create_task(self.watch(ready))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await ready.wait()
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def watch(self, ready: asyncio.Event) -> None:
        address = self.url.replace("http", "ws", 1) + "/graphql"
        async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": self.headers}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            after = self.updates[-1]["version"] if self.updates else 0
            variables = {"id": self.order_id, "after": after}
            payload = {"query": DOCUMENT, "operationName": "Watch", "variables": variables}
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            ready.set()
            async for message in socket:
                assert isinstance(message, str), "a browser takes a binary frame for a file"
                answer = json.loads(message)
                assert answer["type"] in {"next", "ping"}, answer
                if answer["type"] == "next":
                    assert "errors" not in answer["payload"], answer
                    self.updates.append(answer["payload"]["data"]["orderUpdates"])


async def wait_until(
    what: str, condition: Callable[[], Awaitable[bool]], *, seconds: float = TIMEOUT_SECONDS
) -> None:
    """Wait until `await condition()` is true; fail with `what` after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"this did not happen: {what}") from None
