"""Who watches a cart sees changed prices and stock, and what is not sold any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.stock import adjust_stock
from events.cart import GUEST_CARTS
from events.jobs.scheduler import Scheduler
from events.relay import Relay
from events.shop import Shop
from models import MovementKind, Role, Variant, Warehouse
from resolvers.ids import global_id
from settings import Settings
from tests.api.cart.documents import create_variants
from tests.api.cart.saved_documents import guest_with
from tests.api.test_catalog_editing import ARCHIVE, PUBLISH, STOCK
from tests.api.test_prices import SCHEDULE_CHANGE, SET, at
from tests.clients import Client, Clients, Watch
from tests.conftest import Clock, settings_for
from tests.factories.order import create_order
from tests.factories.promotion import create_percent
from tests.given import cny, id_of
from tests.observe import count_statements, run_until_idle, wait_until

WATCH = """subscription($after: Int) { cartUpdates(after: $after) { version name cart {
  totals { subtotal { amount } total { amount } }
  warnings { code available price { amount } } } } }"""
LOOK_EVERY = timedelta(seconds=0.2)
ITEMS_CHANGED = "cart.items_changed"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, cart_look_every=LOOK_EVERY)


@asynccontextmanager
async def watch_cart(guest: Client, cart: dict[str, Any]) -> AsyncIterator[Watch]:
    """The updates of a cart, once the process has begun to watch stock."""
    stock_watch = guest.clients.shop.stock_watch
    async with guest.watch(WATCH, after=cart["version"]) as watch:
        await wait_until(lambda: stock_watch.latest_id is not None)
        yield watch


async def next_update(watch: Watch) -> tuple[Any, ...]:
    """Version, name, total, and of each warning the code with the units available or the price."""
    update = (await watch.next())["data"]["cartUpdates"]
    cart = update["cart"]
    warnings = [
        (
            each["code"],
            each["available"] if "STOCK" in each["code"] or "OUT" in each["code"] else each["price"],
        )
        for each in cart["warnings"]
    ]
    return update["version"], update["name"], cart["totals"]["total"]["amount"], warnings


async def sell(shop: Shop, variant: Variant, quantity: int) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session, lines=[(variant, quantity)])


async def test_a_changed_price_is_seen_in_a_watched_cart(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    guest, cart = await guest_with(clients, tea, quantity=2)
    clerk = await clients.staff(Role.CATALOGUE)

    async with watch_cart(guest, cart) as watch:
        await clerk.do(SET, variantId=id_of(cup), version=0, price=cny("1"))
        await clerk.do(SET, variantId=id_of(tea), version=0, price=cny("80"))
        await Relay(shop).run_once()
        first = await next_update(watch)
        await clerk.do(SET, variantId=id_of(tea), version=1, price=cny("99"))
        await Relay(shop).run_once()
        second = await next_update(watch)
        assert await watch.is_quiet()

    assert first == (1, ITEMS_CHANGED, "160.00", [("PRICE_CHANGED", {"amount": "80.00"})])
    assert second == (1, ITEMS_CHANGED, "198.00", [])


async def test_a_scheduled_price_is_seen_in_a_watched_cart(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    (tea,) = await create_variants(shop)
    guest, cart = await guest_with(clients, tea)
    clerk = await clients.staff(Role.CATALOGUE)
    await clerk.do(SCHEDULE_CHANGE, variantId=id_of(tea), price=cny("79"), startsAt=at(5), endsAt=at(10))
    await run_until_idle(shop)

    async with watch_cart(guest, cart) as watch:
        clock.tick(timedelta(minutes=5))
        await run_until_idle(shop)
        during = await next_update(watch)
        clock.tick(timedelta(minutes=5))
        await run_until_idle(shop)
        after = await next_update(watch)

    assert during == (1, ITEMS_CHANGED, "79.00", [("PRICE_CHANGED", {"amount": "79.00"})])
    assert after == (1, ITEMS_CHANGED, "99.00", [])


async def test_stock_that_others_buy_or_staff_correct_is_seen_where_it_is_too_low(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 10})
    guest, cart = await guest_with(clients, tea, quantity=3)
    clerk = await clients.staff(Role.WAREHOUSE)
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

    async with watch_cart(guest, cart) as watch:
        await sell(shop, tea, 6)
        assert await watch.is_quiet(2 * LOOK_EVERY.total_seconds())
        seen = []
        for change in (sell(shop, tea, 2), correct(-2), correct(5)):
            await change
            seen.append(await next_update(watch))

    assert seen == [
        (1, ITEMS_CHANGED, "297.00", [("LESS_STOCK", 2)]),
        (1, ITEMS_CHANGED, "297.00", [("SOLD_OUT", 0)]),
        (1, ITEMS_CHANGED, "297.00", []),
    ]


async def test_what_is_archived_leaves_the_totals_of_a_watched_cart(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    guest, cart = await guest_with(clients, tea, cup)
    clerk = await clients.staff(Role.CATALOGUE)
    product = global_id("Product", tea.product_id)

    async with watch_cart(guest, cart) as watch:
        await clerk.do(ARCHIVE, id=product, version=0)
        await Relay(shop).run_once()
        archived = await next_update(watch)
        await clerk.do(PUBLISH, id=product, version=1)
        await Relay(shop).run_once()
        published = await next_update(watch)

    assert archived == (1, ITEMS_CHANGED, "99.00", [("NO_LONGER_SOLD", None)])
    assert published == (1, ITEMS_CHANGED, "198.00", [])


async def test_new_lines_are_watched_too_and_own_changes_are_sent_once(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    guest, cart = await guest_with(clients, tea)
    clerk = await clients.staff(Role.CATALOGUE)

    async with watch_cart(guest, cart) as watch:
        await add_line(guest, cup)
        await Relay(shop).run_once()
        added = await next_update(watch)
        assert await watch.is_quiet(2 * LOOK_EVERY.total_seconds())
        await clerk.do(SET, variantId=id_of(cup), version=0, price=cny("1"))
        await Relay(shop).run_once()
        cheaper = await next_update(watch)

    assert added == (2, "cart.changed", "198.00", [])
    assert cheaper == (2, ITEMS_CHANGED, "100.00", [("PRICE_CHANGED", {"amount": "1.00"})])


async def add_line(guest: Client, variant: Variant) -> None:
    add = """mutation($input: CartLineAddInput!) { cartLineAdd(input: $input) { userErrors { code } } }"""
    assert (await guest.do(add, variantId=id_of(variant)))["userErrors"] == []


async def test_a_variant_that_sells_fast_does_not_flood_its_watchers(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 1_000})
    guest, cart = await guest_with(clients, tea, quantity=999)
    seen: list[tuple[Any, ...]] = []

    async with watch_cart(guest, cart) as watch:
        began = monotonic()
        for _ in range(60):
            await adjust_stock(
                session,
                variant_id=tea.id,
                warehouse_id=1,
                kind=MovementKind.DAMAGED,
                quantity=1,
                reason="Broken.",
                cause=Cause(shop.clock(), None),
            )
            await session.commit()
        while not seen or seen[-1][3] != [("LESS_STOCK", 940)]:
            seen.append(await next_update(watch))
        while not await watch.is_quiet(3 * LOOK_EVERY.total_seconds()):
            seen.append(seen[-1])
        looks = (monotonic() - began) / LOOK_EVERY.total_seconds()

    available = [warnings[0][1] for *_, warnings in seen]
    assert len(available) <= looks + 1
    assert available == sorted(available, reverse=True)


async def test_all_watchers_get_an_update_and_without_watchers_nothing_is_read(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop)
    carts = [await guest_with(clients, tea, quantity=9) for _ in range(3)]
    with count_statements(shop) as unwatched:
        await asyncio.sleep(3 * LOOK_EVERY.total_seconds())
    async with (
        watch_cart(*carts[0]) as first,
        watch_cart(*carts[1]) as second,
        watch_cart(*carts[2]) as third,
    ):
        await sell(shop, tea, 2)
        warnings = [(await next_update(watch))[3] for watch in (first, second, third)]

    await wait_until(lambda: shop.stock_watch.latest_id is None)
    assert (unwatched.texts, shop.stock_watch.watchers) == ([], 0)
    assert warnings == [[("LESS_STOCK", 8)]] * 3


async def test_a_promotion_that_ends_is_seen_with_the_next_look(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    (tea,) = await create_variants(shop)
    await create_percent(session, 10, ends_at=clock() + timedelta(minutes=5))
    await session.commit()
    guest, cart = await guest_with(clients, tea, quantity=2)
    async with watch_cart(guest, cart) as watch:
        clock.tick(timedelta(minutes=5))
        await sell(shop, tea, 1)
        ended = await next_update(watch)

    assert ended == (1, ITEMS_CHANGED, "198.00", [])


async def test_the_updates_of_a_cart_end_when_it_is_deleted(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    (tea,) = await create_variants(shop)
    guest, cart = await guest_with(clients, tea)
    await run_until_idle(shop)

    async with watch_cart(guest, cart) as watch:
        clock.tick(shop.settings.deadlines.guest_cart_lifetime)
        assert await Scheduler(shop, [GUEST_CARTS]).run_once() == 1
        ended = await watch.receive()

    assert ended == {"id": "1", "type": "complete"}
    async with guest.watch(WATCH) as late:
        assert "There is no such cart." in str((await late.receive())["payload"])
