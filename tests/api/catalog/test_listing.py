"""Products are found, in an order, page by page."""

import base64
import json
from typing import Any

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.saving import import_products
from events.sales import count_sales
from events.shop import Shop
from models import Money, Role
from resolvers.ids import global_id
from tests.api.catalog.shelf import CNY, SLUGS, USD, refused, slugs, tea, variant_named
from tests.factories.catalog import NOW
from tests.factories.order import create_order
from tests.front import Client, Front
from tests.observe import statements

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

FOUND: dict[str, set[str]] = {
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
"""What somebody types -> the products they see."""


async def test_products_are_found_in_both_languages(shelf: Shop, front: Front) -> None:
    guest = front.guest()

    assert {asked: set(await slugs(guest, search=asked)) for asked in FOUND} == FOUND


async def test_what_fits_best_comes_first(shelf: Shop, front: Front) -> None:
    async with shelf.database.writes.begin() as session:
        aside = tea(
            "pot", "A pot", 100, description="<p>" + "For many things, and also for tea. " * 5 + "</p>"
        )
        best = tea("tea", "Tea", 100)
        await import_products(session, [aside, best], now=NOW)

    assert (await slugs(front.guest(), search="tea"))[0] == "tea"


async def test_every_order_goes_on_where_a_page_ends(shelf: Shop, front: Front) -> None:
    async with shelf.database.writes.begin() as session:
        puer = await variant_named(session, "PUER")
        await create_order(session, lines=[(puer, 3)], now=shelf.clock())
    await count_sales(shelf)
    guest = front.guest()
    expected = {
        "RELEVANCE": ["jacket-blue", "jacket", "puer", "green", "oolong"],
        "NEWEST": ["jacket-blue", "jacket", "puer", "green", "oolong"],
        "PRICE_ASC": ["puer", "oolong", "green", "jacket-blue", "jacket"],
        "PRICE_DESC": ["jacket", "jacket-blue", "green", "oolong", "puer"],
        "BEST_SELLING": ["puer", "jacket-blue", "jacket", "green", "oolong"],
    }

    assert {sort: await paged(guest, sort=sort) for sort in expected} == expected
    assert sorted(await paged(guest, search="茶")) == ["green", "oolong", "puer"]


async def paged(client: Client, **variables: Any) -> list[str]:
    """All slugs, two by two."""
    found: list[str] = []
    after = None
    while True:
        data = await client.get(SLUGS, first=2, after=after, **variables)
        found += [node["slug"] for node in data["products"]["nodes"]]
        if not data["products"]["pageInfo"]["hasNextPage"]:
            return found
        after = data["products"]["pageInfo"]["endCursor"]


async def test_suggestions_name_categories_and_products(shelf: Shop, front: Front) -> None:
    document = """query ($text: String!) { searchSuggestions(text: $text) {
        text product { slug } category { slug } } }"""
    cloth = await front.guest().get(document, text="cloth")
    nothing = await front.guest().get(document, text="?")

    assert cloth["searchSuggestions"][0] == {
        "text": "Clothing",
        "product": None,
        "category": {"slug": "clothing"},
    }
    assert {row["product"]["slug"] for row in cloth["searchSuggestions"][1:]} == {"jacket", "jacket-blue"}
    assert nothing == {"searchSuggestions": []}


async def test_what_cannot_be_asked_is_refused_by_name(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    dollars = {"price": {"min": {"amount": "1", "currencyCode": "USD"}}}

    assert await refused(guest, SLUGS, first=0) == ("INVALID", "A page has 1 to 100 entries.")
    assert await refused(guest, SLUGS, first=101) == ("INVALID", "A page has 1 to 100 entries.")
    for cursor in (
        "x",
        cursor_of("NEWEST", "?", 1),
        cursor_of("PRICE_ASC", 1, 1),
        cursor_of("NEWEST", 2**70, 1),
    ):
        assert (await refused(guest, SLUGS, after=cursor))[0] == "INVALID"
    for amount in ("NaN", "1e400", "1e999999999", "0.001"):
        endless = {"price": {"max": {"amount": amount, "currencyCode": "CNY"}}}
        assert (await refused(guest, SLUGS, filter=endless))[0] == "INVALID"
    assert await refused(guest, SLUGS, filter=dollars) == ("INVALID", "Prices are shown in CNY.")
    assert await refused(guest, SLUGS, filter={"brands": ["x"] * 51}) == (
        "LIMIT_REACHED",
        "At most 50 at once.",
    )
    assert await refused(guest, "{ product { id } }") == (
        "INVALID",
        "Name a product by its id or by its slug.",
    )
    assert await refused(guest, '{ category(id: "x", slug: "y") { id } }') == (
        "INVALID",
        "Name a category by its id or by its slug.",
    )


def cursor_of(*values: object) -> str:
    """What somebody may make up."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


async def test_ids_of_other_things_are_ids_of_nothing(shelf: Shop, front: Front) -> None:
    document = "query ($id: ID!) { product(id: $id) { id } category(id: $id) { id } node(id: $id) { id } }"
    for wrong in (global_id("Order", 1), global_id("Product", 999), global_id("Warehouse", 1), "x", ""):
        assert await front.guest().get(document, id=wrong) == {
            "product": None,
            "category": None,
            "node": None,
        }


async def test_a_page_of_products_takes_six_statements(shop: Shop, front: Front) -> None:
    clerk = await front.staff(Role.CATALOGUE)
    async with shop.database.writes.begin() as session:
        await import_products(session, [rich(number) for number in range(40)], now=NOW)

    counts = []
    for client, first in ((front.guest(), 20), (front.guest(), 40), (clerk, 5), (clerk, 20), (clerk, 40)):
        with statements(shop) as counted:
            data = await client.get(PAGE, first=first)
        assert len(data["products"]["nodes"]) == first
        counts.append(counted.total)

    assert counts == [6, 6, 6, 6, 6]


def rich(number: int) -> ProductDraft:
    """A product with everything a page shows."""
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
