"""Valid documents are parsed and validated once; their answers stay the same."""

import pytest

from schema import schema
from schema.compiled_documents import RecentlyUsed
from tests.clients import Clients
from tests.factories.catalog import create_product

PRODUCT = "query Known($slug: String!) { product(slug: $slug) { title } }"
NUL = "This is not JSON that can be taken: it holds a NUL character."
TWO = "query Role { viewer { role } } query Currency { viewer { currency } }"


async def test_a_cached_document_is_answered_with_the_variables_of_each_request(clients: Clients) -> None:
    async with clients.shop.database.writes.begin() as session:
        for title in ("Tea", "Pot"):
            await create_product(session, slug=title.lower(), title=title)
    guest = clients.guest()

    answers = [(await guest.get(PRODUCT, slug=slug))["product"] for slug in ("tea", "pot", "none", "tea")]

    assert answers == [{"title": "Tea"}, {"title": "Pot"}, None, {"title": "Tea"}]
    assert schema.documents.get(PRODUCT) is schema.documents.get(PRODUCT) is not None


async def test_an_invalid_document_is_refused_each_time_and_not_cached(clients: Clients) -> None:
    guest = clients.guest()
    for invalid in ("{ viewer { rolle } }", "{ viewer { role }", "query ($a: Nothing) { viewer { role } }"):
        first, second = await guest.ask(invalid), await guest.ask(invalid)

        assert first == second
        assert first["errors"][0]["locations"]
        assert schema.documents.get(invalid) is None


async def test_each_operation_of_a_cached_document_can_be_asked_for(clients: Clients) -> None:
    async def ask(operation: str | None) -> object:
        body = {"query": TWO, "operationName": operation}
        reply = await clients.http.post("/graphql", json=body)
        return reply.json()["data"] if reply.status_code == 200 else reply.status_code

    expected = [{"viewer": {"role": "GUEST"}}, {"viewer": {"currency": "CNY"}}, 400]
    for _ in range(2):
        assert [await ask("Role"), await ask("Currency"), await ask("Nobody")] == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'"x"', "A request is a JSON object."),
        (b"null", "A request is a JSON object."),
        (b"{", "This is not JSON that can be taken: unexpected end of data."),
        (b'{"query": "{ viewer { role } }", "variables": {"a": "\\u0000"}}', NUL),
        (b'{"query": "{ products(query: \\"\\\\u{00}\\") { totalCount } }"}', NUL),
        (b"{}", "No GraphQL query found in the request"),
    ],
)
async def test_a_body_that_is_no_request_is_refused_with_the_reason(
    clients: Clients, body: bytes, message: str
) -> None:
    reply = await clients.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})

    assert (reply.status_code, reply.json()) == (
        400,
        {"errors": [{"message": message, "extensions": {"code": "INVALID"}}]},
    )


async def test_what_only_looks_like_a_nul_character_is_accepted(clients: Clients) -> None:
    document = r'query ($a: String!) { a: product(slug: $a) { id } b: product(slug: "\u{00e9}") { id } }'

    assert await clients.guest().get(document, a="100%00") == {"a": None, "b": None}


def test_the_cache_is_bounded_by_the_number_of_entries() -> None:
    cache: RecentlyUsed[int] = RecentlyUsed(entries=2, characters=1_000)
    cache.add("a", 1, size=1)
    cache.add("b", 2, size=1)
    cache.get("a")
    cache.add("c", 3, size=1)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]


def test_the_cache_is_bounded_by_the_size_of_its_entries() -> None:
    cache: RecentlyUsed[int] = RecentlyUsed(entries=100, characters=10)
    cache.add("a", 1, size=6)
    cache.add("b", 2, size=4)
    cache.add("c", 3, size=5)

    assert [cache.get(key) for key in "abc"] == [None, 2, 3]
    cache.add("larger than all the room", 4, size=11)
    assert len(cache) == 0
