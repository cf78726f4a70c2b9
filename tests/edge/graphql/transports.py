"""Sending one operation over each transport, as clients do, and reading all that comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.clients import Clients
from tests.observe import TIMEOUT_SECONDS

PROTOCOL = Subprotocol("graphql-transport-ws")
JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json;q=0.9"

Answers = list[dict[str, Any]]
Transport = Callable[..., Awaitable[Answers]]


@dataclass
class Socket:
    """The client's end of a WebSocket, message by message."""

    connection: ClientConnection

    async def send(self, message: object) -> None:
        """Send a text or bytes as they are, anything else as JSON."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            message: dict[str, Any] = read_answer(await self.connection.recv())
        return message

    async def subscribe(self, query: str, id: str = "1", **more: Any) -> None:
        await self.send({"type": "subscribe", "id": id, "payload": {"query": query, **more}})

    async def read_operation(self, id: str = "1") -> Answers:
        """The messages about one operation, until it has ended."""
        messages: Answers = []
        while not messages or messages[-1]["type"] == "next":
            if (message := await self.receive()).get("id") == id:
                messages.append(message)
        return messages

    async def read_close(self) -> tuple[int, str]:
        """Code and reason of the close frame that ends the connection; what comes before it is left out."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@asynccontextmanager
async def open_socket(
    clients: Clients, *, protocols: Sequence[Subprotocol] = (PROTOCOL,), **headers: str
) -> AsyncIterator[Socket]:
    """A WebSocket whose connection is not initialised."""
    url = (await clients.start_server()).replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=protocols or None, additional_headers=headers) as connection:
        yield Socket(connection)


@asynccontextmanager
async def initialised_socket(clients: Clients, **payload: str) -> AsyncIterator[Socket]:
    """A WebSocket whose connection is acknowledged."""
    async with open_socket(clients) as socket:
        await socket.send({"type": "connection_init", "payload": payload})
        assert await socket.receive() == {"type": "connection_ack"}
        yield socket


@asynccontextmanager
async def open_http(clients: Clients) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real server: without a network, a response that stays open could not be read."""
    async with httpx.AsyncClient(base_url=await clients.start_server(), timeout=TIMEOUT_SECONDS) as http:
        yield http


async def ask_by_http(clients: Clients, query: str, headers: Mapping[str, str] = {}, **more: Any) -> Answers:
    body = {"query": query, **more}
    response = await clients.http.post("/graphql", json=body, headers={"Accept": RESPONSE_JSON, **headers})
    return [read_answer(response.content)]


async def ask_by_socket(
    clients: Clients, query: str, headers: Mapping[str, str] = {}, **more: Any
) -> Answers:
    async with initialised_socket(clients, **headers) as socket:
        await socket.subscribe(query, **more)
        messages = await socket.read_operation()
    return [
        {"errors": each["payload"]} if each["type"] == "error" else each["payload"]
        for each in messages
        if each["type"] != "complete"
    ]


async def ask_by_events(
    clients: Clients, query: str, headers: Mapping[str, str] = {}, **more: Any
) -> Answers:
    async with open_http(clients) as http:
        response = await http.post(
            "/graphql", json={"query": query, **more}, headers={"Accept": EVENT_STREAM, **headers}
        )
    events = read_events(response.text)
    assert events[-1] == ("complete", "")
    return [read_answer(data) for name, data in events if name == "next"]


async def ask_by_multipart(
    clients: Clients, query: str, headers: Mapping[str, str] = {}, **more: Any
) -> Answers:
    async with open_http(clients) as http:
        response = await http.post(
            "/graphql", json={"query": query, **more}, headers={"Accept": MULTIPART, **headers}
        )
    if not response.headers["content-type"].startswith("multipart/mixed"):
        return [read_answer(response.content)]  # Apollo's protocol is for subscriptions only
    return [part["payload"] for part in read_parts(response.text) if part]


EVERY_TRANSPORT = {
    "http": ask_by_http,
    "websocket": ask_by_socket,
    "sse": ask_by_events,
    "multipart": ask_by_multipart,
}
STREAMING = {name: each for name, each in EVERY_TRANSPORT.items() if name != "http"}


def read_answer(text: str | bytes) -> Any:
    """An answer or a message as JSON, without what the operation costs."""

    def leave_out_cost(value: dict[str, Any]) -> dict[str, Any]:
        if set(value.get("extensions", ())) == {"cost"}:
            del value["extensions"]
        return value

    return json.loads(text, object_hook=leave_out_cost)


def read_events(text: str) -> list[tuple[str, str]]:
    """Name and data of the events of a stream, divided as urql does: at two LF. Comments are left out."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            events.append((fields.get("event", "message").strip(), fields.get("data", "").strip()))
    return events


def read_parts(text: str) -> Answers:
    """The parts of a multipart response, divided as Apollo Client does: at the boundary behind each."""
    *parts, rest = text.split("\r\n--graphql")
    assert rest == "--\r\n"
    parsed = []
    for part in parts[1:]:
        head, body = part.split("\r\n\r\n")
        assert head == "\r\nContent-Type: application/json"
        parsed.append(read_answer(body))
    return parsed
