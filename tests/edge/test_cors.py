"""Pages of the origins that a setting names may use the shop, over HTTP and WebSocket; others may not."""

from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from edge.cors import may_open_socket
from settings import Settings, WrongSetting
from tests.clients import Clients
from tests.conftest import settings_for

SHOP, STRANGER = "https://shop.example", "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-cart-token",
}


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, cors_origins=f"{SHOP}, https://*.shop.example:8443")


def settings_with(origins: str = "", **changes: str) -> Settings:
    return Settings.from_environment(env_file=None, secret_key="x" * 32, cors_origins=origins, **changes)


async def test_a_page_of_an_allowed_origin_may_ask_and_read_what_it_needs(clients: Clients) -> None:
    before = await clients.http.options("/graphql", headers={"Origin": SHOP, **PREFLIGHT})
    answer = await clients.http.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"Origin": SHOP, "X-Cart-Token": "x"}
    )

    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == SHOP
    assert before.headers["access-control-max-age"] == "7200"
    assert "X-Cart-Token" in before.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert (
        answer.headers["access-control-expose-headers"]
        == "Content-Disposition, ETag, Retry-After, X-Request-Id"
    )
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin", [STRANGER, "null", "https://shop.example.evil.example", "http://shop.example"]
)
async def test_a_page_of_another_origin_may_not(clients: Clients, origin: str) -> None:
    before = await clients.http.options("/media", headers={"Origin": origin, **PREFLIGHT})
    answer = await clients.http.get(
        "/graphql", params={"query": "{ __typename }"}, headers={"Origin": origin}
    )

    assert before.status_code == 400
    for each in (before, answer):
        assert "access-control-allow-origin" not in each.headers
        assert "Origin" in each.headers["vary"]


async def test_refusals_can_be_read_by_the_page_that_caused_them(clients: Clients) -> None:
    for path, status in (("/nowhere", 404), ("/media", 401)):
        answer = await clients.http.post(path, headers={"Origin": SHOP})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == SHOP


async def test_an_answer_that_a_cache_may_keep_differs_by_origin(clients: Clients) -> None:
    answer = await clients.http.get("/graphql", params={"query": "{ __typename }"})

    assert "Origin" in answer.headers["vary"].split(", ")


async def test_a_page_may_not_send_a_form_in_place_of_json(clients: Clients) -> None:
    """The types that a page may send without a preflight are refused."""
    for type_ in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await clients.http.post(
            "/graphql",
            content='{"query": "{ __typename }"}',
            headers={"Content-Type": type_, "Origin": STRANGER},
        )
        assert answer.status_code == 415


async def test_a_web_socket_is_opened_for_allowed_origins_only(clients: Clients) -> None:
    server = await clients.start_server()
    url, protocols = f"{server.replace('http', 'ws')}/graphql", [Subprotocol("graphql-transport-ws")]

    for allowed in (SHOP, "https://a.b.shop.example:8443", "http://localhost:5173", server):
        await (await connect(url, origin=Origin(allowed), subprotocols=protocols)).close()
    for refused in (STRANGER, "https://shop.example:8443", "https://a.shop.example"):
        with pytest.raises(InvalidStatus) as answer:
            await connect(url, origin=Origin(refused), subprotocols=protocols)
        assert answer.value.response.status_code == 403


@pytest.mark.parametrize(
    ("origin", "development", "production"),
    [
        ("http://localhost:3000", True, False),
        ("http://127.0.0.1", True, False),
        ("https://[::1]:8443", True, False),
        ("http://app.localhost:5173", True, False),
        ("http://localhost.evil.example", False, False),
        ("https://api.shop.example", True, True),
    ],
)
def test_development_allows_the_origins_of_this_machine_and_every_shop_its_own(
    origin: str, development: bool, production: bool
) -> None:
    public = "https://api.shop.example/shop"

    assert may_open_socket(origin, "internal", settings_with(public_url=public)) is development
    in_production = settings_with(public_url=public, environment="production")
    assert may_open_socket(origin, "internal", in_production) is production


@pytest.mark.parametrize(
    "origins",
    ["*", "shop.example", "https://shop.example/path", "https://*", "https://a.*.example", "ftp://a.example"],
)
def test_an_origin_is_a_scheme_and_a_host(origins: str) -> None:
    with pytest.raises(WrongSetting, match="CORS_ORIGINS"):
        settings_with(origins)
