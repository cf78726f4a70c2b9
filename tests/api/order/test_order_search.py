"""Searching orders by number, phone, product, status, customer and date."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from loaders.order import NUMBER_PREFIX
from models import Order, OrderStatus, Role
from resolvers.ids import global_id
from tests.api.order.documents import LIST, create_order_now, create_variant
from tests.clients import Client, Clients
from tests.factories.account import create_account
from tests.factories.order import CASH, CHENGDU, HANGZHOU, deliver_to
from tests.given import id_of
from tests.observe import count_statements

Tick = Callable[[timedelta], None]


async def find_numbers(client: Client, query: str | None = None, **filter: Any) -> list[str]:
    asked = {"filter": filter or None, "query": query}
    return [node["number"] for node in (await client.get(LIST, **asked))["orders"]["nodes"]]


async def find_refusal(client: Client, **asked: Any) -> dict[str, Any]:
    [error] = (await client.ask(LIST, **asked))["errors"]
    extensions: dict[str, Any] = error["extensions"]
    return extensions


@pytest.fixture
async def clerk(clients: Clients) -> Client:
    return await clients.staff(Role.SUPPORT)


async def test_staff_find_orders_by_how_the_number_begins(
    clients: Clients, shop: Shop, clerk: Client
) -> None:
    first, second = await create_order_now(shop), await create_order_now(shop)

    assert await find_numbers(clerk, number=first.number) == [first.number]
    assert await find_numbers(clerk, f" {second.number.lower()} ") == [second.number]
    assert await find_numbers(clerk, first.number[:4]) == [second.number, first.number]
    assert await find_numbers(clerk, "T999999") == []


async def test_staff_find_orders_by_the_end_of_a_phone_number(
    clients: Clients, shop: Shop, clerk: Client
) -> None:
    near, far = (
        await create_order_now(shop, deliveries=[deliver_to(HANGZHOU)]),
        await create_order_now(shop, deliveries=[deliver_to(CHENGDU)]),
    )

    assert await find_numbers(clerk, "8000") == [near.number]
    assert await find_numbers(clerk, "139 0013 9000") == [far.number]
    assert await find_numbers(clerk, phone="13800138000") == [near.number]
    assert await find_numbers(clerk, phone="000138000") == []
    for wrong in ("800", "abcd", "1" * 16, "８０００"):
        assert (await find_refusal(clerk, filter={"phone": wrong}))["code"] == "INVALID"
    assert (await find_refusal(clerk, query="800"))["code"] == "INVALID"


async def test_staff_find_orders_by_product_variant_sku_and_words(
    clients: Clients, shop: Shop, clerk: Client
) -> None:
    tea = await create_variant(shop, title="Dragon Well tea", sku="TEA-1")
    pot = await create_variant(shop, title="Clay pot", sku="POT-1")
    with_tea = await create_order_now(shop, lines=[(tea, 1)])
    with_both = await create_order_now(shop, lines=[(tea, 1), (pot, 2)])

    both = [with_both.number, with_tea.number]
    assert await find_numbers(clerk, productId=global_id("Product", tea.product_id)) == both
    assert await find_numbers(clerk, variantId=id_of(pot)) == [with_both.number]
    assert await find_numbers(clerk, query="well dragon") == both
    assert await find_numbers(clerk, "TEA-1") == both
    assert await find_numbers(clerk, "clay") == [with_both.number]
    assert await find_numbers(clerk, "dragon pot") == []
    assert await find_numbers(clerk, productId=global_id("Product", 999_999)) == []


async def test_staff_find_orders_by_customer(
    clients: Clients, shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    mei = await create_account(session, role=Role.CUSTOMER, email="mei@example.com", name="Zhao Yun")
    await session.commit()
    order, other = await create_order_now(shop, mei), await create_order_now(shop)

    assert await find_numbers(clerk, "Mei@Example.com") == [order.number]
    assert await find_numbers(clerk, customer="Zhao Yun") == [order.number]
    assert await find_numbers(clerk, customer="Zhao") == []
    assert await find_numbers(clerk, customer="nobody@example.com") == []
    assert other.number in await find_numbers(clerk)


async def test_orders_are_found_by_the_status_customers_read(
    clients: Clients, shop: Shop, clerk: Client
) -> None:
    waiting = await create_order_now(shop)
    preparing = await create_order_now(shop, payments={CASH: None})
    cancelled = await create_order_now(shop, status=OrderStatus.CANCELLED)

    assert await find_numbers(clerk, displayStatus=["AWAITING_PAYMENT"]) == [waiting.number]
    assert await find_numbers(clerk, displayStatus=["PREPARING", "CANCELLED"]) == [
        cancelled.number,
        preparing.number,
    ]
    assert await find_numbers(clerk, displayStatus=[]) == []


@pytest.mark.parametrize("sort", ["NEWEST", "OLDEST", "DEAREST"])
@pytest.mark.parametrize("filter", [{}, {"phone": "8000"}, {"dated": True}, {"query": "tea"}])
async def test_pages_in_every_order_hold_every_order_once(
    clients: Clients, shop: Shop, clerk: Client, tick: Tick, sort: str, filter: dict[str, Any]
) -> None:
    variant = await create_variant(shop, title="Tea", stock={"MAIN": 100})
    placed = []
    for quantity in (2, 1, 3, 1, 2):
        tick(timedelta(minutes=1))
        placed.append(
            await create_order_now(shop, lines=[(variant, quantity)], deliveries=[deliver_to(HANGZHOU)])
        )
    chosen = {"placedFrom": placed[0].placed_at.isoformat()} if filter.get("dated") else filter
    expected = {
        "NEWEST": [order.number for order in reversed(placed)],
        "OLDEST": [order.number for order in placed],
        "DEAREST": [order.number for order in sorted(placed, key=lambda o: (-o.total_amount, -o.id))],
    }[sort]

    seen: list[str] = []
    info: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while info["hasNextPage"]:
        asked = {"filter": chosen, "sort": sort, "first": 2, "after": info["endCursor"]}
        page = (await clerk.get(LIST, **asked))["orders"]
        seen += [node["number"] for node in page["nodes"]]
        info = page["pageInfo"]

    assert seen == expected
    other = "OLDEST" if sort != "OLDEST" else "NEWEST"
    assert (await find_refusal(clerk, filter=chosen, sort=other, after=info["endCursor"]))[
        "code"
    ] == "INVALID"


async def test_a_customer_finds_only_their_own(clients: Clients, shop: Shop) -> None:
    mine, others = await clients.customer(), await clients.customer()
    tea = await create_variant(shop, title="Dragon Well tea", sku="TEA-1", stock={"MAIN": 9})
    order = await create_order_now(shop, mine.account, lines=[(tea, 1)], deliveries=[deliver_to(HANGZHOU)])
    await create_order_now(shop, others.account, lines=[(tea, 1)], deliveries=[deliver_to(HANGZHOU)])

    for query in (order.number, order.number[:3], "8000", "dragon tea", "TEA-1"):
        assert await find_numbers(mine, query) == [order.number], query
    assert await find_numbers(mine, variantId=id_of(tea)) == [order.number]
    assert await find_numbers(mine, displayStatus=[order.display_status.value]) == [order.number]
    assert await find_numbers(mine, "mei@example.com") == []
    assert (await find_refusal(mine, filter={"customer": "Lin Mei"}))["code"] == "INVALID"


async def test_malformed_searches_are_refused(clients: Clients, clerk: Client) -> None:
    for asked, code in (
        ({"query": "  "}, "INVALID"),
        ({"query": "x" * 201}, "LIMIT_REACHED"),
        ({"filter": {"query": " ".join("abcdefghijk")}}, "LIMIT_REACHED"),
        ({"filter": {"number": "T1"}, "query": "T2"}, "INVALID"),
        ({"filter": {"phone": "1234"}, "query": "5678"}, "INVALID"),
        ({"filter": {"productId": global_id("Variant", 1)}}, "NOT_FOUND"),
        ({"after": "nonsense"}, "INVALID"),
    ):
        assert (await find_refusal(clerk, **asked))["code"] == code, asked


async def test_a_search_costs_the_same_statements_however_much_it_finds(
    clients: Clients, shop: Shop, clerk: Client
) -> None:
    tea = await create_variant(shop, title="Tea", sku="TEA-1", stock={"MAIN": 100})

    async def cost(query: str | None, **filter: Any) -> int:
        with count_statements(shop) as asked:
            await clerk.get(LIST.replace("totalCount", ""), query=query, filter=filter or None)
        return asked.total

    async def costs() -> list[int]:
        return [
            await cost(None), await cost("8000"), await cost("T0000"), await cost("tea"),
            await cost("a@example.com"), await cost(None, variantId=id_of(tea)),
        ]  # fmt: skip

    await cost("tea")
    none = await costs()
    for _ in range(3):
        await create_order_now(shop, lines=[(tea, 1)], deliveries=[deliver_to(HANGZHOU)])

    assert await costs() == none == [1, 1, 3, 3, 2, 1]


async def test_orders_of_a_day_a_month_or_a_year_are_found_by_how_their_numbers_begin(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    begun = shop.clock()
    numbers = []
    for hours in (0, 15, 24 * 20, 24 * 60):
        tick(begun + timedelta(hours=hours) - shop.clock())
        order = await create_order_now(shop)
        number = shop.secrets.new_number(NUMBER_PREFIX, shop.clock())
        found_again = await session.get_one(Order, order.id)
        found_again.number, found_again.placed_at = number, shop.clock()
        await session.commit()
        numbers.append(number)
    eve, late, december, january = numbers
    clerk = await clients.staff(Role.SUPPORT)

    assert [number[:7] for number in numbers] == ["O261111", "O261111", "O261201", "O270110"]
    assert await find_numbers(clerk, "O261111") == [late, eve]
    assert await find_numbers(clerk, "O26111") == [late, eve]
    assert await find_numbers(clerk, "O2612") == [december]
    assert await find_numbers(clerk, "O261") == [december, late, eve]
    assert await find_numbers(clerk, "O26") == [december, late, eve]
    assert await find_numbers(clerk, "O2") == [january, december, late, eve]
    assert await find_numbers(clerk, "O261131") == await find_numbers(clerk, "O2613") == []
    assert await find_numbers(clerk, "O26", placedBefore="2026-11-11T20:00:00Z") == [eve]
