"""What was parsed and validated once is not again, and answers stay the same."""

import pytest

from schema import schema
from schema.documents import Recent
from tests.factories.catalog import create_product
from tests.front import Front

PRODUCT = "query Known($slug: String!) { product(slug: $slug) { title } }"
NUL = "This is not JSON that can be taken: it holds a NUL character."
TWO = "query Role { viewer { role } } query Currency { viewer { currency } }"


async def test_a_known_document_is_answered_with_the_variables_of_now(front: Front) -> None:
    async with front.shop.database.writes.begin() as session:
        for title in ("Tea", "Pot"):
            await create_product(session, slug=title.lower(), title=title)
    guest = front.guest()

    answers = [(await guest.get(PRODUCT, slug=slug))["product"] for slug in ("tea", "pot", "none", "tea")]

    assert answers == [{"title": "Tea"}, {"title": "Pot"}, None, {"title": "Tea"}]
    assert schema.documents.get(PRODUCT) is schema.documents.get(PRODUCT) is not None


async def test_a_wrong_document_is_refused_each_time_and_not_kept(front: Front) -> None:
    guest = front.guest()
    for wrong in ("{ viewer { rolle } }", "{ viewer { role }", "query ($a: Nothing) { viewer { role } }"):
        first, second = await guest.ask(wrong), await guest.ask(wrong)

        assert first == second
        assert first["errors"][0]["locations"]
        assert schema.documents.get(wrong) is None


async def test_each_operation_of_a_known_document_can_be_asked_for(front: Front) -> None:
    async def ask(operation: str | None) -> object:
        body = {"query": TWO, "operationName": operation}
        reply = await front.http.post("/graphql", json=body)
        return reply.json() if reply.status_code == 200 else reply.status_code

    expected = [{"data": {"viewer": {"role": "GUEST"}}}, {"data": {"viewer": {"currency": "CNY"}}}, 400]
    for _ in range(2):
        assert [await ask("Role"), await ask("Currency"), await ask("Nobody")] == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'"x"', "A request is a JSON object."),
        (b"null", "A request is a JSON object."),
        (b"{", "This is not JSON that can be taken: unexpected end of data."),
        (b'{"query": "{ viewer { role } }", "variables": {"a": "\\u0000"}}', NUL),
        (b'{"query": "{ products(search: \\"\\\\u{00}\\") { totalCount } }"}', NUL),
        (b"{}", "No GraphQL query found in the request"),
    ],
)
async def test_a_body_that_is_no_request_is_refused_with_its_reason(
    front: Front, body: bytes, message: str
) -> None:
    reply = await front.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})

    assert (reply.status_code, reply.json()) == (
        400,
        {"errors": [{"message": message, "extensions": {"code": "INVALID"}}]},
    )


async def test_what_only_looks_like_a_nul_is_taken(front: Front) -> None:
    document = r'query ($a: String!) { a: product(slug: $a) { id } b: product(slug: "\u{00e9}") { id } }'

    assert await front.guest().get(document, a="100%00") == {"a": None, "b": None}


def test_what_is_kept_is_bounded_by_number() -> None:
    kept: Recent[int] = Recent(entries=2, characters=1_000)
    kept.keep("a", 1, size=1)
    kept.keep("b", 2, size=1)
    kept.get("a")
    kept.keep("c", 3, size=1)

    assert [kept.get(key) for key in "abc"] == [1, None, 3]


def test_what_is_kept_is_bounded_by_size() -> None:
    kept: Recent[int] = Recent(entries=100, characters=10)
    kept.keep("a", 1, size=6)
    kept.keep("b", 2, size=4)
    kept.keep("c", 3, size=5)

    assert [kept.get(key) for key in "abc"] == [None, 2, 3]
    kept.keep("larger than all the room", 4, size=11)
    assert len(kept) == 0
