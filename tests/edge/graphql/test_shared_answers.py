"""One change is looked up and rendered once for all who watch the same thing in the same way."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from graphql import get_operation_ast, parse

from edge.graphql.request import GraphQLRequest
from edge.graphql.sharing import answer_key, selection_of
from events.relay import Relay
from events.shop import Shop
from models import CurrencyCode, Role, Variant
from resolvers.context import Viewer
from tests.api.cart.documents import ADD, create_variants
from tests.api.cart.saved_documents import guest_with
from tests.clients import Client, Clients, Watch
from tests.conftest import NEVER
from tests.given import id_of
from tests.observe import count_statements

pytestmark = pytest.mark.settings(cart_look_every=NEVER)
"""Nothing looks at stock and flash sales but the test."""

WATCH = """subscription ($after: Int) { cartUpdates(after: $after) { version cart {
  lines { quantity variant { product { title } } } totals { total { amount } } warnings { code } } } }"""
STATEMENTS = {"sqlite": 12, "postgresql": 11}
"""Of the relay, of one look at the cart and of one answer."""
VIEWER = Viewer(language="en", currency=CurrencyCode.CNY, cart_token="token")


async def watch_all(stack: AsyncExitStack, guests: Sequence[Client], **variables: Any) -> list[Watch]:
    """One watch of their cart for each."""
    return [await stack.enter_async_context(guest.watch(WATCH, **variables)) for guest in guests]


async def tell_of_change(
    shop: Shop, guest: Client, variant: Variant, watches: Sequence[Watch]
) -> tuple[list[Any], int]:
    """Add a unit to the cart: what each is told, and how many statements that took."""
    await guest.do(ADD, variantId=id_of(variant))
    with count_statements(shop) as telling:
        await Relay(shop).run_once()
        updates = [(await watch.next())["data"]["cartUpdates"] for watch in watches]
    return updates, telling.total


@pytest.mark.parametrize("count", [1, 8])
async def test_watchers_of_one_cart_cost_as_many_statements_as_one(
    clients: Clients, shop: Shop, count: int
) -> None:
    (tea,) = await create_variants(shop)
    guest, _ = await guest_with(clients, tea)
    async with AsyncExitStack() as stack:
        watches = await watch_all(stack, [guest] * count)
        await tell_of_change(shop, guest, tea, watches)  # some may still look for the first time
        updates, statements = await tell_of_change(shop, guest, tea, watches)

    assert [update["version"] for update in updates] == [3] * count
    assert [update["cart"]["lines"][0]["quantity"] for update in updates] == [3] * count
    assert statements == STATEMENTS[shop.database.dialect]


async def test_watchers_who_resume_from_different_versions_get_what_each_has_missed(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop)
    guest, _ = await guest_with(clients, tea)
    for _ in range(2):
        await guest.do(ADD, variantId=id_of(tea))
    await Relay(shop).run_once()
    versions = []
    async with AsyncExitStack() as stack:
        for after in (0, 1, 2):
            [watch] = await watch_all(stack, [guest], after=after)
            updates = [(await watch.next())["data"]["cartUpdates"] for _ in range(3 - after)]
            versions.append([update["version"] for update in updates])

    assert versions == [[1, 2, 3], [2, 3], [3]]


async def test_each_watcher_reads_their_own_language(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop, translations={"zh": {"title": "绿茶"}}, title="Green tea")
    english, _ = await guest_with(clients, tea)
    chinese = clients.guest(**english.headers | {"Accept-Language": "zh-CN"})
    english.headers["Accept-Language"] = "en"
    async with AsyncExitStack() as stack:
        watches = await watch_all(stack, [english, chinese])
        await english.do(ADD, variantId=id_of(tea))
        await Relay(shop).run_once()
        updates = [(await watch.next())["data"]["cartUpdates"] for watch in watches]

    titles = [update["cart"]["lines"][0]["variant"]["product"]["title"] for update in updates]
    assert titles == ["Green tea", "绿茶"]


def select(document: str, **variables: object) -> object:
    parsed = parse(document)
    operation = get_operation_ast(parsed)
    assert operation is not None
    return selection_of(GraphQLRequest(document, None, variables), parsed, operation)


def test_variables_that_only_choose_events_do_not_part_watchers() -> None:
    assert select(WATCH, after=1) == select(WATCH, after=7) == select(WATCH)


@pytest.mark.parametrize(
    "document",
    [
        "subscription ($n: Int) { orderUpdates(id: 1) { order { lines(first: $n) { id } } } }",
        "subscription ($n: Int) { orderUpdates(id: 1, after: $n) { order { ...F } } } "
        "fragment F on Order { lines(first: $n) { id } }",
        "subscription ($n: Int) { ...F } "
        "fragment F on Subscription { orderUpdates(id: 1, after: $n) { id } }",
        "subscription ($n: Int) { orderUpdates(id: 1, currency: $n) { id } }",
    ],
)
def test_variables_that_may_change_an_answer_part_watchers(document: str) -> None:
    assert select(document, n=1) != select(document, n=2)
    assert select(document, n=1) == select(document, n=1)


@pytest.mark.parametrize(
    "other",
    [
        replace(VIEWER, language="zh"),
        replace(VIEWER, currency=CurrencyCode.USD),
        replace(VIEWER, role=Role.CUSTOMER, account_id=1),
        replace(VIEWER, cart_token="another"),
    ],
    ids=["language", "currency", "account", "cart"],
)
def test_answers_are_shared_by_equal_viewers_only(other: Viewer) -> None:
    event = object()

    assert answer_key("selection", VIEWER, event) == answer_key("selection", replace(VIEWER), event)
    assert answer_key("selection", VIEWER, event) != answer_key("selection", other, event)
    assert answer_key("selection", VIEWER, event) != answer_key("selection", VIEWER, object())
