"""Every answer tells browsers what not to do with it, refusals and failures, too."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from edge.security_headers import SecurityHeaders
from settings import Settings
from tests.clients import Clients
from tests.conftest import settings_for

SECRET = "mark-4711"
REQUESTS = [
    ("GET", "/", 200),
    ("GET", "/healthz", 200),
    ("GET", "/nowhere", 404),
    ("DELETE", "/webhooks/payments/sandbox", 405),
    ("POST", "/graphql", 415),
    ("POST", "/media", 401),
    ("GET", "/media/nothing.png", 404),
    ("GET", "/sandbox/pay/nothing", 404),
    ("GET", "/failing", 500),
    ("GET", "/schema.graphql", 200),
    ("GET", "/graphql", 200),
]


async def fail(request: Request) -> Response:
    raise RuntimeError(SECRET)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, public_url="https://shop.example")


@pytest.fixture
def app(app: Starlette) -> Starlette:
    app.router.routes.append(Route("/failing", fail))
    return app


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
async def test_every_answer_has_the_headers(clients: Clients, method: str, path: str, status: int) -> None:
    page = {"Accept": "text/html"} if path == "/graphql" and method == "GET" else {}
    answer = await clients.http.request(method, path, headers=page)

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "camera=()" in answer.headers["permissions-policy"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy or "sandbox" in policy
    assert answer.headers["x-request-id"]
    for name in ("content-security-policy", "x-frame-options", "referrer-policy"):
        assert len(answer.headers.get_list(name)) == 1


async def test_a_failure_is_logged_with_its_place_and_answered_with_its_number(clients: Clients) -> None:
    with capture_logs() as logs:
        answer = await clients.http.get("/failing", headers={"X-Request-Id": "find-me"})

    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL"}
    assert "find-me" in answer.text
    assert SECRET not in answer.text
    [failure] = [line for line in logs if line["event"] == "request.failed"]
    assert isinstance(failure["exc_info"], RuntimeError)


async def test_a_body_that_is_too_large_is_answered_with_the_headers(clients: Clients) -> None:
    answer = await clients.http.post("/graphql", content=b"x" * 2_000_000)

    assert answer.status_code == 413
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_a_shop_with_tls_promises_tls() -> None:
    plain = Settings.from_environment(env_file=None, public_url="http://shop.example")
    safe = Settings.from_environment(env_file=None, public_url="https://shop.example")

    assert "Strict-Transport-Security" not in SecurityHeaders(Starlette(), settings=plain).headers
    assert "Strict-Transport-Security" in SecurityHeaders(Starlette(), settings=safe).headers
