"""Product lists: search, sort and pages."""

import base64
import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft, save_products
from domain.cause import Cause
from events.shop import Shop
from models import Money, Role
from resolvers.ids import global_id
from tests.api.catalog.sample import CNY, SLUGS, USD, refusal_of, slugs, tea, variant_named
from tests.api.test_search import find_best_matches
from tests.clients import Client, Clients
from tests.factories.catalog import NOW
from tests.factories.order import create_order
from tests.observe import count_statements

PAGE = """
query ($first: Int!, $currency: CurrencyCode) {
  products(first: $first) {
    nodes {
      id slug title
      category { name }
      media { url alt }
      availability { inStock }
      variants {
        name
        price(currency: $currency) { amount }
        availability { quantity }
        stock { onHand warehouse { code } }
      }
    }
  }
}
"""

MATCHES: dict[str, set[str]] = {
    "茶": {"oolong", "green", "puer"},
    "乌龙": {"oolong"},
    "龙": {"oolong", "green"},
    "oolong": {"oolong"},
    "jacket": {"jacket", "jacket-blue"},
    "JACKETS": {"jacket", "jacket-blue"},
    "jack": {"jacket", "jacket-blue"},
    "blue jacket": {"jacket-blue"},
    "run": {"jacket"},
    "fujian": {"oolong"},
    "福建": {"oolong"},
    "loom": {"jacket", "jacket-blue"},
    "PUER": {"puer"},
    "茶 jacket": {"oolong", "green", "puer", "jacket", "jacket-blue"},
    "秘密": set(),
}
"""Query -> slugs of the products found."""


async def test_products_are_found_in_both_languages(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()

    assert {asked: set(await find_best_matches(guest, asked)) for asked in MATCHES} == MATCHES


async def test_the_best_match_comes_first(catalogue: Shop, clients: Clients) -> None:
    async with catalogue.database.writes.begin() as session:
        aside = tea(
            "pot", "A pot", 100, description="<p>" + "For many things, and also for tea. " * 5 + "</p>"
        )
        best = tea("tea", "Tea", 100)
        await save_products(session, [aside, best], cause=Cause(NOW))

    assert (await slugs(clients.guest(), query="tea"))[0] == "tea"


async def test_every_sort_continues_where_a_page_ends(catalogue: Shop, clients: Clients) -> None:
    async with catalogue.database.writes.begin() as session:
        puer = await variant_named(session, "PUER")
        await create_order(session, lines=[(puer, 3)], now=catalogue.clock())
    await catalogue.sales.count()
    guest = clients.guest()
    expected = {
        "RELEVANCE": ["jacket-blue", "jacket", "puer", "green", "oolong"],
        "NEWEST": ["jacket-blue", "jacket", "puer", "green", "oolong"],
        "PRICE_ASC": ["puer", "oolong", "green", "jacket-blue", "jacket"],
        "PRICE_DESC": ["jacket", "jacket-blue", "green", "oolong", "puer"],
        "BEST_SELLING": ["puer", "jacket-blue", "jacket", "green", "oolong"],
    }

    assert {sort: await all_slugs(guest, sort=sort) for sort in expected} == expected
    assert sorted(await all_slugs(guest, query="茶")) == ["green", "oolong", "puer"]


async def all_slugs(client: Client, **variables: Any) -> list[str]:
    """All slugs, in pages of two."""
    found: list[str] = []
    after = None
    while True:
        data = await client.get(SLUGS, first=2, after=after, **variables)
        found += [node["slug"] for node in data["products"]["nodes"]]
        if not data["products"]["pageInfo"]["hasNextPage"]:
            return found
        after = data["products"]["pageInfo"]["endCursor"]


async def test_suggestions_name_categories_and_products(catalogue: Shop, clients: Clients) -> None:
    document = """query ($text: String!) { searchSuggestions(query: $text) {
        text product { slug } category { slug } } }"""
    cloth = await clients.guest().get(document, text="cloth")
    nothing = await clients.guest().get(document, text="?")

    assert cloth["searchSuggestions"][0] == {
        "text": "Clothing",
        "product": None,
        "category": {"slug": "clothing"},
    }
    assert {row["product"]["slug"] for row in cloth["searchSuggestions"][1:]} == {"jacket", "jacket-blue"}
    assert nothing == {"searchSuggestions": []}


async def test_invalid_arguments_are_refused_with_a_reason(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()
    dollars = {"price": {"min": {"amount": "1", "currencyCode": "USD"}}}

    assert await refusal_of(guest, SLUGS, first=0) == ("INVALID", "A page has 1 to 100 entries.")
    assert await refusal_of(guest, SLUGS, first=101) == ("INVALID", "A page has 1 to 100 entries.")
    for cursor in (
        "x",
        cursor_of("NEWEST", "?", 1),
        cursor_of("PRICE_ASC", 1, 1),
        cursor_of("NEWEST", 2**70, 1),
    ):
        assert (await refusal_of(guest, SLUGS, after=cursor))[0] == "INVALID"
    for amount in ("NaN", "1e400", "1e999999999", "0.001"):
        endless = {"price": {"max": {"amount": amount, "currencyCode": "CNY"}}}
        assert (await refusal_of(guest, SLUGS, filter=endless))[0] == "INVALID"
    assert await refusal_of(guest, SLUGS, filter=dollars) == ("INVALID", "Prices are shown in CNY.")
    assert await refusal_of(guest, SLUGS, filter={"brands": ["x"] * 51}) == (
        "LIMIT_REACHED",
        "At most 50 at once.",
    )
    assert await refusal_of(guest, "{ product { id } }") == (
        "INVALID",
        "Name a product by its id or by its slug.",
    )
    assert await refusal_of(guest, '{ category(id: "x", slug: "y") { id } }') == (
        "INVALID",
        "Name a category by its id or by its slug.",
    )


def cursor_of(*values: object) -> str:
    """A forged cursor."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


async def test_an_id_of_another_type_finds_nothing(catalogue: Shop, clients: Clients) -> None:
    document = "query ($id: ID!) { product(id: $id) { id } category(id: $id) { id } node(id: $id) { id } }"
    for wrong in (global_id("Order", 1), global_id("Product", 999), global_id("Warehouse", 1), "x", ""):
        assert await clients.guest().get(document, id=wrong) == {
            "product": None,
            "category": None,
            "node": None,
        }


async def test_a_page_of_products_takes_seven_statements(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    clerk = await clients.staff(Role.CATALOGUE)
    await save_products(session, [complete_product(number) for number in range(40)], cause=Cause(NOW))
    await session.commit()

    counts = []
    await clerk.get(PAGE, first=1)
    for client, first in ((clients.guest(), 10), (clients.guest(), 20), (clerk, 5), (clerk, 20), (clerk, 40)):
        with count_statements(shop) as counted:
            data = await client.get(PAGE, first=first)
        assert len(data["products"]["nodes"]) == first
        counts.append(counted.total)

    assert counts == [7, 7, 7, 7, 7]


def complete_product(number: int) -> ProductDraft:
    """A product with every field a page shows."""
    variants = tuple(
        VariantDraft(
            options=(("Size", size),),
            sku=f"{number}-{size}",
            prices={CNY: PriceDraft(Money(100 * number + 1, CNY)), USD: PriceDraft(Money(number, USD))},
            stock={"": 7, "SOUTH": number},
        )
        for size in ("S", "M", "L")
    )
    pictures = tuple(
        PictureDraft(f"https://pictures.test/{number}-{place}.jpg", "", place) for place in (1, 2, 3)
    )
    return ProductDraft(
        slug=f"p-{number}",
        title=f"Product {number}",
        category_path=("All", f"Kind {number % 7}"),
        pictures=pictures,
        variants=variants,
    )
