"""A shop whose index is in OpenSearch answers, follows and recovers as one with the embedded index does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from app import create_app
from events.shop import Shop
from models import Role
from settings import Settings
from tests.api.test_knowledge import ARTICLES
from tests.api.test_search import FIND, PRODUCTS, QUERIES, SUGGEST, product_draft, search_slugs
from tests.clients import Client, Clients
from tests.conftest import settings_for
from tests.factories.catalog import save_drafts
from tests.factories.knowledge import create_article
from tests.observe import TIMEOUT_SECONDS
from tests.search_engine import SearchEngine

SOON = timedelta(milliseconds=100)
PASSWORD = "hunter2"

LIST = """
query ($query: String! = "", $filter: ProductFilter, $sort: ProductSort!, $first: Int! = 3, $after: String) {
  products(query: $query, filter: $filter, sort: $sort, first: $first, after: $after) {
    totalCount
    nodes { slug }
    pageInfo { hasNextPage endCursor }
    facets {
      categories { category { slug } count }
      brands { brand count }
      price { min { amount } max { amount } }
    }
  }
}
"""
ARCHIVE = """
mutation ($input: ProductArchiveInput!) { productArchive(input: $input) { userErrors { code } } }
"""
ADD = """
mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { id } userErrors { code } } }
"""
SKU = "query ($slug: String!) { product(slug: $slug) { id variants { id } } }"


def settings_with(engine: SearchEngine, settings: Settings, folder: Path) -> Settings:
    url = engine.url.replace("//", f"//shop:{PASSWORD}@")
    return settings_for(
        settings.database.url,
        folder,
        search_url=f"{url}/shop",
        search_in_memory=False,
        search_followed_every=SOON,
        search_timeout=timedelta(seconds=TIMEOUT_SECONDS),
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Clients]:
    app: Starlette = create_app(settings)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        yield clients


@pytest.fixture
async def other(
    engine: SearchEngine, shop: Shop, settings: Settings, tmp_path: Path
) -> AsyncIterator[Clients]:
    """A server of the same shop whose index is in OpenSearch."""
    for days, draft in enumerate(PRODUCTS):
        await save_drafts(shop, draft, days=days)
    engine.control("credentials", credentials=f"shop:{PASSWORD}")
    async with serving(settings_with(engine, settings, tmp_path / "other")) as clients:
        yield clients


async def wait_until_found(client: Client, query: str, slugs: list[str]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while await search_slugs(client, query) != slugs:
            await asyncio.sleep(SOON.total_seconds())


def slug_of(edge: dict[str, Any]) -> tuple[str, bool]:
    return edge["node"]["slug"], edge["partialMatch"]


async def code_of(client: Client, query: str) -> str:
    (error,) = (await client.ask(FIND, query=query))["errors"]
    return str(error["extensions"]["code"])


async def test_the_same_searches_have_the_same_answers(clients: Clients, other: Clients) -> None:
    here, there = clients.guest(), other.guest()

    for query, slugs in QUERIES.items():
        one, two = [(await each.get(FIND, query=query))["products"] for each in (here, there)]
        assert set(slugs) <= {node["slug"] for node in two["nodes"]}, query
        assert sorted(map(slug_of, one["edges"])) == sorted(map(slug_of, two["edges"])), query
        assert one["correctedQuery"] == two["correctedQuery"]
    for query in ("茶", "jacket", "AB-12", "the blue shirt for elephants"):
        assert await search_slugs(here, query) == await search_slugs(there, query), query
    for text in ("ja", "jac", "longj", "te", "lo", "powrba"):
        assert await here.get(SUGGEST, text=text) == await there.get(SUGGEST, text=text), text


async def test_the_same_lists_have_the_same_pages_and_facets(clients: Clients, other: Clients) -> None:
    filters: list[dict[str, Any]] = [
        {"category": "food"},
        {"brands": ["Loom", "Volta"]},
        {"price": {"min": {"amount": "50", "currencyCode": "CNY"}}},
        {"inStock": True, "brands": ["Loom"]},
        {"flashSale": True},
    ]
    lists: list[tuple[str, dict[str, Any]]] = [
        (sort, {}) for sort in ("NEWEST", "PRICE_ASC", "PRICE_DESC", "BEST_SELLING")
    ]
    for sort, filter in [*lists, *(("NEWEST", each) for each in filters)]:
        after, slugs = None, []
        while True:
            one, two = [
                (await each.get(LIST, filter=filter, sort=sort, after=after))["products"]
                for each in (clients.guest(), other.guest())
            ]
            assert one == two, (sort, filter)
            slugs += [node["slug"] for node in one["nodes"]]
            after = one["pageInfo"]["endCursor"]
            if not one["pageInfo"]["hasNextPage"]:
                break
        assert len(slugs) == len(set(slugs)) == one["totalCount"]


async def test_changes_are_followed_and_the_staff_see_theirs_at_once(other: Clients) -> None:
    guest, clerk = other.guest(), await other.staff(Role.CATALOGUE)
    await wait_until_found(guest, "wulong", ["oolong"])
    await save_drafts(other.shop, product_draft("samovar", "Samovar"))

    assert await search_slugs(clerk, "samovar") == ["samovar"]
    await wait_until_found(guest, "samovar", ["samovar"])
    found = await guest.get(SKU, slug="samovar")
    answer = await clerk.do(ARCHIVE, id=found["product"]["id"])
    assert answer["userErrors"] == []
    await wait_until_found(guest, "samovar", [])


async def test_two_servers_share_one_index_and_either_goes_on(
    other: Clients, engine: SearchEngine, settings: Settings, tmp_path: Path
) -> None:
    await wait_until_found(other.guest(), "team", ["team"])
    async with serving(settings_with(engine, settings, tmp_path / "third")) as third:
        await save_drafts(other.shop, product_draft("samovar", "Samovar"))
        for each in (other, third):
            await wait_until_found(each.guest(), "samovar", ["samovar"])
        built = product_indexes(engine)
        assert len(built) == 1
    await save_drafts(other.shop, product_draft("urn", "Urn"))

    await wait_until_found(other.guest(), "urn", ["urn"])
    assert product_indexes(engine) == built


def product_indexes(engine: SearchEngine) -> list[str]:
    return [name for name in engine.control("none")["indexes"] if "-products-" in name]


async def test_while_it_is_away_the_shop_sells_and_says_so_and_catches_up_afterwards(
    other: Clients, engine: SearchEngine
) -> None:
    guest, clerk = other.guest(), await other.staff(Role.CATALOGUE)
    await wait_until_found(guest, "team", ["team"])
    variant = (await guest.get(SKU, slug="team"))["product"]["variants"][0]["id"]
    with capture_logs() as logs:
        engine.stop()
        try:
            assert await code_of(guest, "team") == "PROVIDER_UNAVAILABLE"
            assert await code_of(clerk, "team") == "PROVIDER_UNAVAILABLE"
            assert await code_of(guest, "") == "PROVIDER_UNAVAILABLE"
            added = await guest.do(ADD, variantId=variant, quantity=1)
            assert added["userErrors"] == []
            await save_drafts(other.shop, product_draft("samovar", "Samovar"))
            assert (await guest.get(SKU, slug="samovar"))["product"] is not None
        finally:
            engine.start()

        # it has come back with nothing
        await wait_until_back(guest, "samovar")
    assert await search_slugs(guest, "team") == ["team"]
    events = [each["event"] for each in logs if each["event"].startswith("search.")]
    assert "search.away" in events
    assert "search.back" in events
    assert "search.not_followed" not in events
    assert PASSWORD not in str(logs)


async def wait_until_back(client: Client, query: str) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (await client.ask(FIND, query=query)).get("errors") or not await search_slugs(client, query):
            await asyncio.sleep(SOON.total_seconds())


async def test_an_index_that_was_lost_is_built_anew(other: Clients, engine: SearchEngine) -> None:
    guest = other.guest()
    await wait_until_found(guest, "team", ["team"])

    engine.control("lose")

    await wait_until_back(guest, "team")
    assert sorted(await search_slugs(guest, "茶")) == sorted(QUERIES["茶"])


async def test_a_server_that_refuses_is_no_failure_of_ours(other: Clients, engine: SearchEngine) -> None:
    guest = other.guest()
    await wait_until_found(guest, "team", ["team"])
    engine.control("fault", path="_search", fault="429", times=50)

    (error,) = (await guest.ask(FIND, query="team"))["errors"]

    assert error["message"] == "The search does not answer at the moment. Try again."
    assert error["extensions"]["code"] == "PROVIDER_UNAVAILABLE"


async def test_articles_are_found_there_too(other: Clients) -> None:
    async with other.shop.database.writes.begin() as session:
        await create_article(
            session, title="How long does a refund take?", body="Your bank needs three days."
        )

    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not (found := await other.guest().get(ARTICLES, query="refnds bank"))["articles"]["nodes"]:
            await asyncio.sleep(SOON.total_seconds())

    assert found["articles"]["nodes"] == [{"title": "How long does a refund take?"}]
