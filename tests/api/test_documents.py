"""What was parsed and validated once is not again, and answers stay the same."""

from graphql import parse

from schema import schema
from schema.documents import Documents
from tests.factories.catalog import create_product
from tests.front import Front

PRODUCT = "query Known($slug: String!) { product(slug: $slug) { title } }"
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


def test_what_is_kept_is_bounded_by_number_and_by_size() -> None:
    few, small = Documents(documents=2, characters=1_000), Documents(documents=100, characters=20)
    texts = ["{a}", "{b}", "{c}"]
    for text in texts:
        few.keep(text, parse(text))
        if text == "{b}":
            few.get("{a}")
        small.keep(text, parse(text))

    assert [text for text in texts if few.get(text)] == ["{a}", "{c}"]
    small.keep("{a b c d e f g}", parse("{a}"))
    assert [text for text in texts if small.get(text)] == ["{c}"]
    small.keep(" " * 30 + "{a}", parse("{a}"))
    assert len(small) == 0
