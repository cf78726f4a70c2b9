"""GraphQL over WebSocket: the protocol graphql-transport-ws, message by message."""

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from settings import Settings
from tests.clients import Clients
from tests.conftest import settings_for
from tests.edge.graphql.transports import initialised_socket, open_socket
from tests.observe import wait_until

ROLE = "{ viewer { role } }"
WATCH = 'subscription { productUpdates(ids: ["UHJvZHVjdDox"]) { __typename } }'

MESSAGE_LIMIT = 5_000
OPERATIONS = 3


@pytest.fixture
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(
        database_url,
        tmp_path_factory.mktemp("var"),
        socket_init_timeout=0.2,
        socket_message_limit_bytes=MESSAGE_LIMIT,
        connection_operations_limit=OPERATIONS,
    )


INVALID = [
    "{nope",
    "1",
    "null",
    "[]",
    '"ping"',
    "{}",
    '{"type": 1}',
    '{"type": "start", "id": "1"}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "subscribe", "payload": {"query": "{ viewer { role } }"}}',
    '{"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { role } }"}}',
    '{"type": "subscribe", "id": "", "payload": {"query": "{ viewer { role } }"}}',
    '{"type": "subscribe", "id": [1], "payload": {"query": "{ viewer { role } }"}}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": "x"}',
    '{"type": "subscribe", "id": "1", "payload": {}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 5}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "extensions": "x"}}',
    '{"type": "ping", "payload": 1}',
    '{"type": "pong", "payload": []}',
    '{"type": "complete"}',
    '{"type": "connection_init", "payload": "x"}',
    '{"type": "ping", "payload": {"a": "\\u0000"}}',
    b"\x01\x02\xff",
]


async def test_a_message_that_the_protocol_does_not_know_closes_the_socket(clients: Clients) -> None:
    for message in INVALID:
        async with initialised_socket(clients) as socket:
            await socket.send(message)
            code, reason = await socket.read_close()

            assert code == 4400, message
            assert reason, message


async def test_each_breach_of_the_protocol_has_its_code(clients: Clients) -> None:
    async with open_socket(clients) as socket:
        await socket.subscribe(ROLE)
        assert await socket.read_close() == (4401, "Unauthorized")
    async with open_socket(clients) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": "Bearer forged"}})
        assert (await socket.read_close())[0] == 4403
    async with open_socket(clients, protocols=[]) as socket:
        assert (await socket.read_close())[0] == 4406
    async with open_socket(clients) as socket:
        assert await socket.read_close() == (4408, "Connection initialisation timeout")
    async with initialised_socket(clients) as socket:
        await socket.subscribe(WATCH)
        await socket.subscribe(WATCH)
        assert await socket.read_close() == (4409, "Subscriber for 1 already exists")
    async with initialised_socket(clients) as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.read_close() == (4429, "Too many initialisation requests")
    async with initialised_socket(clients) as socket:
        await socket.subscribe(ROLE + "#" + "x" * MESSAGE_LIMIT)
        assert (await socket.read_close())[0] == 1009


async def test_an_operation_that_cannot_run_ends_with_an_error_and_the_socket_lives(clients: Clients) -> None:
    wrong = [
        "query {",
        "{ nothing }",
        "",
        "subscription { nothing }",
        "query ($x: Boolean!) { a @skip(if: $x) }",
    ]
    async with initialised_socket(clients) as socket:
        for number, query in enumerate(wrong):
            await socket.subscribe(query, id=str(number))
            [message] = await socket.read_operation(str(number))
            assert (message["type"], bool(message["payload"][0]["message"])) == ("error", True)
        await socket.subscribe("query A { viewer { role } }", operationName="B")
        [message] = await socket.read_operation()
        assert message["payload"] == [{"message": 'The document has no operation named "B".'}]

        await socket.subscribe(ROLE)
        result, complete = await socket.read_operation()
        assert result["payload"] == {"data": {"viewer": {"role": "GUEST"}}}
        assert complete == {"type": "complete", "id": "1"}


async def test_a_ping_is_answered_with_its_payload_even_before_the_connection_is_initialised(
    clients: Clients,
) -> None:
    async with open_socket(clients) as socket:
        await socket.send({"type": "ping", "payload": {"sent": 1}})
        assert await socket.receive() == {"type": "pong", "payload": {"sent": 1}}
        await socket.send({"type": "connection_init"})
        await socket.receive()
        await socket.send({"type": "pong"})
        await socket.send({"type": "complete", "id": "unknown"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


async def test_a_socket_runs_a_limited_number_of_operations(clients: Clients) -> None:
    async with initialised_socket(clients) as socket:
        for number in range(OPERATIONS + 1):
            await socket.subscribe(WATCH, id=str(number))
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == (str(OPERATIONS), "error")
        assert refused["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}

        await socket.send({"type": "complete", "id": "0"})
        await socket.subscribe(ROLE, id="0")
        assert (await socket.receive())["payload"] == {"data": {"viewer": {"role": "GUEST"}}}


async def test_nothing_is_left_of_an_operation_whose_client_has_gone(clients: Clients) -> None:
    live, connections = clients.shop.metrics.live_operations, clients.shop.metrics.live_connections
    async with initialised_socket(clients) as socket:
        await socket.subscribe(WATCH)
        await wait_until(lambda: live.get(("websocket",)) == 1)
        await socket.send({"type": "complete", "id": "1"})
        await wait_until(lambda: live[("websocket",)] == 0)
        await socket.subscribe(WATCH)
        await wait_until(lambda: live[("websocket",)] == 1)
        socket.connection.transport.abort()
    await wait_until(lambda: connections[("websocket",)] == 0)

    assert live[("websocket",)] == 0


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
async def test_a_page_of_another_origin_cannot_open_a_socket(clients: Clients, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(clients, Origin=origin):
            pass
    assert refused.value.response.status_code == 403
    url = await clients.start_server()
    async with open_socket(clients, Origin=url) as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}


async def test_another_protocol_of_the_client_is_not_chosen(clients: Clients) -> None:
    async with open_socket(clients, protocols=[Subprotocol("graphql-ws")]) as socket:
        assert socket.connection.subprotocol is None
        assert (await socket.read_close())[0] == 4406


async def test_a_document_is_found_by_its_hash_on_a_socket_too(clients: Clients) -> None:
    unknown = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    async with initialised_socket(clients) as socket:
        await socket.send({"type": "subscribe", "id": "1", "payload": {"extensions": unknown}})
        [message] = await socket.read_operation()

    assert json.dumps(message["payload"]).count("PERSISTED_QUERY_NOT_FOUND") == 1
