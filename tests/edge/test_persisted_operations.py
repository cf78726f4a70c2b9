"""Persisted operations: a document is sent once and then executed by its hash, in every process."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import create_app
from edge.persisted_operations import sha256_of
from models import Role
from tests.clients import Clients
from tests.conftest import settings_for
from tests.factories.catalog import create_product
from tests.servers import PrivateRedis

TITLE = "query Title($slug: String!) { product(slug: $slug) { title } }"
ROLE = "{ viewer { role } }"


def extensions(text: str, **changes: Any) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(text)} | changes}


def url_of(text: str, **variables: Any) -> str:
    parameters = {"variables": json.dumps(variables), "extensions": json.dumps(extensions(text))}
    return str(httpx.URL("/graphql", params=parameters))


async def request_by_hash(
    clients: Clients, text: str, *, headers: dict[str, str] | None = None, **variables: Any
) -> httpx.Response:
    """Request by hash as clients do: send the document by POST when it is unknown, then request it again."""
    reply = await clients.http.get(url_of(text, **variables), headers=headers)
    if reply.status_code == 200 and codes(reply) == ["PERSISTED_QUERY_NOT_FOUND"]:
        await clients.http.post("/graphql", json={"query": text, "extensions": extensions(text)})
        reply = await clients.http.get(url_of(text, **variables), headers=headers)
    return reply


def codes(reply: httpx.Response) -> list[str]:
    return [error.get("extensions", {}).get("code") for error in reply.json().get("errors", [])]


async def test_a_document_is_sent_once_and_then_executed_by_its_hash(clients: Clients) -> None:
    async with clients.shop.database.writes.begin() as session:
        for title in ("Tea", "Pot"):
            await create_product(session, slug=title.lower(), title=title)

    unknown = await clients.http.get(url_of(TITLE, slug="tea"))
    body = {"query": TITLE, "variables": {"slug": "tea"}, "extensions": extensions(TITLE)}
    sent = await clients.http.post("/graphql", json=body)
    tea, pot = [await clients.http.get(url_of(TITLE, slug=slug)) for slug in ("tea", "pot")]
    posted = await clients.http.post("/graphql", json=body | {"query": None})

    assert (unknown.status_code, unknown.json()["errors"]) == (
        200,
        [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}],
    )
    assert unknown.headers["cache-control"] == "private, no-store"
    assert [each.json()["data"]["product"]["title"] for each in (sent, tea, posted)] == ["Tea"] * 3
    assert pot.json()["data"] == {"product": {"title": "Pot"}}


async def test_a_browser_that_requests_a_hash_gets_the_result_and_not_graphiql(clients: Clients) -> None:
    reply = await request_by_hash(clients, ROLE, headers={"Accept": "text/html, */*"})

    assert reply.json()["data"] == {"viewer": {"role": "GUEST"}}


async def test_a_persisted_operation_is_executed_for_the_current_viewer(clients: Clients) -> None:
    clerk = await clients.staff(Role.SUPPORT)

    assert (await request_by_hash(clients, ROLE)).json()["data"]["viewer"]["role"] == "GUEST"
    assert (await request_by_hash(clients, ROLE, headers=clerk.headers)).json()["data"]["viewer"][
        "role"
    ] == "SUPPORT"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256Hash": sha256_of("{ products { totalCount } }")},
        {"sha256Hash": "abc"},
        {"sha256Hash": None},
        {"version": 2},
        {"version": None},
    ],
)
async def test_a_wrong_hash_is_refused_and_nothing_is_saved(clients: Clients, wrong: dict[str, Any]) -> None:
    reply = await clients.http.post("/graphql", json={"query": ROLE, "extensions": extensions(ROLE, **wrong)})

    assert (reply.status_code, codes(reply)) == (400, ["PERSISTED_QUERY_INVALID"])
    assert codes(await clients.http.get(url_of(ROLE))) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_an_invalid_document_is_not_saved(clients: Clients) -> None:
    for wrong in ("{ nothing }", "{", "# " + "x" * 30_000 + "\n" + ROLE):
        reply = await clients.http.post("/graphql", json={"query": wrong, "extensions": extensions(wrong)})

        assert reply.status_code == 200
        assert codes(await clients.http.get(url_of(wrong))) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.fixture
async def two(
    sqlite_url: str, tmp_path: Path, private_redis_server: PrivateRedis
) -> AsyncIterator[tuple[Clients, Clients]]:
    settings = settings_for(sqlite_url, tmp_path, redis_url=private_redis_server.url)
    async with AsyncExitStack() as stack:
        servers = []
        for app in (create_app(settings), create_app(settings)):
            await stack.enter_async_context(app.router.lifespan_context(app))
            servers.append(await stack.enter_async_context(Clients.open(app)))
        yield servers[0], servers[1]


async def test_processes_share_documents_and_without_redis_clients_send_them_again(
    two: tuple[Clients, Clients], private_redis_server: PrivateRedis
) -> None:
    here, there = two
    await here.http.post("/graphql", json={"query": ROLE, "extensions": extensions(ROLE)})
    assert (await there.http.get(url_of(ROLE))).json()["data"] == {"viewer": {"role": "GUEST"}}

    private_redis_server.stop()
    language = "{ viewer { language } }"
    assert codes(await there.http.get(url_of(language))) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await request_by_hash(there, language)).json()["data"] == {"viewer": {"language": "en"}}
    assert (await there.http.get(url_of(ROLE))).json()["data"] == {"viewer": {"role": "GUEST"}}
