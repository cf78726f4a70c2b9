"""What a CDN may keep, for how long, and what nobody but the asker ever gets."""

import pytest
from graphql import build_schema, parse
from sqlalchemy import update

from models import Price, Role
from schema import schema
from schema.freshness import fresh_for
from tests.documents import NOTHING, document, roots
from tests.edge.test_persisted import by_hash
from tests.factories.catalog import create_category, create_product
from tests.factories.knowledge import create_article
from tests.front import Front

BUILT = build_schema(schema.as_str())
PUBLIC = {
    "product", "products", "category", "categories", "searchSuggestions",
    "article", "articles", "articleSuggestions",
}  # fmt: skip
"""Every root field a guest's answer of which anybody may be given. A new one is private until it is here."""

PRIVATE = "private, no-store"
GIVEN = {name: {"slug": '"tea"'} for name in ("product", "category", "article")}
PRICE = '{ product(slug: "tea") { title variants { price { amount } } } }'


def asked_of(name: str) -> str:
    return document(
        BUILT, "query", name, GIVEN.get(name, {}), required={"text": '"tea"', "ids": f'"{NOTHING}"'}
    )


@pytest.fixture
async def stocked(front: Front) -> Front:
    async with front.shop.database.writes.begin() as session:
        category = await create_category(session, slug="tea")
        await create_product(session, slug="tea", title="Tea", category=category)
        await create_article(session, slug="tea")
    return front


async def test_exactly_the_public_fields_can_be_kept_by_a_cdn(stocked: Front) -> None:
    kept = set()
    for name in roots(BUILT)["query"].fields:
        reply = await by_hash(stocked, asked_of(name))
        control = reply.headers["cache-control"]
        if control.startswith("public"):
            kept.add(name)
            assert "errors" not in reply.json()
            assert reply.headers["etag"]
            assert set(reply.headers["vary"].split(", ")) == {
                "Accept-Language", "Authorization", "X-Cart-Token", "X-Currency",
            }  # fmt: skip
        else:
            assert control == PRIVATE, name
            assert "etag" not in reply.headers
    assert kept == PUBLIC


async def test_what_has_not_changed_is_not_sent_again(stocked: Front) -> None:
    for name in sorted(PUBLIC):
        whole = await by_hash(stocked, asked_of(name))
        etag = whole.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            reply = await by_hash(stocked, asked_of(name), headers={"If-None-Match": known})

            assert (reply.status_code, reply.content) == (304, b""), name
            for header in ("etag", "cache-control", "vary"):
                assert reply.headers[header] == whole.headers[header]
        assert (await by_hash(stocked, asked_of(name), headers={"If-None-Match": '"x"'})).status_code == 200


async def test_a_changed_price_is_another_answer(stocked: Front) -> None:
    before = await by_hash(stocked, PRICE)
    async with stocked.shop.database.writes.begin() as session:
        await session.execute(update(Price).values(amount=Price.amount + 100))

    after = await by_hash(stocked, PRICE, headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert before.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"


async def test_language_and_currency_make_other_answers(stocked: Front) -> None:
    plain = await by_hash(stocked, PRICE)
    dollars = await by_hash(stocked, PRICE, headers={"X-Currency": "USD"})

    assert dollars.headers["etag"] != plain.headers["etag"]
    assert dollars.headers["cache-control"].startswith("public")


async def test_whoever_says_who_they_are_gets_an_answer_of_their_own(stocked: Front) -> None:
    stock = '{ product(slug: "tea") { variants { stock { available } } } }'
    customer, clerk = await stocked.customer(), await stocked.staff(Role.CATALOGUE)
    for headers in (customer.headers, clerk.headers, {"X-Cart-Token": "secret"}, {"Cookie": "a=b"}):
        for text in (PRICE, stock, *(asked_of(name) for name in PUBLIC)):
            reply = await by_hash(stocked, text, headers=headers)

            assert reply.headers["cache-control"] == PRIVATE
            assert "etag" not in reply.headers
    forged = await by_hash(stocked, PRICE, headers={"Authorization": "Bearer forged"})
    assert (forged.status_code, forged.headers["cache-control"]) == (401, PRIVATE)
    assert (await by_hash(stocked, stock)).headers["cache-control"] == PRIVATE, "staff see more there"


async def test_an_answer_with_an_error_is_not_kept(stocked: Front) -> None:
    for wrong in ("{ products(first: 1000) { totalCount } }", "{ products { nodes { nothing } } }", "{"):
        reply = await stocked.http.get("/graphql", params={"query": wrong})

        assert reply.json()["errors"]
        assert reply.headers["cache-control"] == PRIVATE


async def test_one_private_field_makes_the_whole_answer_private(stocked: Front) -> None:
    both = '{ product(slug: "tea") { title } viewer { role } }'
    skipped = '{ product(slug: "tea") { title } viewer @skip(if: true) { role } }'
    spread = "query { ...Mine ... { categories { slug } } } fragment Mine on Query { viewer { role } }"
    for text in (both, skipped, spread):
        assert (await by_hash(stocked, text)).headers["cache-control"] == PRIVATE


async def test_answers_by_post_are_never_kept(stocked: Front) -> None:
    reply = await stocked.guest().post(PRICE)

    assert reply.headers["cache-control"] == PRIVATE
    assert "etag" not in reply.headers


async def test_a_query_in_the_address_can_be_kept_as_well(stocked: Front) -> None:
    reply = await stocked.http.get("/graphql", params={"query": PRICE})
    head = await stocked.http.head("/graphql", params={"query": PRICE})

    assert reply.headers["cache-control"].startswith("public")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", reply.headers["etag"])


async def test_nothing_is_done_by_get(front: Front) -> None:
    text = 'mutation { sessionRevoke(input: { refreshToken: "x" }) { revoked } }'
    for reply in (await front.http.get("/graphql", params={"query": text}), await by_hash(front, text)):
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
        assert reply.headers["cache-control"] == PRIVATE


async def test_nothing_is_watched_by_get_or_post(front: Front) -> None:
    text = 'subscription { orderUpdates(id: "x") { version } }'
    for reply in (
        await front.http.get("/graphql", params={"query": text}),
        await front.guest().post(text),
    ):
        assert (reply.status_code, reply.headers["cache-control"]) == (406, PRIVATE)
        assert reply.json()["errors"][0]["message"] == "Watch by WebSocket."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("{ categories { slug } }", 300),
        ("{ categories { slug } products { nodes { id } } }", 60),
        ("{ __typename categories { __typename slug } }", 300),
        ("{ products { nodes { availability { inStock } } } }", 5),
        ("{ products { nodes { ...P } } } fragment P on Product { variants { availability { level } } }", 5),
        ('{ article(slug: "a") { title ... on Node { id } } }', 300),
        ('{ article(slug: "a") { versions { author { email } } } }', 0),
        ("{ __schema { types { name } } }", 0),
        ("{ __typename }", 0),
        ('mutation { productPublish(input: { id: "x" }) { product { title } } }', 0),
    ],
)
def test_the_least_fresh_field_decides(text: str, seconds: int) -> None:
    assert fresh_for(schema._schema, parse(text), None).total_seconds() == seconds


async def test_many_spreads_of_fragments_are_looked_through_in_no_time() -> None:
    links = [f"fragment F{n} on Category {{ parent {{ ...F{n + 1} ...F{n + 1} }} }}" for n in range(2_000)]
    text = "{ categories { ...F0 } } " + " ".join(links) + " fragment F2000 on Category { slug }"

    assert fresh_for(schema._schema, parse(text), None).total_seconds() == 300
