"""The memory and the answers of a serving process under every attack on its front door, over each transport.

The hostile documents are those of the tests; beside them go bodies and messages that are no operations,
sockets with too many of them, connections that say nothing or half of something, and huge pictures.
`python -m bench uploads` says more on pictures, `python -m bench cost` sends the documents of a generator.
"""

import asyncio
import json
import math
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bench.arguments import read_arguments
from bench.uploads import LIMIT_BYTES, TIMEOUT_SECONDS, draw_picture, peak_memory, upload_pictures
from domain.media import PIXEL_LIMIT
from tests.api.limits.attacks import LARGEST_ALLOWED, TOO_COSTLY, TOO_LARGE
from tests.process import process_environment, run_cartwheel, serve_shop

PROTOCOL = Subprotocol("graphql-transport-ws")
DOCUMENTS = {**TOO_COSTLY, **TOO_LARGE, **LARGEST_ALLOWED}
AT_ONCE = 20
SOCKETS, OPERATIONS = 10, 300
WATCH = 'subscription { productUpdates(ids: ["UHJvZHVjdDox"]) { __typename } }'
ROLE = "{ viewer { role } }"

BODIES: dict[str, bytes] = {
    "JSON that is nested 200,000 times": b"[" * 200_000 + b"]" * 200_000,
    "a batch of 1,000": json.dumps([{"query": ROLE}] * 1_000).encode(),
    "variables of 900 kB": json.dumps({"query": ROLE, "variables": {"a": ["x"] * 180_000}}).encode(),
    "a body above the limit": b'{"query": "' + b"x" * 20_000_000 + b'"}',
    "no JSON": b"\xff" * 900_000,
}
SLOW_CONNECTIONS = 900
HALVES = (
    b"POST /graphql HTTP/1.1\r\nHost: shop.test\r\nX-Half: ",
    b"POST /graphql HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n"
    b"Content-Length: 900000\r\n\r\n{",
)
RAISED = {
    "LOG_LEVEL": "ERROR",
    "REQUESTS_PER_MINUTE": "1000000",
    "LIVE_CONNECTIONS_PER_ADDRESS": "1000",
    "GUEST_COST_BUCKET": "100000000",
}
"""Limits by address, which would end the attacks before those that are measured."""


def main() -> int:
    """Print the answers and the peak of the memory; the exit code, 1 where it is above LIMIT_BYTES."""
    read_arguments(__doc__)
    return asyncio.run(attack_shop())


async def attack_shop() -> int:
    with tempfile.TemporaryDirectory() as folder:
        env = process_environment(f"sqlite:///{folder}/shop.db", Path(folder), **RAISED)
        run_cartwheel("demo", env=env).check_returncode()
        async with serve_shop(env, Path(folder) / "log") as server:
            before, started = peak_memory(server.pid), time.perf_counter()
            for name, attack in (
                ("documents", send_documents),
                ("bodies", send_bodies),
                ("messages", send_messages),
                ("sockets", flood_sockets),
                ("slow", open_slow_connections),
                ("pictures", send_pictures),
            ):
                outcomes = await attack(server.url)
                print(f"{name:10} {dict(outcomes)}, peak {peak_memory(server.pid) / 1e6:.0f} MB")
            await check_alive(server.url)
            peak, seconds = peak_memory(server.pid), time.perf_counter() - started
    print(f"peak {peak / 1e6:.0f} MB, {before / 1e6:.0f} MB before, {seconds:.0f} s")
    return int(peak > LIMIT_BYTES)


async def check_alive(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as http:
        (await http.post("/graphql", json={"query": ROLE})).raise_for_status()


async def send_documents(url: str) -> Counter[str]:
    """Every document over HTTP and over an event stream, AT_ONCE at the same time; how often which status."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def send_one(http: httpx.AsyncClient, document: str, accept: str) -> str:
        async with gate:
            reply = await http.post("/graphql", json={"query": document}, headers={"Accept": accept})
            return f"{accept.rpartition('/')[2]} {reply.status_code}"

    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as http:
        accepted = ("application/graphql-response+json", "text/event-stream")
        sent = [send_one(http, document, accept) for document in DOCUMENTS.values() for accept in accepted]
        return Counter(await asyncio.gather(*sent))


async def send_bodies(url: str) -> Counter[str]:
    """Bodies that are no single operation; how often which status."""
    as_json = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, headers=as_json) as http:
        replies = [await http.post("/graphql", content=body) for body in BODIES.values() for _ in range(5)]
    return Counter(str(reply.status_code) for reply in replies)


async def send_messages(url: str) -> Counter[str]:
    """Every document over a WebSocket of its own, and messages above the limit; what came back."""
    messages = [json.dumps(subscribe("1", document)) for document in DOCUMENTS.values()]
    return Counter([await send_message(url, message) for message in [*messages, "x" * 8_000_000]])


async def send_message(url: str, message: str) -> str:
    """The type of the answer, or the code that closed the socket."""
    async with connect(socket_address(url), subprotocols=[PROTOCOL]) as socket:
        await socket.send('{"type": "connection_init"}')
        try:
            await socket.recv()
            await socket.send(message)
            answer: dict[str, str] = json.loads(await socket.recv())
        except ConnectionClosed as closed:
            return f"closed {closed.rcvd.code if closed.rcvd else 'without a code'}"
    return answer["type"]


async def flood_sockets(url: str) -> Counter[str]:
    """SOCKETS WebSockets with OPERATIONS subscriptions each, that read only the refusals."""
    return Counter(await asyncio.gather(*(flood_socket(url) for _ in range(SOCKETS))))


async def flood_socket(url: str) -> str:
    async with connect(socket_address(url), subprotocols=[PROTOCOL]) as socket:
        await socket.send('{"type": "connection_init"}')
        await socket.recv()
        for number in range(OPERATIONS):
            await socket.send(json.dumps(subscribe(str(number), WATCH)))
        await socket.send('{"type": "ping"}')
        refused = 0
        while json.loads(await socket.recv())["type"] != "pong":
            refused += 1
    return f"{OPERATIONS - refused} of {OPERATIONS} run"


async def open_slow_connections(url: str) -> Counter[str]:
    """Many connections that send half a header or half a body, and then wait for what the server does."""
    address = httpx.URL(url)
    return Counter(
        await asyncio.gather(
            *(send_slowly(address, HALVES[number % len(HALVES)]) for number in range(SLOW_CONNECTIONS))
        )
    )


async def send_slowly(address: httpx.URL, half: bytes) -> str:
    """The status line of the answer, or "closed" where there is none."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(half)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return (await reader.readline()).decode().strip() or "closed"
    except ConnectionError:
        return "closed"
    finally:
        writer.close()


async def send_pictures(url: str) -> Counter[str]:
    side = math.isqrt(PIXEL_LIMIT)
    return Counter(map(str, await upload_pictures(url, draw_picture("PNG", "RGBA", side))))


def subscribe(operation_id: str, document: str) -> dict[str, object]:
    return {"type": "subscribe", "id": operation_id, "payload": {"query": document}}


def socket_address(url: str) -> str:
    return url.replace("http", "ws") + "/graphql"


if __name__ == "__main__":
    sys.exit(main())
