"""A client that does not read costs little, and goes on later without missing anything."""

import socket
from typing import Any

import pytest
from websockets.asyncio.client import connect

from edge.graphql.websocket import GraphQLSocket
from tests.api.cart.documents import ADD, create_variants
from tests.clients import Client, Clients
from tests.edge.graphql.transports import PROTOCOL, Socket
from tests.given import id_of
from tests.observe import wait_until

QUEUE_BYTES = 1_000
pytestmark = pytest.mark.settings(send_queue_limit_bytes=QUEUE_BYTES, slow_reader_patience=0.1)

VERSIONS = 24
DESCRIPTION = f"<p>{'Green tea ' * 2_000}</p>"
SOCKET_BUFFER_BYTES = 4_096
"""Of the kernel, on both sides, so that little is on its way to a client that does not read."""
WATCH = """subscription ($after: Int) { cartUpdates(after: $after) { version cart {
  lines { variant { product { description } } } } } }"""
ANSWER_BYTES = 25_000
"""More than one answer has."""


async def guest_with_versions(clients: Clients) -> Client:
    """A guest whose cart has VERSIONS versions."""
    (tea,) = await create_variants(clients.shop, description=DESCRIPTION, stock={"MAIN": VERSIONS})
    guest, cart = clients.guest(), dict[str, Any]()
    for _ in range(VERSIONS):
        cart = (await guest.do(ADD, variantId=id_of(tea)))["cart"]
        guest.headers.setdefault("X-Cart-Token", cart["token"] or "")
    assert cart["version"] == VERSIONS
    return guest


def small_connection(port: int) -> socket.socket:
    """A connection over which the client takes little before it reads."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


async def read_updates(reader: Socket, id: str) -> tuple[list[int], dict[str, Any]]:
    """The versions of a subscription up to the last there is, and the error that ends it before that."""
    versions: list[int] = []
    while VERSIONS not in versions:
        message = await reader.receive()
        assert message["id"] == id
        if message["type"] == "error":
            [error] = message["payload"]
            return versions, error
        versions.append(message["payload"]["data"]["cartUpdates"]["version"])
    return versions, {}


async def test_a_client_that_does_not_read_resumes_from_the_last_version_it_has_got(clients: Clients) -> None:
    guest = await guest_with_versions(clients)
    url = await clients.start_server(send_buffer=SOCKET_BUFFER_BYTES)
    address = url.replace("http", "ws") + "/graphql"
    connection = small_connection(clients.port)
    async with connect(
        address, sock=connection, subprotocols=[PROTOCOL], max_queue=1, compression=None
    ) as opened:
        reader = Socket(opened)
        await reader.send({"type": "connection_init", "payload": guest.headers})
        assert await reader.receive() == {"type": "connection_ack"}
        await reader.subscribe(WATCH, id="0", variables={"after": 0})
        [served] = clients.app.state.graphql.connections.open
        assert isinstance(served, GraphQLSocket)
        largest = await watch_queue(clients, served)

        got, error = await read_updates(reader, "0")
        assert error["extensions"] == {"code": "RESUME_FROM_VERSION", "version": got[-1]}
        assert 0 < len(got) < VERSIONS
        for attempt in range(1, VERSIONS):
            await reader.subscribe(WATCH, id=str(attempt), variables={"after": got[-1]})
            more, error = await read_updates(reader, str(attempt))
            got += more
            if not error:
                break

    assert got == list(range(1, VERSIONS + 1))
    assert largest < QUEUE_BYTES + 2 * ANSWER_BYTES


async def watch_queue(clients: Clients, served: GraphQLSocket) -> int:
    """The most bytes that waited for the client, until its subscription has ended."""
    largest = 0

    def has_ended() -> bool:
        nonlocal largest
        largest = max(largest, served.queue.size)
        return bool(largest) and not clients.shop.metrics.live_operations.get(("websocket",))

    await wait_until(has_ended)
    return largest
