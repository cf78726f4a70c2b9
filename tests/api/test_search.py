"""What somebody types, and what they find: alike on both databases."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.catalog.attributes import save_attribute
from domain.catalog.drafts import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.saving import import_products
from domain.catalog.tree import AttributeOfCategory, save_category
from events.shop import Shop
from models import AttributeType, CurrencyCode, Money, ProductStatus
from tests.factories.catalog import NOW
from tests.front import Client, Front
from tests.observe import statements
from words.asking import mark

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD

FIND = """
query ($search: String! = "", $filter: ProductFilter, $sort: ProductSort! = RELEVANCE, $first: Int! = 20
  $after: String, $language: String, $currency: CurrencyCode) {
  products(search: $search, filter: $filter, sort: $sort, first: $first, after: $after
    language: $language, currency: $currency) {
    searchedFor nearest
    nodes { slug }
    pageInfo { hasNextPage endCursor }
  }
}
"""

TOLD = """
query ($language: String, $currency: CurrencyCode) {
  other: products(first: 1) { nodes { title } }
  products(language: $language, currency: $currency, sort: PRICE_ASC) {
    nodes {
      slug title
      category { name }
      attributes { text }
      priceRange { min { amount currencyCode } }
      variants { price { amount } }
    }
    facets { price { min { amount currencyCode } } categories { category { name } } }
  }
}
"""

SUGGEST = """
query ($text: String!, $first: Int! = 8, $language: String) {
  searchSuggestions(text: $text, first: $first, language: $language) {
    text product { slug } category { slug } brand
  }
}
"""


def thing(slug: str, title: str, price: int = 1_000, **given: Any) -> ProductDraft:
    """A product of one variant; prices in minor units."""
    given.setdefault("category_path", ("Food", "Tea"))
    dollars = given.pop("dollars", None)
    prices = {CNY: PriceDraft(Money(price, CNY))}
    if dollars is not None:
        prices[USD] = PriceDraft(Money(dollars, USD))
    variant = VariantDraft(
        sku=given.pop("sku", slug.upper()), barcode=given.pop("barcode", None), prices=prices, tracked=False
    )
    return ProductDraft(slug=slug, title=title, variants=(variant,), **given)


SHELF = [
    thing("longjing", "西湖龙井绿茶", 8_000, brand="狮峰",
          translations={"en": {"title": "Longjing green tea"}}),
    thing("oolong", "高山乌龙茶", 5_000, brand="Hill Farm", sku="AB-12", barcode="6901234567892"),
    thing("pot", "紫砂壶", 20_000, category_path=("Food", "Pots"), description="<p>乌龙茶最爱</p>"),
    thing("jacket", "Rain jacket", 20_000, category_path=("Clothing",), brand="Loom",
          description="<p>For running in the rain</p>"),
    thing("jacket-blue", "Blue jackets", 15_000, category_path=("Clothing",), brand="Loom"),
    thing("powerbank", "Powerbank 10000 mAh", 9_000, category_path=("Power",), brand="Volta"),
    thing("team", "Team shirt", 3_000, category_path=("Clothing",), brand="Loom"),
    thing("hidden", "Secret wardrobe", 1_000, status=ProductStatus.DRAFT),
]  # fmt: skip


@pytest.fixture
async def shelf(shop: Shop) -> Shop:
    for days, draft in enumerate(SHELF):
        await stock(shop, draft, days=days)
    return shop


async def stock(shop: Shop, *drafts: ProductDraft, days: int = 100) -> None:
    async with shop.database.writes.begin() as session:
        await import_products(session, drafts, now=NOW + timedelta(days=days))


async def found(client: Client, search: str, **variables: Any) -> list[str]:
    data = await client.get(FIND, search=search, **variables)
    return [node["slug"] for node in data["products"]["nodes"]]


async def refused(client: Client, **variables: Any) -> tuple[str, str]:
    (error,) = (await client.ask(FIND, **variables))["errors"]
    return error["extensions"]["code"], error["message"]


ASKED: Mapping[str, list[str]] = {
    # Chinese: by words, by any part of one, by its sound
    "龙井": ["longjing"],
    "茶": ["longjing", "oolong", "pot"],
    "longjing": ["longjing"],
    "longji": ["longjing"],
    "long jing": ["longjing"],
    "lj": ["longjing"],
    "wulong": ["oolong"],
    "xihu": ["longjing"],
    # English: by stems, unfinished, in one word or two
    "jacket": ["jacket", "jacket-blue"],
    "run": ["jacket"],
    "jack": ["jacket", "jacket-blue"],
    "power bank": ["powerbank"],
    "greentea": ["longjing"],
    "teamshirts": ["team"],
    "rain's jacket": ["jacket"],
    # codes
    "AB-12": ["oolong"],
    "ab12": ["oolong"],
    "6901234567892": ["oolong"],
    # one typo
    "jackte": ["jacket", "jacket-blue"],
    "jaket": ["jacket", "jacket-blue"],
    "jackett": ["jacket", "jacket-blue"],
    "kacket": ["jacket", "jacket-blue"],
    "blue jakcet": ["jacket-blue"],
    "a jacket in blue": ["jacket-blue"],
    "powrba": ["powerbank"],
    "longjin": ["longjing"],
    # a word that is known is meant, and of a short one nobody knows what was meant
    "team": ["team"],
    "tee": [],
    "jkt": [],
    # two typos are one too many, and what is hidden is no help
    "jkaceett": [],
    "wardrobe": [],
    "!?": ["team", "powerbank", "jacket-blue", "jacket", "pot", "oolong", "longjing"],
}


async def test_the_same_is_found_on_both_databases(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    relevant = {asked: await found(guest, asked) for asked in ASKED}

    assert {asked: sorted(slugs) for asked, slugs in relevant.items()} == {
        asked: sorted(slugs) for asked, slugs in ASKED.items()
    }
    assert relevant["茶"][-1] == "pot"


async def test_a_typo_is_told(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    typo = (await guest.get(FIND, search="blue jakcet"))["products"]
    right = (await guest.get(FIND, search="Blue jacket"))["products"]
    two = (await guest.get(FIND, search="greentea"))["products"]
    nothing = (await guest.get(FIND))["products"]

    assert (two["searchedFor"], two["nearest"]) == ("green tea", False)
    assert (typo["searchedFor"], typo["nearest"]) == ("blue jacket", False)
    assert (right["searchedFor"], right["nearest"]) == ("Blue jacket", False)
    assert (nothing["searchedFor"], nothing["nearest"]) == (None, False)


async def test_where_nothing_has_all_words_the_nearest_is_found(shelf: Shop, front: Front) -> None:
    guest = front.guest()
    near = (await guest.get(FIND, search="the blue shirt for elephants"))["products"]
    chosen = (await guest.get(FIND, search="rain jacket", filter={"brands": ["Volta"]}))["products"]

    assert near["nearest"]
    assert {node["slug"] for node in near["nodes"]} == {"jacket-blue", "team"}
    assert (chosen["nearest"], chosen["nodes"]) == (False, [])


async def test_a_product_asked_for_by_its_code_comes_first(shelf: Shop, front: Front) -> None:
    await stock(shelf, thing("x", "AB 12 AB 12 AB 12", tags=("ab 12",)), thing("else", "Something ab12"))

    assert (await found(front.guest(), "AB-12"))[0] == "oolong"


async def test_what_says_more_about_a_word_comes_first(shelf: Shop, front: Front) -> None:
    await stock(
        shelf,
        thing("aside", "A chair", description="<p>Also good beside a lamp.</p>"),
        thing("long", "A lamp of many colours for the desk, the bed and the garden at night"),
        thing("lamp", "Lamp"),
    )

    assert await found(front.guest(), "lamp") == ["lamp", "long", "aside"]


PAGES_WITH_NEWS = 4
SORTS = ["RELEVANCE", "NEWEST", "PRICE_ASC", "PRICE_DESC", "BEST_SELLING"]


@pytest.mark.parametrize(
    ("sort", "search"),
    [*((sort, "") for sort in SORTS), *((sort, "lapm") for sort in SORTS), ("RELEVANCE", "lamp elephant")],
)
async def test_pages_stay_right_while_products_come(shop: Shop, front: Front, sort: str, search: str) -> None:
    words = ["lamp", "lamp lamp", "desk lamp", "small desk lamp", "a lamp for the garden", "lamps"]
    for number, title in enumerate(words):
        await stock(shop, thing(f"old-{number}", title, 1_000 + number % 3), days=number // 2)
    guest = front.guest()
    whole = await found(guest, search, sort=sort)
    assert len(whole) == 6

    seen: list[str] = []
    after, more, number = None, True, 0
    while more:
        page = (await guest.get(FIND, search=search, sort=sort, first=2, after=after))["products"]
        seen += [node["slug"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        number += 1
        if number > PAGES_WITH_NEWS:
            continue  # more comes in than is read: it would never end
        await stock(
            shop,
            *(thing(f"new-{number}-{price}", f"{title} lamp", price) for title, price in
              (("lapm", 500), ("desk", 1_001), ("elephant", 2_000))),
            *(thing(f"other-{number}-{each}", f"Elephant {each}", 1_001) for each in range(2)),
            days=number,
        )  # fmt: skip

    assert [slug for slug in seen if slug.startswith("old")] == whole
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"search": "x" * 201}, ["search"]),
        ({"first": 101}, ["first"]),
        ({"after": "nonsense"}, ["after"]),
        ({"search": "tea", "after": "nonsense"}, ["after"]),
        ({"language": "?"}, ["language"]),
        ({"filter": {"category": "nowhere"}}, ["filter", "category"]),
        ({"filter": {"attributes": [{"code": "none", "values": []}]}}, ["filter", "attributes", "0", "code"]),
    ],
)
async def test_a_refused_list_names_the_argument_it_is_about(
    front: Front, asked: Mapping[str, Any], field: list[str]
) -> None:
    (error,) = (await front.guest().ask(FIND, **asked))["errors"]

    assert error["extensions"]["field"] == field


async def test_a_cursor_belongs_to_its_sort_its_search_and_its_currency(shelf: Shop, front: Front) -> None:
    guest = front.guest()

    async def cursor(**variables: Any) -> str:
        page = (await guest.get(FIND, first=1, **variables))["products"]
        end: str = page["pageInfo"]["endCursor"]
        return end

    tea, jackets = await cursor(search="tea"), await cursor(search="jacket")
    newest, price = await cursor(sort="NEWEST"), await cursor(sort="PRICE_ASC")

    assert await refused(guest, search="jacket", after=tea) == (
        "INVALID",
        "This cursor belongs to another search.",
    )
    assert await refused(guest, after=jackets) == ("INVALID", "This cursor belongs to another search.")
    assert await refused(guest, search="jacket", sort="NEWEST", after=jackets) == (
        "INVALID",
        "This cursor belongs to another order of rows, not to NEWEST.",
    )
    assert await refused(guest, sort="PRICE_DESC", after=newest) == (
        "INVALID",
        "This cursor belongs to another order of rows, not to PRICE_DESC CNY.",
    )
    assert await refused(guest, sort="PRICE_ASC", currency="USD", after=price) == (
        "INVALID",
        "This cursor belongs to another order of rows, not to PRICE_ASC USD.",
    )
    assert (await refused(guest, search="jacket", after=newest))[0] == "INVALID"


FORGED: list[Any] = [
    None, 1, [], [0, "", [], "", None], [1, "x", [[1, [["a' | 'b", 1]], [[["a"], False]]]], "", None],
    [1, "x", [[1, [["a", 1]], [[["a\" OR \"b"], False]]]], "", None], [1, "x", [[1, [], []]], "", None],
    [1, "x", [[10**40, [["a", 10**40]], [[["a"], 1]]]] * 100, "", None], [1, {}, "x", "=;", "y"],
]  # fmt: skip


async def test_a_cursor_of_this_search_that_looks_for_nothing_is_refused(shelf: Shop, front: Front) -> None:
    text = json.dumps([["RELEVANCE", [mark("tea"), "tea", [], "", None]], 1, 1])
    cursor = base64.urlsafe_b64encode(text.encode()).decode()

    assert (await refused(front.guest(), search="tea", after=cursor))[0] == "INVALID"


@pytest.mark.parametrize("memo", FORGED)
async def test_a_forged_cursor_is_refused(shelf: Shop, front: Front, memo: Any) -> None:
    text = json.dumps([["RELEVANCE", memo], 1, 1])
    cursor = base64.urlsafe_b64encode(text.encode()).decode()

    assert (await refused(front.guest(), search="tea", after=cursor))[0] == "INVALID"


async def test_what_cannot_be_wished_for_is_refused_by_name(shelf: Shop, front: Front) -> None:
    async with shelf.database.writes.begin() as session:
        size = await save_attribute(session, code="size", name="Size", type=AttributeType.TEXT)
        await save_attribute(session, code="loose", name="Loose", type=AttributeType.TEXT)
        await save_category(session, name="Shoes", attributes=[AttributeOfCategory(size.id)])
    guest = front.guest()

    def price(least: str, most: str) -> dict[str, Any]:
        ends = {"min": least, "max": most}
        return {"price": {end: {"amount": amount, "currencyCode": "CNY"} for end, amount in ends.items()}}

    def attribute(code: str, **others: Any) -> dict[str, Any]:
        return {"attributes": [{"code": code, "values": ["x"]}], **others}

    assert await refused(guest, search="x" * 201) == ("INVALID", "A search has at most 200 characters.")
    assert await refused(guest, filter={"category": "nowhere"}) == ("NOT_FOUND", "There is no such category.")
    assert await refused(guest, filter=price("2", "1")) == ("INVALID", "The least price is above the most.")
    assert await refused(guest, filter=price("-1", "1")) == ("INVALID", "Nothing costs less than nothing.")
    assert await refused(guest, filter=attribute("colour")) == (
        "NOT_FOUND",
        'There is no such attribute "colour".',
    )
    assert await refused(guest, filter=attribute("size", category="clothing")) == (
        "INVALID",
        'No product of this category has an attribute "size".',
    )
    assert await refused(guest, language="?") == ("INVALID", "This is no language tag: '?'.")
    assert await found(guest, "", filter=attribute("size", category="shoes")) == []
    assert await found(guest, "", filter=attribute("loose")) == []


async def test_language_and_currency_can_be_asked_for(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        await save_category(session, name="茶", slug="tea", translations={"en": {"name": "Tea"}})
    await stock(
        shop,
        thing("a", "龙井", 8_000, dollars=500, category_path=("茶",),
              translations={"en": {"title": "Dragon Well"}, "fr-CA": {"title": "Puits du dragon"}}),
        thing("b", "普洱", 3_000, dollars=900, category_path=("茶",)),
    )  # fmt: skip
    guest = front.guest(**{"Accept-Language": "zh-CN"})

    here = (await guest.get(TOLD))["products"]
    abroad = await guest.get(TOLD, language="en-GB", currency="USD")

    assert [node["title"] for node in here["nodes"]] == ["普洱", "龙井"]
    assert here["facets"]["price"] == {"min": {"amount": "30.00", "currencyCode": "CNY"}}
    assert [node["title"] for node in abroad["products"]["nodes"]] == ["Dragon Well", "普洱"]
    assert abroad["products"]["nodes"][0]["category"] == {"name": "Tea"}
    assert abroad["products"]["nodes"][0]["priceRange"] == {"min": {"amount": "5.00", "currencyCode": "USD"}}
    assert abroad["products"]["nodes"][1]["variants"] == [{"price": {"amount": "9.00"}}]
    assert abroad["products"]["facets"] == {
        "price": {"min": {"amount": "5.00", "currencyCode": "USD"}},
        "categories": [{"category": {"name": "Tea"}}],
    }
    assert abroad["other"]["nodes"] == [{"title": "普洱"}]
    document = 'query ($language: String) { product(slug: "a", language: $language) { title } }'
    for french in ("fr", "FR", "FR-ca"):
        assert await guest.get(document, language=french) == {"product": {"title": "Puits du dragon"}}
    assert await guest.get(document, language="de") == {"product": {"title": "龙井"}}
    dollars = {"price": {"max": {"amount": "5", "currencyCode": "USD"}}}
    assert await found(guest, "", filter=dollars, currency="USD") == ["a"]


async def test_suggestions_come_while_somebody_types(shelf: Shop, front: Front) -> None:
    guest = front.guest()

    async def suggested(text: str) -> list[str]:
        rows = (await guest.get(SUGGEST, text=text))["searchSuggestions"]
        return [
            f"/{row['category']['slug']}" if row["category"] else row["brand"] or row["product"]["slug"]
            for row in rows
        ]

    assert await suggested("cloth") == ["/clothing", "team", "jacket-blue", "jacket"]
    assert await suggested("lo") == ["Loom", "longjing", "team", "jacket-blue", "jacket"]
    assert await suggested("longji") == ["longjing"]
    assert await suggested("jakc") == ["jacket-blue", "jacket"]
    assert await suggested("shif") == ["狮峰", "longjing"]
    assert await suggested("lv") == ["longjing"]
    assert await suggested("lj") == ["longjing"]
    assert await suggested("") == []
    (error,) = (await guest.ask(SUGGEST, text="x" * 201))["errors"]
    assert error["message"] == "A search has at most 200 characters."


async def test_a_search_costs_the_same_whatever_it_finds(shelf: Shop, front: Front) -> None:
    def document(fields: str) -> str:
        return f"query ($search: String!) {{ products(search: $search) {{ {fields} }} }}"

    counts = "brands { count } categories { count } attributes { values { count } } price { min { amount } }"
    facets = f"facets {{ {counts} }}"
    asked = {
        "nodes { slug }": 2,
        "totalCount": 3,
        facets: 4,
    }
    for fields, expected in asked.items():
        for search in ("tea", "jacket"):
            with statements(shelf) as counted:
                await front.guest().get(document(fields), search=search)
            assert counted.total == expected, (fields, search)
    everything = f"nodes {{ slug title priceRange {{ min {{ amount }} }} }} totalCount {facets}"
    for search in ("tea", "jacket", "team"):
        with statements(shelf) as counted:
            await front.guest().get(document(everything), search=search)
        assert counted.total == 7, search
    with statements(shelf) as counted:
        await front.guest().get(SUGGEST, text="jack")
    assert counted.total == 4
