"""The start page shows people and programs where to go, and nothing that the shop does not show."""

from pathlib import Path

import pytest

from edge.start_page import STYLE, prefers_json
from schema import schema
from settings import Settings
from tests.clients import Clients
from tests.conftest import settings_for

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class TestShownSchema:
    async def test_a_person_gets_a_page_whose_links_all_work(self, clients: Clients) -> None:
        page = await clients.http.get("/", headers={"Accept": BROWSER})

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
        assert links == ["/graphql", "/schema.graphql", "/healthz", "/readyz"]
        for link in links:
            assert (await clients.http.get(link, headers={"Accept": BROWSER})).status_code == 200
        for outside in ("src=", "http-equiv", "@import", "url("):
            assert outside not in page.text

    async def test_a_program_gets_the_links_as_json(self, clients: Clients) -> None:
        answer = await clients.http.get("/", headers={"Accept": "application/json"})

        assert answer.json() | {"version": ""} == {
            "name": "cartwheel",
            "version": "",
            "graphql": "/graphql",
            "schema": "/schema.graphql",
            "health": "/healthz",
            "ready": "/readyz",
        }

    async def test_the_schema_is_a_file_that_browsers_may_check_for_changes(self, clients: Clients) -> None:
        whole = await clients.http.get("/schema.graphql")
        again = await clients.http.get("/schema.graphql", headers={"If-None-Match": whole.headers["etag"]})

        assert whole.text == schema.as_str() + "\n"
        assert (again.status_code, again.content) == (304, b"")


class TestHiddenSchema:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path, environment="production")

    async def test_production_shows_neither_graphiql_nor_the_schema(self, clients: Clients) -> None:
        page = await clients.http.get("/", headers={"Accept": BROWSER})
        schema_file = await clients.http.get("/schema.graphql")
        graphiql = await clients.http.get("/graphql", headers={"Accept": BROWSER})
        asked = await clients.http.get("/graphql", params={"query": "{ __typename }"})

        links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
        assert links == ["/healthz", "/readyz"]  # a browser cannot open /graphql here
        assert "GraphiQL" not in page.text
        assert "/schema.graphql" not in page.text
        assert (schema_file.status_code, graphiql.status_code) == (404, 400)
        assert "text/html" not in graphiql.headers["content-type"]
        assert asked.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        (BROWSER, False),
        ("*/*", False),
        ("", False),
        ("application/json", True),
        ("application/json, text/html", True),
        ("text/html, application/json", False),
    ],
)
def test_json_is_for_those_who_ask_for_it_first(accept: str, json: bool) -> None:
    assert prefers_json(accept) is json


def test_the_page_fits_narrow_screens_and_dark_ones() -> None:
    assert "prefers-color-scheme: dark" in STYLE
    assert "width: min(40rem, 100%)" in STYLE
