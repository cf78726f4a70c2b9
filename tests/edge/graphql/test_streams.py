"""Operations over event streams and multipart: their frames, both modes of graphql-sse, and their ends."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from settings import Settings
from tests.api.cart.documents import ADD, create_variants
from tests.clients import Client, Clients
from tests.conftest import settings_for
from tests.edge.graphql.transports import (
    EVENT_STREAM,
    MULTIPART,
    STREAMING,
    Transport,
    ask_by_events,
    open_http,
    read_answer,
    read_events,
    read_parts,
)
from tests.given import id_of
from tests.observe import wait_until

ROLE = "{ viewer { role } }"
UPDATES = "subscription ($first: Int) { cartUpdates(after: 0, first: $first) { version } }"
TOKEN = "X-GraphQL-Event-Stream-Token"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, stream_keep_alive=0.05)


@pytest.fixture
async def guest(clients: Clients) -> Client:
    """Somebody whose cart has three versions."""
    variants = await create_variants(clients.shop, 3)
    guest = clients.guest()
    for variant in variants:
        cart = (await guest.do(ADD, variantId=id_of(variant), quantity=1))["cart"]
        guest.headers.setdefault("X-Cart-Token", cart["token"] or "")
    return guest


@pytest.fixture
async def http(clients: Clients) -> AsyncIterator[httpx.AsyncClient]:
    async with open_http(clients) as http:
        yield http


def post_body(query: str, **more: Any) -> dict[str, Any]:
    return {"query": query, **more}


@pytest.mark.parametrize("transport", STREAMING.values(), ids=STREAMING)
async def test_a_subscription_with_a_number_of_updates_completes_after_them(
    guest: Client, transport: Transport
) -> None:
    answers = await transport(guest.clients, UPDATES, guest.headers, variables={"first": 2})

    assert answers == [{"data": {"cartUpdates": {"version": version}}} for version in (1, 2)]


async def test_a_wrong_number_of_updates_is_refused(guest: Client) -> None:
    for first in (0, -1, 1_001):
        [answer] = await ask_by_events(guest.clients, UPDATES, guest.headers, variables={"first": first})

        assert answer["errors"][0]["extensions"] == {"code": "INVALID", "field": ["first"]}


async def test_a_query_over_an_event_stream_is_answered_and_completed(http: httpx.AsyncClient) -> None:
    reply = await http.post("/graphql", json=post_body(ROLE), headers={"Accept": EVENT_STREAM})
    by_url = await http.get("/graphql", params={"query": ROLE}, headers={"Accept": EVENT_STREAM})

    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["cache-control"] == "private, no-store"
    assert reply.headers["x-accel-buffering"] == "no"
    assert "\r" not in reply.text
    for text in (reply.text, by_url.text):
        (name, data), ending = read_events(text)
        assert (name, read_answer(data)) == ("next", {"data": {"viewer": {"role": "GUEST"}}})
        assert ending == ("complete", "")


async def test_an_invalid_operation_is_told_inside_the_event_stream(clients: Clients) -> None:
    for query in ("{", "{ nothing }", "subscription { nothing }"):
        [answer] = await ask_by_events(clients, query)

        assert list(answer) == ["errors"]


async def test_a_mutation_by_get_is_refused_for_an_event_stream_too(clients: Clients) -> None:
    text = 'mutation { sessionRevoke(input: { refreshToken: "x" }) { revoked } }'
    reply = await clients.http.get("/graphql", params={"query": text}, headers={"Accept": EVENT_STREAM})

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("accept", "sign"), [(EVENT_STREAM, ":\n\n"), (MULTIPART, "\r\n{}\r\n--graphql")])
async def test_a_quiet_stream_is_kept_open_and_ends_with_its_client(
    guest: Client, http: httpx.AsyncClient, accept: str, sign: str
) -> None:
    shop, headers = guest.clients.shop, {**guest.headers, "Accept": accept}
    body = post_body("subscription { cartUpdates { version } }")
    async with http.stream("POST", "/graphql", json=body, headers=headers) as response:
        received = ""
        async for text in response.aiter_text():
            received += text
            if received.count(sign) >= 3:
                break
        assert sum(shop.metrics.live_operations.values()) == 1
    await wait_until(lambda: sum(shop.metrics.live_operations.values()) == 0)
    await wait_until(lambda: sum(shop.metrics.live_connections.values()) == 0)


async def test_one_event_stream_carries_several_operations(guest: Client, http: httpx.AsyncClient) -> None:
    reserved = await http.put("/graphql", headers=guest.headers)
    assert reserved.status_code == 201
    headers = {**guest.headers, TOKEN: reserved.text}

    async def request(id: str, query: str) -> int:
        body = post_body(query, variables={"first": 2}, extensions={"operationId": id})
        return (await http.post("/graphql", json=body, headers=headers)).status_code

    assert await request("early", ROLE) == 202
    async with http.stream("GET", "/graphql", params={"token": reserved.text}) as response:
        assert (response.status_code, response.headers["content-type"].split(";")[0]) == (200, EVENT_STREAM)
        assert (await http.get("/graphql", headers=headers)).status_code == 409
        assert await request("watch", UPDATES) == 202
        assert await request("wrong", "{ nothing }") == 400
        assert await request("endless", "subscription { cartUpdates { version } }") == 202
        assert await request("endless", ROLE) == 409
        stopped = await http.delete("/graphql", params={"operationId": "endless"}, headers=headers)
        assert stopped.status_code == 200
        text = ""
        async for part in response.aiter_text():
            text += part
            if text.count("event: complete") == 2:
                break
    events = [(name, read_answer(data)) for name, data in read_events(text)]
    assert [data["id"] for name, data in events if name == "complete"] == ["early", "watch"]
    assert ("next", {"id": "early", "payload": {"data": {"viewer": {"role": "GUEST"}}}}) in events
    assert [data["payload"] for name, data in events if name == "next" and data["id"] == "watch"] == [
        {"data": {"cartUpdates": {"version": 1}}},
        {"data": {"cartUpdates": {"version": 2}}},
    ]
    await wait_until(lambda: not guest.clients.app.state.graphql.reservations.streams)
    assert await request("late", ROLE) == 404


async def test_an_event_stream_belongs_to_who_reserved_it(clients: Clients) -> None:
    owner, other = await clients.customer(), await clients.customer()
    token = (await clients.http.put("/graphql", headers=owner.headers)).text
    body = post_body(ROLE, extensions={"operationId": "1"})
    statuses = [
        (await clients.http.post("/graphql", json=body, headers={**headers, TOKEN: token})).status_code
        for headers in (other.headers, {}, owner.headers)
    ]
    nameless = await clients.http.post(
        "/graphql", json=post_body(ROLE), headers={**owner.headers, TOKEN: token}
    )

    assert statuses == [404, 404, 202]
    assert nameless.status_code == 400


async def test_a_client_that_goes_before_the_first_event_leaves_nothing(guest: Client) -> None:
    shop, url = guest.clients.shop, await guest.clients.start_server()
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        body = json.dumps(post_body("subscription { cartUpdates { version } }")).encode()
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: shop\r\nAccept: text/event-stream\r\n"
            b"Content-Type: application/json\r\nX-Cart-Token: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (guest.headers["X-Cart-Token"].encode(), len(body), body)
        )
        await writer.drain()
        writer.close()
        del reader
    await asyncio.sleep(0.2)
    await wait_until(lambda: sum(shop.metrics.live_connections.values()) == 0)

    assert sum(shop.metrics.live_operations.values()) == 0


@pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])
async def test_at_shutdown_a_stream_tells_when_to_connect_again_and_ends(
    guest: Client, http: httpx.AsyncClient, accept: str
) -> None:
    shop, headers = guest.clients.shop, {**guest.headers, "Accept": accept}
    body = post_body("subscription { cartUpdates { version } }")
    reading = asyncio.create_task(http.post("/graphql", json=body, headers=headers))
    await wait_until(lambda: sum(shop.metrics.live_operations.values()) == 1)
    await guest.clients.app.state.graphql.announce_restart()
    text = (await reading).text

    if accept == EVENT_STREAM:
        assert re.fullmatch(r":\n\n(:\n\n)*retry: \d+\n\n", text)
        return
    restart = read_parts(text)[-1]
    [error] = restart["errors"]
    milliseconds = error["extensions"]["retryAfterMs"]
    assert restart["payload"] is None
    assert error == {
        "message": f"Service restart: connect again in {milliseconds} ms.",
        "extensions": {"code": "SERVICE_RESTART", "retryAfterMs": milliseconds},
    }
    assert 0 <= milliseconds < shop.settings.graphql.reconnect_spread.total_seconds() * 1000
