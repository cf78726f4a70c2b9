"""Who watches a cart sees what happens around it: prices, stock, what is sold no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from domain.stock import adjust
from events.cart import GUEST_CARTS
from events.relay import Relay
from events.shop import Shop
from events.timers import Timers
from models import MovementKind, Role, Variant, Warehouse
from resolvers.ids import global_id
from settings import Settings
from tests.api.cart.asking import id_of, shelf
from tests.api.cart.keeping import guest_with
from tests.api.test_clerks import ARCHIVE, PUBLISH, STOCK, cny
from tests.api.test_prices import SCHEDULE, SET, at
from tests.conftest import Clock, settings_for
from tests.factories.offer import percent
from tests.factories.order import create_order
from tests.front import Client, Front, Watch
from tests.observe import settle, statements, until

WATCH = """subscription($after: Int) { cartUpdates(after: $after) { version name cart {
  totals { subtotal { amount } total { amount } }
  warnings { code left price { amount } } } } }"""
LOOK = timedelta(seconds=0.2)
AROUND = "cart.goods_changed"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, cart_look_every=LOOK)


@asynccontextmanager
async def watched(guest: Client, cart: dict[str, Any]) -> AsyncIterator[Watch]:
    """A watch of a process that has begun to look at its shelves."""
    shelves = guest.front.shop.shelves
    async with guest.watch(WATCH, after=cart["version"]) as watch:
        await until(lambda: shelves.last is not None)
        yield watch


async def told(watch: Watch) -> tuple[Any, ...]:
    """Version, name, total, and the warnings: code and how many are left, or what one costs."""
    update = (await watch.next())["data"]["cartUpdates"]
    cart = update["cart"]
    warnings = [
        (each["code"], each["left"] if "STOCK" in each["code"] or "OUT" in each["code"] else each["price"])
        for each in cart["warnings"]
    ]
    return update["version"], update["name"], cart["totals"]["total"]["amount"], warnings


async def sell(shop: Shop, variant: Variant, quantity: int) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session, lines=[(variant, quantity)])


async def test_a_price_a_clerk_sets_is_seen_in_a_watched_cart(front: Front, shop: Shop) -> None:
    tea, cup = await shelf(shop, 2)
    guest, cart = await guest_with(front, tea, quantity=2)
    clerk = await front.staff(Role.CATALOGUE)

    async with watched(guest, cart) as watch:
        await clerk.do(SET, variantId=id_of(cup), version=0, price=cny("1"))
        await clerk.do(SET, variantId=id_of(tea), version=0, price=cny("80"))
        await Relay(shop).once()
        first = await told(watch)
        await clerk.do(SET, variantId=id_of(tea), version=1, price=cny("99"))
        await Relay(shop).once()
        second = await told(watch)
        assert await watch.quiet()

    assert first == (1, AROUND, "160.00", [("PRICE_CHANGED", {"amount": "80.00"})])
    assert second == (1, AROUND, "198.00", [])


async def test_a_price_that_comes_by_itself_is_seen_in_a_watched_cart(
    front: Front, shop: Shop, clock: Clock
) -> None:
    (tea,) = await shelf(shop)
    guest, cart = await guest_with(front, tea)
    clerk = await front.staff(Role.CATALOGUE)
    await clerk.do(SCHEDULE, variantId=id_of(tea), price=cny("79"), startsAt=at(5), endsAt=at(10))
    await settle(shop)

    async with watched(guest, cart) as watch:
        clock.tick(timedelta(minutes=5))
        await settle(shop)
        during = await told(watch)
        clock.tick(timedelta(minutes=5))
        await settle(shop)
        after = await told(watch)

    assert during == (1, AROUND, "79.00", [("PRICE_CHANGED", {"amount": "79.00"})])
    assert after == (1, AROUND, "99.00", [])


async def test_what_others_buy_and_clerks_count_is_seen_where_it_matters(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop, stock={"MAIN": 10})
    guest, cart = await guest_with(front, tea, quantity=3)
    clerk = await front.staff(Role.WAREHOUSE)
    async with shop.database.reads() as session:
        main = global_id("Warehouse", (await session.get_one(Warehouse, 1)).id)

    async def correct(quantity: int) -> None:
        payload = await clerk.do(
            STOCK,
            variantId=id_of(tea),
            warehouseId=main,
            kind="CORRECTED",
            quantity=quantity,
            reason="Counted.",
        )
        assert payload["userErrors"] == []

    async with watched(guest, cart) as watch:
        await sell(shop, tea, 6)
        assert await watch.quiet(2 * LOOK.total_seconds())
        seen = []
        for change in (sell(shop, tea, 2), correct(-2), correct(5)):
            await change
            seen.append(await told(watch))

    assert seen == [
        (1, AROUND, "297.00", [("LESS_STOCK", 2)]),
        (1, AROUND, "297.00", [("SOLD_OUT", 0)]),
        (1, AROUND, "297.00", []),
    ]


async def test_what_is_archived_leaves_the_totals_of_a_watched_cart(front: Front, shop: Shop) -> None:
    tea, cup = await shelf(shop, 2)
    guest, cart = await guest_with(front, tea, cup)
    clerk = await front.staff(Role.CATALOGUE)
    product = global_id("Product", tea.product_id)

    async with watched(guest, cart) as watch:
        await clerk.do(ARCHIVE, id=product, version=0)
        await Relay(shop).once()
        archived = await told(watch)
        await clerk.do(PUBLISH, id=product, version=1)
        await Relay(shop).once()
        published = await told(watch)

    assert archived == (1, AROUND, "99.00", [("NO_LONGER_SOLD", None)])
    assert published == (1, AROUND, "198.00", [])


async def test_new_lines_are_watched_too_and_ones_own_changes_are_told_once(front: Front, shop: Shop) -> None:
    tea, cup = await shelf(shop, 2)
    guest, cart = await guest_with(front, tea)
    clerk = await front.staff(Role.CATALOGUE)

    async with watched(guest, cart) as watch:
        await guest_adds(guest, cup)
        await Relay(shop).once()
        added = await told(watch)
        assert await watch.quiet(2 * LOOK.total_seconds())
        await clerk.do(SET, variantId=id_of(cup), version=0, price=cny("1"))
        await Relay(shop).once()
        cheaper = await told(watch)

    assert added == (2, "cart.changed", "198.00", [])
    assert cheaper == (2, AROUND, "100.00", [("PRICE_CHANGED", {"amount": "1.00"})])


async def guest_adds(guest: Client, variant: Variant) -> None:
    add = """mutation($input: CartLineAddInput!) { cartLineAdd(input: $input) { userErrors { code } } }"""
    assert (await guest.do(add, variantId=id_of(variant)))["userErrors"] == []


async def test_a_hot_variant_does_not_flood_its_watchers(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop, stock={"MAIN": 1_000})
    guest, cart = await guest_with(front, tea, quantity=999)
    seen: list[tuple[Any, ...]] = []

    async with watched(guest, cart) as watch:
        began = monotonic()
        for _ in range(60):
            async with shop.database.writes.begin() as session:
                await adjust(
                    session,
                    variant_id=tea.id,
                    warehouse_id=1,
                    kind=MovementKind.DAMAGED,
                    quantity=1,
                    reason="Broken.",
                    now=shop.clock(),
                    by=None,
                )
        while not seen or seen[-1][3] != [("LESS_STOCK", 940)]:
            seen.append(await told(watch))
        while not await watch.quiet(3 * LOOK.total_seconds()):
            seen.append(seen[-1])
        looks = (monotonic() - began) / LOOK.total_seconds()

    lefts = [warnings[0][1] for *_, warnings in seen]
    assert len(lefts) <= looks + 1
    assert lefts == sorted(lefts, reverse=True)


async def test_all_watchers_are_told_and_no_watcher_costs_no_look(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    carts = [await guest_with(front, tea, quantity=9) for _ in range(3)]
    with statements(shop) as unwatched:
        await asyncio.sleep(3 * LOOK.total_seconds())
    async with watched(*carts[0]) as first, watched(*carts[1]) as second, watched(*carts[2]) as third:
        await sell(shop, tea, 2)
        lefts = [(await told(watch))[3] for watch in (first, second, third)]

    await until(lambda: shop.shelves.last is None)
    assert (unwatched.texts, shop.shelves.watchers) == ([], 0)
    assert lefts == [[("LESS_STOCK", 8)]] * 3


async def test_an_offer_that_ends_is_seen_with_the_next_look(front: Front, shop: Shop, clock: Clock) -> None:
    (tea,) = await shelf(shop)
    async with shop.database.writes.begin() as session:
        await percent(session, 10, ends_at=clock() + timedelta(minutes=5))
    guest, cart = await guest_with(front, tea, quantity=2)
    async with watched(guest, cart) as watch:
        clock.tick(timedelta(minutes=5))
        await sell(shop, tea, 1)
        ended = await told(watch)

    assert ended == (1, AROUND, "198.00", [])


async def test_the_watch_of_a_cart_that_is_forgotten_ends_at_once(
    front: Front, shop: Shop, clock: Clock
) -> None:
    (tea,) = await shelf(shop)
    guest, cart = await guest_with(front, tea)
    await settle(shop)

    async with watched(guest, cart) as watch:
        clock.tick(shop.settings.guest_cart_lives)
        assert await Timers(shop, [GUEST_CARTS]).once() == 1
        ended = await watch.receive()

    assert ended == {"id": "1", "type": "complete"}
    async with guest.watch(WATCH) as late:
        assert "There is no such cart." in str((await late.receive())["payload"])
