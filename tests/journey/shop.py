"""A device in front of a running shop: asks by name of the operation, and watches over a WebSocket."""

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

from tests.observe import PATIENCE_SECONDS

DOCUMENT = (Path(__file__).parent / "documents.graphql").read_text(encoding="utf-8")


@dataclass
class Device:
    """Somebody's browser or app, at one server process."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, operation: str, **variables: Any) -> Any:
        """The one field the operation asks for."""
        body = {"query": DOCUMENT, "operationName": operation, "variables": variables}
        reply = (await self.http.post("/graphql", json=body, headers=self.headers)).json()
        assert "errors" not in reply, reply["errors"]
        return next(iter(reply["data"].values()))

    async def do(self, operation: str, **given: Any) -> Any:
        """What the mutation brought about; it must not be refused."""
        payload = await self.ask(operation, input=given)
        assert payload["userErrors"] == [], (operation, payload["userErrors"])
        return next(iter(payload.values()))

    async def sign_in(self, login: str, password: str) -> None:
        session = await self.do("SignIn", login=login, password=password)
        self.headers["Authorization"] = f"Bearer {session['accessToken']}"


@dataclass
class Watcher:
    """Sees an order's versions as they come, over connections that may break."""

    url: str
    headers: dict[str, str]
    order_id: str
    seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def versions(self) -> list[int]:
        return [update["version"] for update in self.seen]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Watch, from behind the last version seen, until the block ends; then the line goes dead."""
        ready = asyncio.Event()
        watching = asyncio.create_task(self.watch(ready))
        await asyncio.wait_for(ready.wait(), PATIENCE_SECONDS)
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
            after = self.seen[-1]["version"] if self.seen else 0
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
                    self.seen.append(answer["payload"]["data"]["orderUpdates"])


async def until(what: str, true: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something the shop does by itself."""
    try:
        async with asyncio.timeout(seconds):
            while not await true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"the shop never came to this: {what}") from None
