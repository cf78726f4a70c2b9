"""GraphQL over HTTP: media types, methods and status codes."""

from typing import Any

import httpx
import pytest

from edge.graphql.negotiation import SINGLE, STREAMS, MediaType, choose_media_type, prefers_html, read_accept
from tests.clients import Clients
from tests.edge.graphql.transports import JSON, RESPONSE_JSON, read_answer

ROLE = "{ viewer { role } }"
TWO = "query A { viewer { role } } query B { viewer { language } }"
VARIABLE = "query ($slug: String!) { product(slug: $slug) { title } }"

APOLLO = f"{RESPONSE_JSON},{JSON};q=0.9"
APOLLO_WATCHING = f"multipart/mixed;boundary=graphql;subscriptionSpec=1.0,{APOLLO}"
URQL = f"{RESPONSE_JSON}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed"


async def post(clients: Clients, body: Any, **headers: str) -> httpx.Response:
    return await clients.http.post("/graphql", json=body, headers=headers)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", MediaType.JSON),
        ("*/*", MediaType.JSON),
        ("application/*", MediaType.JSON),
        (JSON, MediaType.JSON),
        (RESPONSE_JSON, MediaType.RESPONSE_JSON),
        (APOLLO, MediaType.RESPONSE_JSON),
        (APOLLO_WATCHING, MediaType.RESPONSE_JSON),
        (URQL, MediaType.RESPONSE_JSON),
        (f"{JSON};q=0.1, */*", MediaType.RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.5, {JSON}", MediaType.JSON),
        (f"{JSON};q=0.1, text/event-stream", MediaType.EVENT_STREAM),
        ("TEXT/EVENT-STREAM", MediaType.EVENT_STREAM),
        (f"{JSON};q=0, */*;q=0.2", MediaType.RESPONSE_JSON),
        (f'{JSON};profile="a,b;c";q=0.3, text/html', MediaType.JSON),
        (f"{JSON};q=2", None),
        (f"{JSON};q=nan", None),
        ("text/html", None),
        ("text/*", None),
        (f"{JSON};q=0", None),
    ],
)
def test_the_answer_has_the_form_the_client_prefers(accept: str, chosen: MediaType | None) -> None:
    assert choose_media_type(read_accept(accept), SINGLE) is chosen


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/event-stream, multipart/mixed", MediaType.EVENT_STREAM),
        (URQL, MediaType.EVENT_STREAM),
        (APOLLO_WATCHING, MediaType.MULTIPART),
        ('multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json', MediaType.MULTIPART),
        ("multipart/mixed;subscriptionSpec=2.0", None),
        ("multipart/mixed", None),
        ("*/*", None),
        (APOLLO, None),
    ],
)
def test_a_subscription_has_the_form_of_a_stream_that_the_client_names(
    accept: str, chosen: MediaType | None
) -> None:
    assert choose_media_type(read_accept(accept), STREAMS) is chosen


def test_a_browser_that_opens_a_link_prefers_a_page() -> None:
    assert prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert not prefers_html(f"{JSON}, text/html")
    assert not prefers_html("*/*")


async def test_what_the_client_does_not_accept_is_not_sent(clients: Clients) -> None:
    reply = await post(clients, {"query": ROLE}, Accept="image/png")

    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (406, "INVALID")


@pytest.mark.parametrize("query", ["{", "{ nothing }", VARIABLE])
async def test_what_never_ran_has_no_data_and_is_400_for_clients_that_know_the_media_type(
    clients: Clients, query: str
) -> None:
    modern = await post(clients, {"query": query}, Accept=APOLLO)
    old = await post(clients, {"query": query}, Accept=JSON)

    assert (modern.status_code, modern.headers["content-type"]) == (400, f"{RESPONSE_JSON}; charset=utf-8")
    assert (old.status_code, old.headers["content-type"]) == (200, f"{JSON}; charset=utf-8")
    assert read_answer(modern.content) == read_answer(old.content)
    assert list(read_answer(modern.content)) == ["errors"]


async def test_what_ran_has_data_though_a_field_failed(clients: Clients) -> None:
    reply = await post(clients, {"query": "{ a: product { title } viewer { role } }"}, Accept=RESPONSE_JSON)

    assert (reply.status_code, reply.json()["data"]) == (200, {"a": None, "viewer": {"role": "GUEST"}})
    assert reply.json()["errors"][0]["path"] == ["a"]


@pytest.mark.parametrize(
    "media_type",
    [
        "xapplication/jsonx",
        "application/jsonx",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
    ],
)
async def test_only_json_in_utf_8_is_read(clients: Clients, media_type: str) -> None:
    body = b'{"query": "{ viewer { role } }"}'
    reply = await clients.http.post("/graphql", content=body, headers={"Content-Type": media_type})

    assert reply.status_code == 415
    assert "data" not in reply.json()


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; Charset=UTF-8"])
async def test_json_is_read_however_its_media_type_is_written(clients: Clients, media_type: str) -> None:
    body = '{"query": "{ product(slug: \\"茶\\") { title } }"}'.encode()
    reply = await clients.http.post("/graphql", content=body, headers={"Content-Type": media_type})

    assert read_answer(reply.content) == {"data": {"product": None}}


async def test_another_method_is_refused_and_the_right_ones_are_named(clients: Clients) -> None:
    for method in ("PATCH", "TRACE", "PROPFIND"):
        reply = await clients.http.request(method, "/graphql")

        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST, PUT, DELETE, OPTIONS")


async def test_of_several_operations_one_must_be_named(clients: Clients) -> None:
    nameless = await post(clients, {"query": TWO})
    unknown = await post(clients, {"query": TWO, "operationName": "C"})
    named = await post(clients, {"query": TWO, "operationName": "B"})

    assert (nameless.status_code, list(nameless.json())) == (400, ["errors"])
    assert nameless.json()["errors"][0]["message"] == "The document has several operations: name one."
    assert (unknown.status_code, list(unknown.json())) == (400, ["errors"])
    assert read_answer(named.content) == {"data": {"viewer": {"language": "en"}}}


async def test_a_list_of_requests_is_refused(clients: Clients) -> None:
    reply = await post(clients, [{"query": ROLE}, {"query": ROLE}])

    assert reply.status_code == 400
    assert (
        reply.json()["errors"][0]["message"] == "A request is a JSON object: send each operation by itself."
    )


@pytest.mark.parametrize(
    "body",
    [
        {"query": 5},
        {"query": {}},
        {"query": ROLE, "variables": []},
        {"query": ROLE, "variables": "{}"},
        {"query": ROLE, "operationName": 5},
        {"query": ROLE, "extensions": "x"},
        {"query": "  "},
        {},
        "x",
    ],
)
async def test_parameters_of_a_wrong_kind_are_refused(clients: Clients, body: Any) -> None:
    reply = await post(clients, body, Accept=RESPONSE_JSON)

    assert (reply.status_code, list(reply.json())) == (400, ["errors"])


async def test_variables_in_a_url_are_json(clients: Clients) -> None:
    good = await clients.http.get("/graphql", params={"query": VARIABLE, "variables": '{"slug": "tea"}'})
    bad = await clients.http.get("/graphql", params={"query": VARIABLE, "variables": "slug=tea"})
    listed = await clients.http.get("/graphql", params={"query": VARIABLE, "variables": "[]"})

    assert read_answer(good.content) == {"data": {"product": None}}
    assert (bad.status_code, listed.status_code) == (400, 400)
