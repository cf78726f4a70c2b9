"""Documents by their hash: sent once, found by every process, never another one's."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import create_app
from edge.persisted import sha256_of
from models import Role
from tests.conftest import settings_for
from tests.factories.catalog import create_product
from tests.front import Front
from tests.servers import PrivateRedis

TITLE = "query Title($slug: String!) { product(slug: $slug) { title } }"
ROLE = "{ viewer { role } }"


def extensions(text: str, **changes: Any) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(text)} | changes}


def address(text: str, **variables: Any) -> str:
    asked = {"variables": json.dumps(variables), "extensions": json.dumps(extensions(text))}
    return str(httpx.URL("/graphql", params=asked))


async def by_hash(
    front: Front, text: str, *, headers: dict[str, str] | None = None, **variables: Any
) -> httpx.Response:
    """As a client does it: by hash alone, and once by POST with the document when it is not known."""
    reply = await front.http.get(address(text, **variables), headers=headers)
    if reply.status_code == 200 and codes(reply) == ["PERSISTED_QUERY_NOT_FOUND"]:
        await front.http.post("/graphql", json={"query": text, "extensions": extensions(text)})
        reply = await front.http.get(address(text, **variables), headers=headers)
    return reply


def codes(reply: httpx.Response) -> list[str]:
    return [error.get("extensions", {}).get("code") for error in reply.json().get("errors", [])]


async def test_a_document_is_sent_once_and_then_asked_for_by_its_hash(front: Front) -> None:
    async with front.shop.database.writes.begin() as session:
        for title in ("Tea", "Pot"):
            await create_product(session, slug=title.lower(), title=title)

    unknown = await front.http.get(address(TITLE, slug="tea"))
    body = {"query": TITLE, "variables": {"slug": "tea"}, "extensions": extensions(TITLE)}
    sent = await front.http.post("/graphql", json=body)
    tea, pot = [await front.http.get(address(TITLE, slug=slug)) for slug in ("tea", "pot")]
    posted = await front.http.post("/graphql", json=body | {"query": None})

    assert (unknown.status_code, unknown.json()["errors"]) == (
        200,
        [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}],
    )
    assert unknown.headers["cache-control"] == "private, no-store"
    assert sent.json() == tea.json() == posted.json() == {"data": {"product": {"title": "Tea"}}}
    assert pot.json() == {"data": {"product": {"title": "Pot"}}}


async def test_a_browser_that_asks_by_hash_gets_the_answer_not_a_page(front: Front) -> None:
    reply = await by_hash(front, ROLE, headers={"Accept": "text/html, */*"})

    assert reply.json() == {"data": {"viewer": {"role": "GUEST"}}}


async def test_a_hash_answers_each_viewer_as_who_they_are(front: Front) -> None:
    clerk = await front.staff(Role.SUPPORT)

    assert (await by_hash(front, ROLE)).json()["data"]["viewer"]["role"] == "GUEST"
    assert (await by_hash(front, ROLE, headers=clerk.headers)).json()["data"]["viewer"]["role"] == "SUPPORT"


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
async def test_a_wrong_hash_is_refused_and_keeps_nothing(front: Front, wrong: dict[str, Any]) -> None:
    reply = await front.http.post("/graphql", json={"query": ROLE, "extensions": extensions(ROLE, **wrong)})

    assert (reply.status_code, codes(reply)) == (400, ["PERSISTED_QUERY_INVALID"])
    assert codes(await front.http.get(address(ROLE))) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_a_document_that_is_wrong_is_not_kept(front: Front) -> None:
    for wrong in ("{ nothing }", "{", "# " + "x" * 30_000 + "\n" + ROLE):
        reply = await front.http.post("/graphql", json={"query": wrong, "extensions": extensions(wrong)})

        assert reply.status_code == 200
        assert codes(await front.http.get(address(wrong))) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.fixture
async def two(
    sqlite_url: str, tmp_path: Path, private_redis_server: PrivateRedis
) -> AsyncIterator[tuple[Front, Front]]:
    settings = settings_for(sqlite_url, tmp_path, redis_url=private_redis_server.url)
    async with AsyncExitStack() as stack:
        fronts = []
        for app in (create_app(settings), create_app(settings)):
            await stack.enter_async_context(app.router.lifespan_context(app))
            fronts.append(await stack.enter_async_context(Front.open(app)))
        yield fronts[0], fronts[1]


async def test_what_one_process_was_sent_all_know_and_without_redis_it_is_sent_again(
    two: tuple[Front, Front], private_redis_server: PrivateRedis
) -> None:
    here, there = two
    await here.http.post("/graphql", json={"query": ROLE, "extensions": extensions(ROLE)})
    assert (await there.http.get(address(ROLE))).json() == {"data": {"viewer": {"role": "GUEST"}}}

    private_redis_server.stop()
    language = "{ viewer { language } }"
    assert codes(await there.http.get(address(language))) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await by_hash(there, language)).json() == {"data": {"viewer": {"language": "en"}}}
    assert (await there.http.get(address(ROLE))).json() == {"data": {"viewer": {"role": "GUEST"}}}
