"""Orders are found by whoever may see them: by number, phone, product, state, customer and date."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from events.shop import Shop
from loaders.order import NUMBER_PREFIX
from models import Order, OrderStatus, Role
from resolvers.ids import global_id
from tests.api.order.asking import LIST, id_of, ordered, stocked
from tests.factories.account import create_account
from tests.factories.order import CASH, CHENGDU, HANGZHOU, deliver_to
from tests.front import Client, Front
from tests.observe import statements

Tick = Callable[[timedelta], None]


async def found(client: Client, search: str | None = None, **filter: Any) -> list[str]:
    asked = {"filter": filter or None, "search": search}
    return [node["number"] for node in (await client.get(LIST, **asked))["orders"]["nodes"]]


async def refused(client: Client, **asked: Any) -> dict[str, Any]:
    [error] = (await client.ask(LIST, **asked))["errors"]
    extensions: dict[str, Any] = error["extensions"]
    return extensions


@pytest.fixture
async def clerk(front: Front) -> Client:
    return await front.staff(Role.SUPPORT)


async def test_staff_find_orders_by_how_the_number_begins(front: Front, shop: Shop, clerk: Client) -> None:
    first, second = await ordered(shop), await ordered(shop)

    assert await found(clerk, number=first.number) == [first.number]
    assert await found(clerk, f" {second.number.lower()} ") == [second.number]
    assert await found(clerk, first.number[:4]) == [second.number, first.number]
    assert await found(clerk, "T999999") == []


async def test_staff_find_orders_by_the_end_of_a_phone_number(
    front: Front, shop: Shop, clerk: Client
) -> None:
    near, far = (
        await ordered(shop, deliveries=[deliver_to(HANGZHOU)]),
        await ordered(shop, deliveries=[deliver_to(CHENGDU)]),
    )

    assert await found(clerk, "8000") == [near.number]
    assert await found(clerk, "139 0013 9000") == [far.number]
    assert await found(clerk, phone="13800138000") == [near.number]
    assert await found(clerk, phone="000138000") == []
    for wrong in ("800", "abcd", "1" * 16, "８０００"):
        assert (await refused(clerk, filter={"phone": wrong}))["code"] == "INVALID"
    assert (await refused(clerk, search="800"))["code"] == "INVALID"


async def test_staff_find_orders_by_product_variant_sku_and_words(
    front: Front, shop: Shop, clerk: Client
) -> None:
    tea = await stocked(shop, title="Dragon Well tea", sku="TEA-1")
    pot = await stocked(shop, title="Clay pot", sku="POT-1")
    with_tea = await ordered(shop, lines=[(tea, 1)])
    with_both = await ordered(shop, lines=[(tea, 1), (pot, 2)])

    both = [with_both.number, with_tea.number]
    assert await found(clerk, productId=global_id("Product", tea.product_id)) == both
    assert await found(clerk, variantId=id_of(pot)) == [with_both.number]
    assert await found(clerk, words="well dragon") == both
    assert await found(clerk, "TEA-1") == both
    assert await found(clerk, "clay") == [with_both.number]
    assert await found(clerk, "dragon pot") == []
    assert await found(clerk, productId=global_id("Product", 999_999)) == []


async def test_staff_find_orders_by_customer(front: Front, shop: Shop, clerk: Client) -> None:
    async with shop.database.writes.begin() as session:
        mei = await create_account(session, role=Role.CUSTOMER, email="mei@example.com", name="Zhao Yun")
    order, other = await ordered(shop, mei), await ordered(shop)

    assert await found(clerk, "Mei@Example.com") == [order.number]
    assert await found(clerk, customer="Zhao Yun") == [order.number]
    assert await found(clerk, customer="Zhao") == []
    assert await found(clerk, customer="nobody@example.com") == []
    assert other.number in await found(clerk)


async def test_orders_are_found_by_the_word_customers_read(front: Front, shop: Shop, clerk: Client) -> None:
    waiting = await ordered(shop)
    preparing = await ordered(shop, payments={CASH: None})
    cancelled = await ordered(shop, status=OrderStatus.CANCELLED)

    assert await found(clerk, headline=["AWAITING_PAYMENT"]) == [waiting.number]
    assert await found(clerk, headline=["PREPARING", "CANCELLED"]) == [cancelled.number, preparing.number]
    assert await found(clerk, headline=[]) == []


@pytest.mark.parametrize("sort", ["NEWEST", "OLDEST", "DEAREST"])
@pytest.mark.parametrize("filter", [{}, {"phone": "8000"}, {"dated": True}, {"words": "tea"}])
async def test_pages_in_every_order_hold_every_order_once(
    front: Front, shop: Shop, clerk: Client, tick: Tick, sort: str, filter: dict[str, Any]
) -> None:
    variant = await stocked(shop, title="Tea", stock={"MAIN": 100})
    placed = []
    for quantity in (2, 1, 3, 1, 2):
        tick(timedelta(minutes=1))
        placed.append(await ordered(shop, lines=[(variant, quantity)], deliveries=[deliver_to(HANGZHOU)]))
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
    assert (await refused(clerk, filter=chosen, sort=other, after=info["endCursor"]))["code"] == "INVALID"


async def test_a_customer_finds_only_their_own(front: Front, shop: Shop) -> None:
    mine, others = await front.customer(), await front.customer()
    tea = await stocked(shop, title="Dragon Well tea", sku="TEA-1", stock={"MAIN": 9})
    order = await ordered(shop, mine.account, lines=[(tea, 1)], deliveries=[deliver_to(HANGZHOU)])
    await ordered(shop, others.account, lines=[(tea, 1)], deliveries=[deliver_to(HANGZHOU)])

    for search in (order.number, order.number[:3], "8000", "dragon tea", "TEA-1"):
        assert await found(mine, search) == [order.number], search
    assert await found(mine, variantId=id_of(tea)) == [order.number]
    assert await found(mine, headline=[order.headline.value]) == [order.number]
    assert await found(mine, "mei@example.com") == []
    assert (await refused(mine, filter={"customer": "Lin Mei"}))["code"] == "INVALID"


async def test_what_cannot_be_looked_for_is_refused(front: Front, clerk: Client) -> None:
    for asked, code in (
        ({"search": "  "}, "INVALID"),
        ({"search": "x" * 201}, "LIMIT_REACHED"),
        ({"filter": {"words": " ".join("abcdefghijk")}}, "LIMIT_REACHED"),
        ({"filter": {"number": "T1"}, "search": "T2"}, "INVALID"),
        ({"filter": {"phone": "1234"}, "search": "5678"}, "INVALID"),
        ({"filter": {"productId": global_id("Variant", 1)}}, "NOT_FOUND"),
        ({"after": "nonsense"}, "INVALID"),
    ):
        assert (await refused(clerk, **asked))["code"] == code, asked


async def test_a_search_costs_the_same_statements_however_much_it_finds(
    front: Front, shop: Shop, clerk: Client
) -> None:
    tea = await stocked(shop, title="Tea", sku="TEA-1", stock={"MAIN": 100})

    async def cost(search: str | None, **filter: Any) -> int:
        with statements(shop) as asked:
            await clerk.get(LIST.replace("totalCount", ""), search=search, filter=filter or None)
        return asked.total

    async def costs() -> list[int]:
        return [
            await cost(None), await cost("8000"), await cost("T0000"), await cost("tea"),
            await cost("a@example.com"), await cost(None, variantId=id_of(tea)),
        ]  # fmt: skip

    none = await costs()
    for _ in range(3):
        await ordered(shop, lines=[(tea, 1)], deliveries=[deliver_to(HANGZHOU)])

    assert await costs() == none == [1, 1, 2, 2, 2, 1]


async def test_orders_of_a_day_a_month_or_a_year_are_found_by_how_their_numbers_begin(
    front: Front, shop: Shop, tick: Tick
) -> None:
    begun = shop.clock()
    numbers = []
    for hours in (0, 15, 24 * 20, 24 * 60):
        tick(begun + timedelta(hours=hours) - shop.clock())
        order = await ordered(shop)
        async with shop.database.writes.begin() as session:
            number = shop.secrets.number(NUMBER_PREFIX, shop.clock())
            found_again = await session.get_one(Order, order.id)
            found_again.number, found_again.placed_at = number, shop.clock()
        numbers.append(number)
    eve, late, december, january = numbers
    clerk = await front.staff(Role.SUPPORT)

    assert [number[:7] for number in numbers] == ["O261111", "O261111", "O261201", "O270110"]
    assert await found(clerk, "O261111") == [late, eve]
    assert await found(clerk, "O26111") == [late, eve]
    assert await found(clerk, "O2612") == [december]
    assert await found(clerk, "O261") == [december, late, eve]
    assert await found(clerk, "O26") == [december, late, eve]
    assert await found(clerk, "O2") == [january, december, late, eve]
    assert await found(clerk, "O261131") == await found(clerk, "O2613") == []
    assert await found(clerk, "O26", placedBefore="2026-11-11T20:00:00Z") == [eve]
