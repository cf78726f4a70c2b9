"""Who watches products is told their price, their stock state and their flash sale as they change."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.relay import Relay
from events.shop import Shop
from models import Role, Variant
from resolvers.ids import global_id
from settings import Settings
from tests.api.cart.documents import create_variants
from tests.api.test_catalog_editing import ARCHIVE
from tests.api.test_prices import SET
from tests.clients import Clients, Watch
from tests.conftest import Clock, settings_for
from tests.factories.order import create_order
from tests.factories.promotion import create_flash_sale
from tests.given import cny, id_of

WATCH = """subscription($ids: [ID!]!) { productUpdates(ids: $ids) { productId product { variants {
  price { amount } flashSale { price { amount } left } availability { level quantity } } } } }"""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Stock and flash sales are looked at by the test, changes are told at once."""
    return settings_for(database_url, tmp_path, cart_look_every=timedelta(milliseconds=1))


def product_id_of(variant: Variant) -> str:
    return global_id("Product", variant.product_id)


async def next_change(watch: Watch) -> tuple[Any, ...]:
    """Product, price, flash price with the units left, level and quantity of its only variant."""
    update = (await watch.next())["data"]["productUpdates"]
    if update["product"] is None:
        return update["productId"], None
    [variant] = update["product"]["variants"]
    sale, available = variant["flashSale"], variant["availability"]
    flash = sale and (sale["price"]["amount"], sale["left"])
    return (
        update["productId"],
        variant["price"]["amount"],
        flash,
        available["level"],
        available["quantity"],
    )


async def test_a_guest_is_told_a_new_price(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    clerk = await clients.staff(Role.CATALOGUE)

    async with clients.guest().watch(WATCH, ids=[product_id_of(tea), product_id_of(cup)]) as watch:
        await clerk.do(SET, variantId=id_of(cup), version=0, price=cny("80"))
        await Relay(shop).run_once()
        change = await next_change(watch)
        assert await watch.is_quiet()

    assert change == (product_id_of(cup), "80.00", None, "PLENTY", None)


async def test_a_guest_is_told_when_few_are_left_and_when_it_is_sold_out(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop)
    changes = []
    async with clients.guest().watch(WATCH, ids=[product_id_of(tea)]) as watch:
        for quantity in (8, 1, 1):
            await create_order(session, lines=[(tea, quantity)])
            await session.commit()
            changes.append(await next_change(watch))

    assert [change[3:] for change in changes] == [("FEW", 2), ("FEW", 1), ("SOLD_OUT", 0)]


async def test_a_guest_is_told_when_a_flash_sale_begins_and_ends(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    (tea,) = await create_variants(shop)
    begins, ends = clock() + timedelta(minutes=5), clock() + timedelta(minutes=10)
    await create_flash_sale(session, tea, price=4900, share=5, starts_at=begins, ends_at=ends)
    await session.commit()
    changes = []
    async with clients.guest().watch(WATCH, ids=[product_id_of(tea)]) as watch:
        for _ in range(2):
            clock.tick(timedelta(minutes=5))
            changes.append(await next_change(watch))

    assert [change[2] for change in changes] == [("49.00", 5), None]


async def test_a_product_that_is_taken_off_sale_is_told_with_null(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop)
    clerk = await clients.staff(Role.CATALOGUE)

    async with clients.guest().watch(WATCH, ids=[product_id_of(tea)]) as watch:
        await clerk.do(ARCHIVE, id=product_id_of(tea))
        await Relay(shop).run_once()
        assert await next_change(watch) == (product_id_of(tea), None)


async def test_a_product_that_cannot_be_seen_is_told_like_one_that_does_not_exist(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop)
    clerk = await clients.staff(Role.CATALOGUE)
    await clerk.do(ARCHIVE, id=product_id_of(tea))
    ids = [product_id_of(tea), global_id("Product", 999)]

    async with clients.guest().watch(WATCH, ids=ids) as watch:
        changes = [await next_change(watch), await next_change(watch)]
        assert await watch.is_quiet()

    assert changes == [(ids[0], None), (ids[1], None)]


@pytest.mark.parametrize("count", [0, 101])
async def test_a_watch_names_1_to_100_products(clients: Clients, count: int) -> None:
    ids = [global_id("Product", number + 1) for number in range(count)]
    async with clients.guest().watch(WATCH, ids=ids) as watch:
        [error] = (await watch.answer())["errors"]

    assert error["message"] == "Name 1 to 100 products."
    assert error["extensions"] == {"code": "INVALID", "field": ["ids"]}


async def test_an_id_of_something_else_is_refused(clients: Clients) -> None:
    async with clients.guest().watch(WATCH, ids=[global_id("Order", 1)]) as watch:
        [error] = (await watch.answer())["errors"]

    assert error["extensions"] == {"code": "NOT_FOUND", "field": ["ids", "0"]}
