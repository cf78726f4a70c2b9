"""Start, health checks, logs and shutdown of a serving process."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.observe import TIMEOUT_SECONDS, wait_until
from tests.process import Process, call_cartwheel, process_environment, serve_shop, start_interpreter
from tests.servers import PrivateRedis

EVERY_NAME = "{ __schema { types { name description fields { name description } } } }"
QUERY = b'{"query": "{ __typename }"}'


@pytest.fixture
def env(new_sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return process_environment(new_sqlite_url, tmp_path, SHUTDOWN_SECONDS="60")


@pytest.fixture
async def process(env: dict[str, str], tmp_path: Path) -> AsyncIterator[Process]:
    """A process of this test, which may stop it."""
    async with serve_shop(env, tmp_path / "log") as process:
        yield process


@pytest.fixture(scope="module")
async def shared_process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    """A process for all tests that leave it running; it has made its database itself."""
    folder = tmp_path_factory.mktemp("shared")
    env = process_environment(f"sqlite:///{folder}/shop.db", folder)
    async with serve_shop(env, folder / "log") as process:
        yield process


async def test_a_process_is_alive_and_ready(shared_process: Process) -> None:
    async with httpx.AsyncClient(base_url=shared_process.url) as http:
        alive, ready = await http.get("/healthz"), await http.get("/readyz")

    assert (alive.status_code, alive.text) == (200, "ok")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "database": "ok"},
    )


async def test_without_redis_a_process_stays_ready_and_says_degraded(
    env: dict[str, str], tmp_path: Path, private_redis_server: PrivateRedis
) -> None:
    env = env | {"REDIS_URL": private_redis_server.url}
    async with serve_shop(env, tmp_path / "log") as process, httpx.AsyncClient(base_url=process.url) as http:
        private_redis_server.stop()
        alive, ready = await http.get("/healthz"), await http.get("/readyz")
        answered = await http.post("/graphql", content=QUERY, headers={"content-type": "application/json"})
        private_redis_server.start()
        again = await http.get("/readyz")

    assert (alive.status_code, ready.status_code, again.status_code) == (200, 200, 200)
    assert ready.json() == {"status": "degraded", "database": "ok", "redis": "ConnectionError"}
    assert again.json()["status"] == "ok"
    assert answered.json()["data"] == {"__typename": "Query"}


async def test_every_response_has_a_request_id_the_clients_own_if_it_is_well_formed(
    shared_process: Process,
) -> None:
    async with httpx.AsyncClient(base_url=shared_process.url) as http:
        own = await http.get("/healthz", headers={"X-Request-Id": "abc-123"})
        odd = await http.get("/healthz", headers={"X-Request-Id": "x" * 200})
        none = await http.get("/healthz")

    assert own.headers["x-request-id"] == "abc-123"
    assert len(odd.headers["x-request-id"]) == len(none.headers["x-request-id"]) == 16


async def test_a_log_line_is_one_json_object_with_the_request_id(shared_process: Process) -> None:
    async with httpx.AsyncClient(base_url=shared_process.url) as http:
        await http.get("/graphql", params={"query": "{ __typename }"}, headers={"X-Request-Id": "find-me"})
    await wait_until(lambda: "find-me" in shared_process.log.read_text())

    lines = [json.loads(line) for line in shared_process.log.read_text().splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("request_id") == "find-me"]
    assert (line["event"], line["path"], line["status"]) == ("request", "/graphql", 200)


async def test_a_running_request_is_answered_before_the_process_ends(process: Process) -> None:
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{process.port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(QUERY)}\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(head)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    ending = asyncio.create_task(process.stop())
    await wait_until_no_connection_is_accepted(process)
    writer.write(QUERY)
    await writer.drain()
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'{"data":{"__typename":"Query"},' in answer
    assert await ending == -signal.SIGTERM, "ended by the signal, after it had cleaned up"


async def wait_until_no_connection_is_accepted(process: Process) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", process.port)
        except ConnectionError:
            return
        writer.close()
        await asyncio.sleep(0.01)


async def test_at_shutdown_subscribers_are_told_that_the_service_restarts_and_when_to_come_again(
    process: Process,
) -> None:
    address = process.url.replace("http", "ws") + "/graphql"
    body = {"query": 'subscription { productUpdates(ids: ["UHJvZHVjdDox"]) { __typename } }'}
    as_events = {"Accept": "text/event-stream"}
    async with (
        connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as watcher,
        connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], max_queue=1) as silent,
        httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS) as http,
        http.stream("POST", "/graphql", json=body, headers=as_events) as stream,
    ):
        for socket in (watcher, silent):
            await socket.send(json.dumps({"type": "connection_init"}))
        await watcher.recv()
        for number in range(80):  # more than fits into the buffers of a connection that nobody reads from
            message = {"type": "subscribe", "id": str(number), "payload": {"query": EVERY_NAME}}
            await silent.send(json.dumps(message))
        chunks = stream.aiter_text()
        events = ""
        while "event: next" not in events:  # the product that is not there is told first
            events += await anext(chunks)
        ending = asyncio.create_task(process.stop())
        with pytest.raises(ConnectionClosed) as closed:
            await watcher.recv()
        events += "".join([chunk async for chunk in chunks])
        assert await ending == -signal.SIGTERM, "ended by the signal, after it had cleaned up"

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert re.fullmatch(r"Service restart: connect again in \d+ ms\.", closed.value.rcvd.reason)
    assert re.fullmatch(r":\n\n(:\n\n)*event: next\ndata: .*\n\n(:\n\n)*retry: \d+\n\n", events)


async def test_a_forged_token_is_refused_over_http_and_websocket(shared_process: Process) -> None:
    forged = {"Authorization": "Bearer nonsense"}
    async with httpx.AsyncClient(base_url=shared_process.url) as http:
        answer = await http.post("/graphql", json={"query": "{ viewer { role } }"}, headers=forged)
    address = shared_process.url.replace("http", "ws") + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as watcher:
        await watcher.send(json.dumps({"type": "connection_init", "payload": forged}))
        with pytest.raises(ConnectionClosed) as closed:
            await watcher.recv()

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_a_wrong_setting_is_named_and_stops_the_start(env: dict[str, str]) -> None:
    refused = await call_cartwheel("serve", env=env | {"PORT": "many"})

    assert refused.returncode == 2
    assert "PORT" in refused.stderr


def test_the_demo_shop_is_not_loaded_in_production(env: dict[str, str]) -> None:
    refused = start_interpreter("serve", "--demo", env=env | {"ENVIRONMENT": "production"})

    assert refused.returncode != 0
    assert "production" in refused.stderr


async def test_a_client_that_sends_a_too_large_body_receives_the_refusal(shared_process: Process) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 100_000

    as_json = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=shared_process.url, headers=as_json) as http:
        announced = await http.post("/graphql", content=b"x" * 5_000_000)
        streamed = await http.post("/graphql", content=stream())

    assert (announced.status_code, streamed.status_code) == (413, 413)


async def test_a_nul_character_is_refused_before_it_reaches_the_database(shared_process: Process) -> None:
    search = "query ($text: String!) { products(query: $text) { totalCount } }"
    async with httpx.AsyncClient(base_url=shared_process.url) as http:
        variable = await http.post("/graphql", json={"query": search, "variables": {"text": "te\0a"}})
        literal = await http.post(
            "/graphql", json={"query": '{ products(query: "te\\u0000a") { totalCount } }'}
        )
        address = await http.get("/graphql?query=%7B+products(query:%22te%00a%22)%7BtotalCount%7D%7D")

    assert (variable.status_code, literal.status_code, address.status_code) == (400, 400, 400)
