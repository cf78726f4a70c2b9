"""Which answers a CDN may cache and for how long, and which are private."""

import pytest
from graphql import build_schema, parse
from sqlalchemy import update

from models import Price, Role
from schema import schema
from schema.cache_control import max_age_of
from tests.clients import Clients
from tests.documents import NOTHING, root_types, write_document
from tests.edge.test_persisted_operations import request_by_hash
from tests.factories.catalog import create_category, create_product
from tests.factories.knowledge import create_article

BUILT = build_schema(schema.as_str())
PUBLIC = {
    "product", "products", "category", "categories", "searchSuggestions",
    "article", "articles", "articleSuggestions",
}  # fmt: skip
"""Every root field whose answer to a guest is public. A new one is private until it is listed here."""

PRIVATE = "private, no-store"
ARGUMENTS = {name: {"slug": '"tea"'} for name in ("product", "category", "article")}
PRICE = '{ product(slug: "tea") { title variants { price { amount } } } }'


def document_for(name: str) -> str:
    return write_document(
        BUILT, "query", name, ARGUMENTS.get(name, {}), required={"text": '"tea"', "ids": f'"{NOTHING}"'}
    )


@pytest.fixture
async def shop_with_tea(clients: Clients) -> Clients:
    async with clients.shop.database.writes.begin() as session:
        category = await create_category(session, slug="tea")
        await create_product(session, slug="tea", title="Tea", category=category)
        await create_article(session, slug="tea")
    return clients


async def test_exactly_the_public_fields_can_be_cached_by_a_cdn(shop_with_tea: Clients) -> None:
    public = set()
    for name in root_types(BUILT)["query"].fields:
        reply = await request_by_hash(shop_with_tea, document_for(name))
        control = reply.headers["cache-control"]
        if control.startswith("public"):
            public.add(name)
            assert "errors" not in reply.json()
            assert reply.headers["etag"]
            assert set(reply.headers["vary"].split(", ")) == {
                "Accept", "Accept-Language", "Origin", "Authorization", "X-Cart-Token", "X-Currency",
            }  # fmt: skip
        else:
            assert control == PRIVATE, name
            assert "etag" not in reply.headers
    assert public == PUBLIC


async def test_an_unchanged_answer_is_not_sent_again(shop_with_tea: Clients) -> None:
    for name in sorted(PUBLIC):
        whole = await request_by_hash(shop_with_tea, document_for(name))
        etag = whole.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            reply = await request_by_hash(shop_with_tea, document_for(name), headers={"If-None-Match": known})

            assert (reply.status_code, reply.content) == (304, b""), name
            for header in ("etag", "cache-control", "vary"):
                assert reply.headers[header] == whole.headers[header]
        assert (
            await request_by_hash(shop_with_tea, document_for(name), headers={"If-None-Match": '"x"'})
        ).status_code == 200


async def test_a_changed_price_changes_the_etag(shop_with_tea: Clients) -> None:
    before = await request_by_hash(shop_with_tea, PRICE)
    async with shop_with_tea.shop.database.writes.begin() as session:
        await session.execute(update(Price).values(amount=Price.amount + 100))

    after = await request_by_hash(shop_with_tea, PRICE, headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert before.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"


async def test_another_currency_changes_the_etag(shop_with_tea: Clients) -> None:
    plain = await request_by_hash(shop_with_tea, PRICE)
    dollars = await request_by_hash(shop_with_tea, PRICE, headers={"X-Currency": "USD"})

    assert dollars.headers["etag"] != plain.headers["etag"]
    assert dollars.headers["cache-control"].startswith("public")


async def test_an_answer_to_an_identified_viewer_is_private(shop_with_tea: Clients) -> None:
    stock = '{ product(slug: "tea") { variants { stock { available } } } }'
    customer, clerk = await shop_with_tea.customer(), await shop_with_tea.staff(Role.CATALOGUE)
    for headers in (customer.headers, clerk.headers, {"X-Cart-Token": "secret"}, {"Cookie": "a=b"}):
        for text in (PRICE, stock, *(document_for(name) for name in PUBLIC)):
            reply = await request_by_hash(shop_with_tea, text, headers=headers)

            assert reply.headers["cache-control"] == PRIVATE
            assert "etag" not in reply.headers
    forged = await request_by_hash(shop_with_tea, PRICE, headers={"Authorization": "Bearer forged"})
    assert (forged.status_code, forged.headers["cache-control"]) == (401, PRIVATE)
    assert (await request_by_hash(shop_with_tea, stock)).headers["cache-control"] == PRIVATE, (
        "staff see more there"
    )


async def test_an_answer_with_an_error_is_private(shop_with_tea: Clients) -> None:
    for wrong in ("{ products(first: 1000) { totalCount } }", "{ products { nodes { nothing } } }", "{"):
        reply = await shop_with_tea.http.get("/graphql", params={"query": wrong})

        assert reply.json()["errors"]
        assert reply.headers["cache-control"] == PRIVATE


async def test_one_private_field_makes_the_whole_answer_private(shop_with_tea: Clients) -> None:
    both = '{ product(slug: "tea") { title } viewer { role } }'
    skipped = '{ product(slug: "tea") { title } viewer @skip(if: true) { role } }'
    spread = "query { ...Mine ... { categories { slug } } } fragment Mine on Query { viewer { role } }"
    for text in (both, skipped, spread):
        assert (await request_by_hash(shop_with_tea, text)).headers["cache-control"] == PRIVATE


async def test_an_answer_to_a_post_is_private(shop_with_tea: Clients) -> None:
    reply = await shop_with_tea.guest().post(PRICE)

    assert reply.headers["cache-control"] == PRIVATE
    assert "etag" not in reply.headers


async def test_a_query_in_the_url_can_be_cached_too(shop_with_tea: Clients) -> None:
    reply = await shop_with_tea.http.get("/graphql", params={"query": PRICE})
    head = await shop_with_tea.http.head("/graphql", params={"query": PRICE})

    assert reply.headers["cache-control"].startswith("public")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", reply.headers["etag"])


async def test_a_mutation_by_get_is_refused(clients: Clients) -> None:
    text = 'mutation { sessionRevoke(input: { refreshToken: "x" }) { revoked } }'
    for reply in (
        await clients.http.get("/graphql", params={"query": text}),
        await request_by_hash(clients, text),
    ):
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
        assert reply.headers["cache-control"] == PRIVATE


async def test_a_subscription_by_get_or_post_is_refused(clients: Clients) -> None:
    text = 'subscription { orderUpdates(id: "x") { version } }'
    for reply in (
        await clients.http.get("/graphql", params={"query": text}),
        await clients.guest().post(text),
    ):
        assert (reply.status_code, reply.headers["cache-control"]) == (406, PRIVATE)
        assert reply.json()["errors"][0]["message"].startswith("Watch by WebSocket")


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
def test_the_field_with_the_shortest_lifetime_decides(text: str, seconds: int) -> None:
    assert max_age_of(schema._schema, parse(text), None).total_seconds() == seconds


async def test_nested_fragment_spreads_take_linear_time() -> None:
    links = [f"fragment F{n} on Category {{ parent {{ ...F{n + 1} ...F{n + 1} }} }}" for n in range(2_000)]
    text = "{ categories { ...F0 } } " + " ".join(links) + " fragment F2000 on Category { slug }"

    assert max_age_of(schema._schema, parse(text), None).total_seconds() == 300
