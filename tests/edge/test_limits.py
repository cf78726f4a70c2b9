"""Nobody makes the shop swallow more than it has announced to take."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from edge.limits import BodyLimit

LIMIT = 1_000


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/", count, methods=["POST"]), Route("/media", count, methods=["POST"])]
    limits = Middleware(BodyLimit, limit=LIMIT, limits={"/media": 2 * LIMIT})
    app = Starlette(routes=routes, middleware=[limits])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as http:
        yield http


async def drip(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100):
        yield b"x" * 100


async def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_refused(http: httpx.AsyncClient) -> None:
    taken = await http.post("/", content=b"x" * LIMIT)
    refused = await http.post("/", content=b"x" * (LIMIT + 1))

    assert (taken.status_code, taken.text) == (200, "1000")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")


async def test_a_body_of_unannounced_length_is_counted_while_it_comes(http: httpx.AsyncClient) -> None:
    taken = await http.post("/", content=drip(LIMIT))
    refused = await http.post("/", content=drip(LIMIT + 100))

    assert (taken.status_code, refused.status_code) == (200, 413)


async def test_a_path_may_have_a_limit_of_its_own(http: httpx.AsyncClient) -> None:
    taken = await http.post("/media", content=b"x" * 2 * LIMIT)
    refused = await http.post("/media", content=b"x" * (2 * LIMIT + 1))

    assert (taken.status_code, refused.status_code) == (200, 413)
