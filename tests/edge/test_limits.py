"""A request body may not exceed the limit of its path."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from edge.limits.body import BodyLimit

LIMIT = 1_000


async def report_length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/", report_length, methods=["POST"]), Route("/media", report_length, methods=["POST"])]
    limits = Middleware(BodyLimit, limit=LIMIT, limits={"/media": 2 * LIMIT})
    app = Starlette(routes=routes, middleware=[limits])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as http:
        yield http


async def stream(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100):
        yield b"x" * 100


async def test_a_body_at_the_limit_is_accepted_and_one_byte_more_is_refused(http: httpx.AsyncClient) -> None:
    accepted = await http.post("/", content=b"x" * LIMIT)
    refused = await http.post("/", content=b"x" * (LIMIT + 1))

    assert (accepted.status_code, accepted.text) == (200, "1000")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")


async def test_a_body_without_content_length_is_refused_at_the_limit(http: httpx.AsyncClient) -> None:
    accepted = await http.post("/", content=stream(LIMIT))
    refused = await http.post("/", content=stream(LIMIT + 100))

    assert (accepted.status_code, refused.status_code) == (200, 413)


async def test_a_path_may_have_a_limit_of_its_own(http: httpx.AsyncClient) -> None:
    accepted = await http.post("/media", content=b"x" * 2 * LIMIT)
    refused = await http.post("/media", content=b"x" * (2 * LIMIT + 1))

    assert (accepted.status_code, refused.status_code) == (200, 413)
