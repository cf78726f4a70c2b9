"""Search finds the same products on both databases."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.taxonomy import (
    AttributeDraft,
    CategoryAttributeDraft,
    CategoryDraft,
    save_attribute,
    save_category,
)
from events.shop import Shop
from models import AttributeType, CurrencyCode, Money, ProductStatus, Role
from tests.api.catalog.sample import refusal_of
from tests.clients import Client, Clients
from tests.factories.catalog import save_drafts
from tests.observe import count_statements
from text.query_parser import hash_query

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD

FIND = """
query ($query: String! = "", $filter: ProductFilter, $sort: ProductSort! = RELEVANCE, $first: Int! = 20
  $after: String, $language: String, $currency: CurrencyCode) {
  products(query: $query, filter: $filter, sort: $sort, first: $first, after: $after
    language: $language, currency: $currency) {
    correctedQuery partialMatch totalCount
    nodes { slug }
    edges { partialMatch node { slug } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

IN_LANGUAGE = """
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
  searchSuggestions(query: $text, first: $first, language: $language) {
    text product { slug } category { slug } brand
  }
}
"""


def product_draft(slug: str, title: str, price: int = 1_000, **given: Any) -> ProductDraft:
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


PRODUCTS = [
    product_draft("longjing", "西湖龙井绿茶", 8_000, brand="狮峰",
          translations={"en": {"title": "Longjing green tea"}}),
    product_draft("oolong", "高山乌龙茶", 5_000, brand="Hill Farm", sku="AB-12", barcode="6901234567892"),
    product_draft("pot", "紫砂壶", 20_000, category_path=("Food", "Pots"), description="<p>乌龙茶最爱</p>"),
    product_draft("jacket", "Rain jacket", 20_000, category_path=("Clothing",), brand="Loom",
          description="<p>For running in the rain</p>"),
    product_draft("jacket-blue", "Blue jackets", 15_000, category_path=("Clothing",), brand="Loom"),
    product_draft("powerbank", "Powerbank 10000 mAh", 9_000, category_path=("Power",), brand="Volta"),
    product_draft("coffee", "Coffee mat", 1_500, category_path=("Kitchen",),
          description="<p>Lips and spoons</p>"),
    product_draft("v-necks", "Two V-necks", 4_000, category_path=("Tops",)),
    product_draft("team", "Team shirt", 3_000, category_path=("Clothing",), brand="Loom"),
    product_draft("hidden", "Secret wardrobe", 1_000, status=ProductStatus.DRAFT),
]  # fmt: skip


@pytest.fixture
async def catalogue(shop: Shop) -> Shop:
    for days, draft in enumerate(PRODUCTS):
        await save_drafts(shop, draft, days=days)
    return shop


async def search_slugs(client: Client, query: str, **variables: Any) -> list[str]:
    data = await client.get(FIND, query=query, **variables)
    return [node["slug"] for node in data["products"]["nodes"]]


async def find_best_matches(client: Client, query: str) -> list[str]:
    """The products that have all words of a query, or where none has, those with some of them."""
    edges = (await client.get(FIND, query=query))["products"]["edges"]
    full = [edge["node"]["slug"] for edge in edges if not edge["partialMatch"]]
    all_matches = [edge["node"]["slug"] for edge in edges]
    assert full == all_matches[: len(full)]
    return full or all_matches


QUERIES: Mapping[str, list[str]] = {
    # Chinese: by words, by any part of one, by pinyin
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
    "vneck": ["v-necks"],
    "V-neck": ["v-necks"],
    # a hyphen or none; two words of different products, or of pinyin, are none
    "matcha": [],
    "coffeejacket": [],
    # codes
    "AB-12": ["oolong"],
    "ab12": ["oolong"],
    "6901234567892": ["oolong"],
    # one typo
    "jackte": ["jacket", "jacket-blue"],
    "jaket": ["jacket", "jacket-blue"],
    "jackett": ["jacket", "jacket-blue"],
    # the first letter is right, and a short word is another one
    "kacket": [],
    "ream": [],
    "blue jakcet": ["jacket-blue"],
    "a jacket in blue": ["jacket-blue"],
    "longjin": ["longjing"],
    # a finished word is not taken for a longer one with a typo
    "powrba": [],
    # a known word is not corrected, nor is a short one
    "team": ["team"],
    "tee": [],
    "jkt": [],
    # two typos are too many, and words of hidden products are not known
    "jkaceett": [],
    "wardrobe": [],
    "!?": [],
}


async def test_the_same_is_found_on_both_databases(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()
    relevant = {asked: await find_best_matches(guest, asked) for asked in QUERIES}

    assert {asked: sorted(slugs) for asked, slugs in relevant.items()} == {
        asked: sorted(slugs) for asked, slugs in QUERIES.items()
    }
    assert relevant["茶"][-1] == "pot"


async def test_the_corrected_query_is_returned(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()
    typo = (await guest.get(FIND, query="blue jakcet"))["products"]
    right = (await guest.get(FIND, query="Blue jacket"))["products"]
    two = (await guest.get(FIND, query="greentea"))["products"]
    nothing = (await guest.get(FIND))["products"]

    assert (two["correctedQuery"], two["partialMatch"]) == ("green tea", False)
    assert (typo["correctedQuery"], typo["partialMatch"]) == ("blue jacket", False)
    assert (right["correctedQuery"], right["partialMatch"]) == ("Blue jacket", False)
    assert (nothing["correctedQuery"], nothing["partialMatch"]) == (None, False)


@pytest.mark.parametrize(
    ("query", "corrected"),
    [("cofee", "coffee"), ("lip", "lip"), ("vnekcs", "vnecks"), ("Matcha", "Matcha")],
)
async def test_a_word_is_corrected_to_one_that_somebody_wrote(
    catalogue: Shop, clients: Clients, query: str, corrected: str
) -> None:
    found = (await clients.guest().get(FIND, query=query))["products"]

    assert found["correctedQuery"] == corrected


async def test_where_no_product_has_all_words_those_with_most_are_found(
    catalogue: Shop, clients: Clients
) -> None:
    guest = clients.guest()
    near = (await guest.get(FIND, query="the blue shirt for elephants"))["products"]
    chosen = (await guest.get(FIND, query="rain jacket", filter={"brands": ["Volta"]}))["products"]

    assert near["partialMatch"]
    assert {node["slug"] for node in near["nodes"]} == {"jacket-blue", "team"}
    assert (chosen["partialMatch"], chosen["nodes"]) == (False, [])


async def test_a_page_with_few_full_matches_is_filled_with_the_best_partial_ones(
    shop: Shop, clients: Clients
) -> None:
    await save_drafts(
        shop,
        product_draft("red-lamp", "Red desk lamp with a very long cable and a switch for the night"),
        product_draft("lamp", "Desk lamp"),
        product_draft("red", "Red chair"),
        product_draft("tea", "Green tea"),
    )
    guest = clients.guest()

    found = (await guest.get(FIND, query="red desk lamp"))["products"]
    by_price = await search_slugs(guest, "red desk lamp", sort="PRICE_ASC")

    marked = [(edge["node"]["slug"], edge["partialMatch"]) for edge in found["edges"]]
    assert marked == [("red-lamp", False), ("lamp", True)]
    assert (found["totalCount"], found["partialMatch"]) == (2, False)
    assert by_price == ["red-lamp"]


async def test_a_page_with_enough_full_matches_is_not_filled(shop: Shop, clients: Clients) -> None:
    await save_drafts(shop, product_draft("lamp", "Lamp"))
    await save_drafts(shop, *(product_draft(f"desk-{each}", "Desk lamp") for each in range(9)))
    guest = clients.guest()
    assert (await search_slugs(guest, "desk lamp"))[-1] == "lamp"

    await save_drafts(shop, product_draft("desk-9", "Desk lamp"))

    found = (await guest.get(FIND, query="desk lamp"))["products"]
    assert found["totalCount"] == 10
    assert not any(edge["partialMatch"] for edge in found["edges"])


async def test_partial_matches_stay_marked_and_behind_on_later_pages(shop: Shop, clients: Clients) -> None:
    await save_drafts(shop, *(product_draft(f"full-{each}", "Desk lamp") for each in range(3)))
    await save_drafts(shop, *(product_draft(f"part-{each}", "Lamp") for each in range(3)))
    guest = clients.guest()
    seen: list[tuple[str, bool]] = []
    after, more = None, True
    while more:
        page = (await guest.get(FIND, query="desk lamp", first=2, after=after))["products"]
        seen += [(edge["node"]["slug"][:4], edge["partialMatch"]) for edge in page["edges"]]
        assert not page["partialMatch"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert seen == [("full", False)] * 3 + [("part", True)] * 3


async def test_words_that_others_write_as_one_are_found(shop: Shop, clients: Clients) -> None:
    await save_drafts(
        shop,
        product_draft("joined", "Smartwatch"),
        product_draft("apart", "Smart watch"),
        product_draft("watch", "Watch"),
        product_draft("smart", "Smart plug"),
    )
    found = (await clients.guest().get(FIND, query="smart watch"))["products"]["edges"]

    marked = [(edge["node"]["slug"], edge["partialMatch"]) for edge in found]
    assert sorted(marked[:2]) == [("apart", False), ("joined", False)]
    assert sorted(marked[2:]) == [("smart", True), ("watch", True)]


async def test_suggestions_repeat_no_title(shop: Shop, clients: Clients) -> None:
    await save_drafts(shop, *(product_draft(f"lamp-{each}", "Desk lamp") for each in range(3)))
    await save_drafts(shop, product_draft("other", "Desk-Lamp"), product_draft("shade", "Desk lamp shade"))

    found = (await clients.guest().get(SUGGEST, text="desk la", first=2))["searchSuggestions"]

    assert len(found) == 2
    assert {each["text"].replace("-", " ").lower() for each in found} == {"desk lamp", "desk lamp shade"}


async def test_a_product_searched_by_its_code_comes_first(catalogue: Shop, clients: Clients) -> None:
    await save_drafts(
        catalogue,
        product_draft("x", "AB 12 AB 12 AB 12", tags=("ab 12",)),
        product_draft("else", "Something ab12"),
    )

    assert (await search_slugs(clients.guest(), "AB-12"))[0] == "oolong"


async def test_a_product_in_which_the_word_weighs_more_comes_first(catalogue: Shop, clients: Clients) -> None:
    await save_drafts(
        catalogue,
        product_draft("aside", "A chair", description="<p>Also good beside a lamp.</p>"),
        product_draft("long", "A lamp of many colours for the desk, the bed and the garden at night"),
        product_draft("lamp", "Lamp"),
    )

    assert await search_slugs(clients.guest(), "lamp") == ["lamp", "long", "aside"]


PAGES_WITH_ADDITIONS = 4
SORTS = ["RELEVANCE", "NEWEST", "PRICE_ASC", "PRICE_DESC", "BEST_SELLING"]


@pytest.mark.parametrize(
    ("sort", "query"),
    [*((sort, "") for sort in SORTS), *((sort, "lapm") for sort in SORTS), ("RELEVANCE", "lamp elephant")],
)
async def test_pages_stay_right_while_products_are_added(
    shop: Shop, clients: Clients, sort: str, query: str
) -> None:
    words = ["lamp", "lamp lamp", "desk lamp", "small desk lamp", "a lamp for the garden", "lamps"]
    for number, title in enumerate(words):
        await save_drafts(shop, product_draft(f"old-{number}", title, 1_000 + number % 3), days=number // 2)
    guest = clients.guest()
    whole = await search_slugs(guest, query, sort=sort)
    assert len(whole) == 6

    seen: list[str] = []
    after, more, number = None, True, 0
    while more:
        page = (await guest.get(FIND, query=query, sort=sort, first=2, after=after))["products"]
        seen += [node["slug"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        number += 1
        if number > PAGES_WITH_ADDITIONS:
            continue  # more comes in than is read: it would never end
        await save_drafts(
            shop,
            *(product_draft(f"new-{number}-{price}", f"{title} lamp", price) for title, price in
              (("lapm", 500), ("desk", 1_001), ("elephant", 2_000))),
            *(product_draft(f"other-{number}-{each}", f"Elephant {each}", 1_001) for each in range(2)),
            days=number,
        )  # fmt: skip

    assert [slug for slug in seen if slug.startswith("old")] == whole
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"query": "x" * 201}, ["query"]),
        ({"first": 101}, ["first"]),
        ({"after": "nonsense"}, ["after"]),
        ({"query": "tea", "after": "nonsense"}, ["after"]),
        ({"language": "?"}, ["language"]),
        ({"filter": {"category": "nowhere"}}, ["filter", "category"]),
        ({"filter": {"attributes": [{"code": "none", "values": []}]}}, ["filter", "attributes", "0", "code"]),
    ],
)
async def test_a_refused_list_names_the_argument_it_is_about(
    clients: Clients, asked: Mapping[str, Any], field: list[str]
) -> None:
    (error,) = (await clients.guest().ask(FIND, **asked))["errors"]

    assert error["extensions"]["field"] == field


async def test_a_cursor_belongs_to_its_sort_its_query_and_its_currency(
    catalogue: Shop, clients: Clients
) -> None:
    guest = clients.guest()

    async def cursor(**variables: Any) -> str:
        page = (await guest.get(FIND, first=1, **variables))["products"]
        end: str = page["pageInfo"]["endCursor"]
        return end

    tea, jackets = await cursor(query="tea"), await cursor(query="jacket")
    newest, price = await cursor(sort="NEWEST"), await cursor(sort="PRICE_ASC")

    assert await refusal_of(guest, FIND, query="jacket", after=tea) == (
        "INVALID",
        "This cursor belongs to another search.",
    )
    assert await refusal_of(guest, FIND, after=jackets) == (
        "INVALID",
        "This cursor belongs to another search.",
    )
    assert await refusal_of(guest, FIND, query="jacket", sort="NEWEST", after=jackets) == (
        "INVALID",
        "This cursor belongs to another order of rows, not to NEWEST.",
    )
    assert await refusal_of(guest, FIND, sort="PRICE_DESC", after=newest) == (
        "INVALID",
        "This cursor belongs to another order of rows, not to PRICE_DESC CNY.",
    )
    assert await refusal_of(guest, FIND, sort="PRICE_ASC", currency="USD", after=price) == (
        "INVALID",
        "This cursor belongs to another order of rows, not to PRICE_ASC USD.",
    )
    assert (await refusal_of(guest, FIND, query="jacket", after=newest))[0] == "INVALID"


FORGED: list[Any] = [
    None, 1, [], [0, "", [], "", None], [1, "x", [[[["a' | 'b", 1]], [[["a"], False]]]], "", None],
    [1, "x", [[[["a", 1]], [[["a\" OR \"b"], False]]]], "", None], [1, "x", [[[], []]], "", None],
    [1, "x", [[[["a", 10**40]], [[["a"], 1]]]] * 100, "", None], [1, {}, "x", "=;", "y"],
]  # fmt: skip


async def test_a_cursor_with_an_empty_plan_is_refused(catalogue: Shop, clients: Clients) -> None:
    text = json.dumps([["RELEVANCE", [hash_query("tea"), "tea", [], "", None]], 1, 1])
    cursor = base64.urlsafe_b64encode(text.encode()).decode()

    assert (await refusal_of(clients.guest(), FIND, query="tea", after=cursor))[0] == "INVALID"


@pytest.mark.parametrize("memo", FORGED)
async def test_a_forged_cursor_is_refused(catalogue: Shop, clients: Clients, memo: Any) -> None:
    text = json.dumps([["RELEVANCE", memo], 1, 1])
    cursor = base64.urlsafe_b64encode(text.encode()).decode()

    assert (await refusal_of(clients.guest(), FIND, query="tea", after=cursor))[0] == "INVALID"


async def test_an_invalid_filter_is_refused_with_a_reason(catalogue: Shop, clients: Clients) -> None:
    async with catalogue.database.writes.begin() as session:
        size = await save_attribute(
            session, AttributeDraft(code="size", name="Size", type=AttributeType.TEXT)
        )
        await save_attribute(session, AttributeDraft(code="loose", name="Loose", type=AttributeType.TEXT))
        await save_category(
            session, CategoryDraft(name="Shoes", attributes=[CategoryAttributeDraft(size.id)])
        )
    guest = clients.guest()

    def price(least: str, most: str) -> dict[str, Any]:
        ends = {"min": least, "max": most}
        return {"price": {end: {"amount": amount, "currencyCode": "CNY"} for end, amount in ends.items()}}

    def attribute(code: str, **others: Any) -> dict[str, Any]:
        return {"attributes": [{"code": code, "values": ["x"]}], **others}

    assert await refusal_of(guest, FIND, query="x" * 201) == (
        "INVALID",
        "A search has at most 200 characters.",
    )
    assert await refusal_of(guest, FIND, filter={"category": "nowhere"}) == (
        "NOT_FOUND",
        "There is no such category.",
    )
    assert await refusal_of(guest, FIND, filter=price("2", "1")) == (
        "INVALID",
        "The least price is above the most.",
    )
    assert await refusal_of(guest, FIND, filter=price("-1", "1")) == (
        "INVALID",
        "Nothing costs less than nothing.",
    )
    assert await refusal_of(guest, FIND, filter=attribute("colour")) == (
        "NOT_FOUND",
        'There is no such attribute "colour".',
    )
    assert await refusal_of(guest, FIND, filter=attribute("size", category="clothing")) == (
        "INVALID",
        'No product of this category has an attribute "size".',
    )
    assert await refusal_of(guest, FIND, language="?") == ("INVALID", "This is no language tag.")
    assert await search_slugs(guest, "", filter=attribute("size", category="shoes")) == []
    assert await search_slugs(guest, "", filter=attribute("loose")) == []


async def test_language_and_currency_can_be_chosen_for_one_field(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await save_category(session, CategoryDraft(name="茶", slug="tea", translations={"en": {"name": "Tea"}}))
    await session.commit()
    await save_drafts(
        shop,
        product_draft("a", "龙井", 8_000, dollars=500, category_path=("茶",),
              translations={"en": {"title": "Dragon Well"}, "fr-CA": {"title": "Puits du dragon"}}),
        product_draft("b", "普洱", 3_000, dollars=900, category_path=("茶",)),
    )  # fmt: skip
    guest = clients.guest(**{"Accept-Language": "zh-CN"})

    here = (await guest.get(IN_LANGUAGE))["products"]
    abroad = await guest.get(IN_LANGUAGE, language="en-GB", currency="USD")

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
    assert await search_slugs(guest, "", filter=dollars, currency="USD") == ["a"]


async def test_suggestions_match_an_unfinished_query(catalogue: Shop, clients: Clients) -> None:
    guest = clients.guest()

    async def suggestions_for(text: str) -> list[str]:
        rows = (await guest.get(SUGGEST, text=text))["searchSuggestions"]
        return [
            f"/{row['category']['slug']}" if row["category"] else row["brand"] or row["product"]["slug"]
            for row in rows
        ]

    assert await suggestions_for("cloth") == ["/clothing", "team", "jacket-blue", "jacket"]
    assert await suggestions_for("lo") == ["Loom", "longjing", "team", "jacket-blue", "jacket"]
    assert await suggestions_for("longji") == ["longjing"]
    assert await suggestions_for("jakc") == ["jacket", "jacket-blue"]
    assert await suggestions_for("shif") == ["狮峰", "longjing"]
    assert await suggestions_for("lv") == ["longjing"]
    assert await suggestions_for("lj") == ["longjing"]
    assert await suggestions_for("") == []
    (error,) = (await guest.ask(SUGGEST, text="x" * 201))["errors"]
    assert error["message"] == "A search has at most 200 characters."


async def test_a_search_takes_as_many_statements_whatever_it_finds(catalogue: Shop, clients: Clients) -> None:
    def document(fields: str) -> str:
        return f"query ($query: String!) {{ products(query: $query) {{ {fields} }} }}"

    counts = "brands { count } categories { count } attributes { values { count } } price { min { amount } }"
    facets = f"facets {{ {counts} }}"
    asked = {  # one of them for the synonyms, which a process that follows has in its memory
        "nodes { slug }": 3,
        "totalCount": 3,
        facets: 4,
    }
    await search_slugs(clients.guest(), "tea")
    for fields, expected in asked.items():
        for query in ("tea", "jacket"):
            with count_statements(catalogue) as counted:
                await clients.guest().get(document(fields), query=query)
            assert counted.total == expected, (fields, query)
    everything = f"nodes {{ slug title priceRange {{ min {{ amount }} }} }} totalCount {facets}"
    for query in ("tea", "jacket", "team"):
        with count_statements(catalogue) as counted:
            await clients.guest().get(document(everything), query=query)
        assert counted.total == 6, query
    with count_statements(catalogue) as counted:
        await clients.guest().get(SUGGEST, text="jack")
    assert counted.total == 3  # no category has the word in a name; else two more


@pytest.mark.usefixtures("catalogue")
async def test_words_that_mean_the_same_are_suggested_and_found(clients: Clients) -> None:
    save = (
        "mutation($input: SynonymGroupSaveInput!) { synonymGroupSave(input: $input) { userErrors { code } } }"
    )
    guest = clients.guest()
    assert (await guest.get(SUGGEST, text="charger"))["searchSuggestions"] == []

    await (await clients.staff(Role.MANAGER)).do(save, terms=["charger", "powerbank"])

    slugs = await search_slugs(guest, "charger")
    suggested = (await guest.get(SUGGEST, text="charger"))["searchSuggestions"]
    assert slugs == ["powerbank"]
    assert [each["product"]["slug"] for each in suggested] == slugs
