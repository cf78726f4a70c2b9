"""The web shop of a guest: pages that show products and help."""

import json
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from events.bus import Signal
from tests.client_apps.client_app import ClientApp, relay_events
from tests.client_apps.conftest import OpenApp
from tests.clients import Clients, Watch
from tests.observe import wait_until

CART_PICTURES = """subscription { cartUpdates {
  cart { lines { variant { product { media { url } } } } } } }"""
PROTOCOL = Subprotocol("graphql-transport-ws")
TEA = "xihu-longjing-green-tea"


async def test_the_first_page_shows_categories_and_three_lists(open_app: OpenApp) -> None:
    web = open_app("web")

    home = await web.read("WebHome")

    assert home["viewer"] == {"role": "GUEST", "language": "zh-CN", "currency": "CNY"}
    assert [len(home[name]["nodes"]) for name in ("bestSelling", "newest", "flashSales")] == [8, 8, 1]
    (charger,) = home["flashSales"]["nodes"]
    prices = [each["flashSale"]["price"]["amount"] for each in charger["variants"] if each["flashSale"]]
    assert prices == ["99.00"]
    assert await web.read("WebCartBadge") == {"cart": None}


async def test_a_category_is_read_page_by_page_and_filtered(open_app: OpenApp) -> None:
    web = open_app("web")
    chosen = {"slug": "tea", "filter": {"category": "tea"}, "sort": "PRICE_ASC", "first": 8}

    first = await web.read("WebCategory", **chosen)
    cursor = first["products"]["pageInfo"]["endCursor"]
    second = await web.read("WebCategory", **chosen, after=cursor)

    assert [each["slug"] for each in first["category"]["ancestors"]] == ["food-tea"]
    shown = [each["id"] for page in (first, second) for each in page["products"]["nodes"]]
    assert len(shown) == len(set(shown)) == min(16, first["products"]["totalCount"])
    brand = first["products"]["facets"]["brands"][0]
    filtered = await web.read(
        "WebCategory", **chosen | {"filter": {"category": "tea", "brands": [brand["brand"]]}}
    )
    assert filtered["products"]["totalCount"] == brand["count"]


async def test_a_search_suggests_while_somebody_types(open_app: OpenApp) -> None:
    web = open_app("web")

    found = await web.read("WebSearch", query="龙井", first=5)
    suggested = await web.read("WebSearchSuggestions", query="longjing")

    assert TEA in [each["slug"] for each in found["products"]["nodes"]]
    slugs = [each["product"]["slug"] for each in suggested["searchSuggestions"] if each["product"]]
    assert TEA in slugs


async def test_a_product_page_shows_its_variants_and_what_is_near(open_app: OpenApp) -> None:
    web = open_app("web")

    product = (await web.read("WebProduct", slug=TEA))["product"]
    variant = product["variants"][0]
    near = await web.read(
        "WebVariantNearby", id=variant["id"], address={"province": "上海市", "city": "上海市"}
    )
    viewed = await web.do("WebProductView", id=product["id"])

    assert (variant["sku"], variant["price"]) == ("TEA-LJ-050T", {"amount": "168.00", "currencyCode": "CNY"})
    assert near["node"]["availabilityNear"]["availability"]["inStock"]
    assert viewed["product"]["id"] == product["id"]


async def test_the_help_centre_answers_questions(open_app: OpenApp) -> None:
    web = open_app("web")

    articles = (await web.read("WebArticles", first=3))["articles"]
    suggested = (await web.read("WebArticleSuggestions", query="退货要多久退款"))["articleSuggestions"]
    read = (await web.read("WebArticle", slug=suggested[0]["slug"]))["article"]
    await add_to_cart(web)
    opened = await web.do("WebArticleRead", id=read["id"])
    assert opened["article"] == {"id": read["id"]}
    rated = (await web.do("WebArticleRate", id=read["id"], helpful=True))["article"]

    assert len(articles["nodes"]) == 3
    assert rated["helpful"] == read["helpful"] + 1


async def add_to_cart(web: ClientApp, quantity: int = 1) -> dict[str, Any]:
    """Add tea to the guest's cart; its token is sent from then on."""
    product = (await web.read("WebProduct", slug=TEA))["product"]
    payload = await web.do("WebCartLineAdd", variantId=product["variants"][0]["id"], quantity=quantity)
    if token := payload["cart"].pop("token"):
        web.client.headers["X-Cart-Token"] = token
    cart: dict[str, Any] = payload["cart"]
    return cart


async def test_a_guest_fills_a_cart_and_changes_it(open_app: OpenApp) -> None:
    web = open_app("web")

    cart = await add_to_cart(web, 2)
    (line,) = cart["lines"]
    assert cart["totals"]["subtotal"]["amount"] == "336.00"
    assert (await web.read("WebCart"))["cart"] == cart

    fewer = (await web.do("WebCartLineUpdate", id=line["id"], quantity=1))["cart"]
    assert fewer["totals"]["subtotal"]["amount"] == "168.00"
    saved = (await web.do("WebCartLineSave", id=line["id"]))["cart"]
    assert (saved["lines"], len(saved["savedLines"])) == ([], 1)
    restored = (await web.do("WebCartLineRestore", id=saved["savedLines"][0]["id"]))["cart"]
    assert [each["quantity"] for each in restored["lines"]] == [1]
    again = (await web.do("WebCartLineSave", id=restored["lines"][0]["id"]))["cart"]
    gone = (await web.do("WebCartSavedLineRemove", id=again["savedLines"][0]["id"]))["cart"]
    assert (gone["lines"], gone["savedLines"]) == ([], [])


async def test_a_guest_applies_a_coupon_and_takes_it_out_again(open_app: OpenApp) -> None:
    web = open_app("web")
    cart = await add_to_cart(web, 2)

    cheaper = (await web.do("WebCartCouponApply", code="TEA20"))["cart"]
    dearer = (await web.do("WebCartCouponRemove", code="TEA20"))["cart"]
    await web.do("WebCartWarningsDismiss")
    empty = (await web.do("WebCartLineRemove", id=cart["lines"][0]["id"]))["cart"]

    assert float(cheaper["totals"]["total"]["amount"]) < float(cart["totals"]["total"]["amount"])
    assert dearer["totals"] == cart["totals"]
    assert empty["lines"] == []
    assert await web.refused("WebCartCouponApply", code="NO-SUCH-CODE") != []


async def test_a_cart_tells_other_tabs_what_has_changed(open_app: OpenApp, clients: Clients) -> None:
    web = open_app("web")
    cart = await add_to_cart(web)

    async with web.watch("WebCartUpdates", after=cart["version"]) as watch:
        await web.do("WebCartLineUpdate", id=cart["lines"][0]["id"], quantity=3)
        await relay_events(clients.shop)
        update = (await watch.next())["data"]["cartUpdates"]

    assert [each["quantity"] for each in update["cart"]["lines"]] == [3]


def are_more(clients: Clients, before: set[Signal]) -> bool:
    """Whether somebody waits for a signal who did not before."""
    return bool(clients.signals() - before)


async def test_watchers_at_two_addresses_of_the_shop_get_urls_of_their_own(
    open_app: OpenApp, clients: Clients
) -> None:
    web = open_app("web")
    cart = await add_to_cart(web)
    address = (await clients.start_server()).replace("http", "ws") + "/graphql"

    async with AsyncExitStack() as stack:
        watches, shown = [], list[str]()
        for url in (address, address.replace("127.0.0.1", "localhost")):
            before = clients.signals()
            socket = await stack.enter_async_context(connect(url, subprotocols=[PROTOCOL]))
            watch = Watch(socket)
            await stack.enter_async_context(watch.collect_messages())
            await watch.send(type="connection_init", payload=web.client.headers)
            assert (await watch.receive())["type"] == "connection_ack"
            await watch.send(type="subscribe", id="1", payload={"query": CART_PICTURES})
            await wait_until(partial(are_more, clients, before))
            watches.append(watch)
        for quantity in (2, 3):  # at the second change both wait, so that one signal wakes both
            await web.do("WebCartLineUpdate", id=cart["lines"][0]["id"], quantity=quantity)
            await relay_events(clients.shop)
            shown = [json.dumps(await watch.next()) for watch in watches]

    assert [("//127.0.0.1:" in each, "//localhost:" in each) for each in shown] == [
        (True, False),
        (False, True),
    ]
