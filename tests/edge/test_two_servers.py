"""Two servers of one shop: changes at one reach subscriptions at the other, also when Redis restarts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app import create_app
from models import Cart, Role
from resolvers.ids import global_id
from tests.clients import Clients, Watch
from tests.conftest import settings_for
from tests.factories.account import create_account
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.observe import assert_books_agree
from tests.servers import PrivateRedis

ADD = """
mutation ($input: CartLineAddInput!) {
  cartLineAdd(input: $input) { cart { version } userErrors { message } }
}
"""
WATCH = "subscription ($after: Int) { cartUpdates(after: $after) { version } }"
ADD_AS_GUEST = """
mutation ($input: CartLineAddInput!) {
  cartLineAdd(input: $input) { cart { token version } userErrors { message } }
}
"""
WATCH_LINES = """
subscription ($after: Int) {
  cartUpdates(after: $after) { version cart { lines { quantity } totals { total { amount } } } }
}
"""
WATCH_CART = """
subscription ($after: Int) { cartUpdates(after: $after) {
  name cart { totals { total { amount } } warnings { code available } }
} }
"""
SET_PRICE = """
mutation ($input: PriceSetInput!) { priceSet(input: $input) { userErrors { message } } }
"""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def servers(
    postgres_url: str, tmp_path: Path, private_redis_server: PrivateRedis
) -> AsyncIterator[tuple[Clients, Clients]]:
    settings = settings_for(
        postgres_url,
        tmp_path,
        redis_url=private_redis_server.url,
        run_worker=True,
        relay_pause=timedelta(seconds=0.1),
        timer_pause=timedelta(seconds=0.1),
        cart_look_every=timedelta(seconds=0.2),
    )
    async with AsyncExitStack() as stack:
        opened = []
        for app in (create_app(settings), create_app(settings)):
            await stack.enter_async_context(app.router.lifespan_context(app))
            opened.append(await stack.enter_async_context(Clients.open(app)))
        yield opened[0], opened[1]
        await assert_books_agree(opened[0].shop)


async def next_versions(watch: Watch, count: int) -> list[int]:
    return [(await watch.next())["data"]["cartUpdates"]["version"] for _ in range(count)]


async def test_a_restart_of_redis_loses_no_event_of_a_subscription_at_the_other_server(
    servers: tuple[Clients, Clients], private_redis_server: PrivateRedis
) -> None:
    here, there = servers
    async with here.shop.database.writes.begin() as session:
        buyer = await create_account(session, role=Role.CUSTOMER)
        variant = await variant_of(session, await create_product(session, stock={"MAIN": 100}))
    phone, browser = await here.customer(buyer), await there.customer(buyer)

    async def add() -> None:
        payload = await phone.do(ADD, variantId=global_id("Variant", variant.id), quantity=1)
        assert payload["userErrors"] == []

    await add()
    async with browser.watch(WATCH, after=0) as watch:
        assert await next_versions(watch, 1) == [1]
        await add()
        assert await next_versions(watch, 1) == [2]

        private_redis_server.stop()
        await add()
        await add()
        private_redis_server.start()
        assert await next_versions(watch, 2) == [3, 4]

        await add()
        assert await next_versions(watch, 1) == [5]
        assert await watch.is_quiet()


async def test_a_change_on_the_phone_reaches_the_browser_at_the_other_server(
    servers: tuple[Clients, Clients],
) -> None:
    here, there = servers
    async with here.shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, stock={"MAIN": 100}))
    tea, phone = global_id("Variant", variant.id), here.guest()
    cart = (await phone.do(ADD_AS_GUEST, variantId=tea, quantity=1))["cart"]
    phone.headers["X-Cart-Token"] = cart["token"]
    browser = there.guest(**phone.headers)

    async with browser.watch(WATCH_LINES, after=cart["version"]) as watch:
        updates = []
        for sent_by in (phone, browser, phone):
            await sent_by.do(ADD, variantId=tea, quantity=2)
            updates.append((await watch.next())["data"]["cartUpdates"])
        assert await watch.is_quiet()

    assert [update["version"] for update in updates] == [2, 3, 4]
    assert [update["cart"] for update in updates] == [
        {"lines": [{"quantity": quantity}], "totals": {"total": {"amount": amount}}}
        for quantity, amount in ((3, "297.00"), (5, "495.00"), (7, "693.00"))
    ]


async def test_prices_and_stock_changed_at_one_server_reach_a_cart_watched_at_the_other(
    servers: tuple[Clients, Clients],
) -> None:
    here, there = servers
    async with here.shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, stock={"MAIN": 100}))
    tea, clerk = global_id("Variant", variant.id), await here.staff(Role.CATALOGUE)
    browser = there.guest()
    cart = (await browser.do(ADD_AS_GUEST, variantId=tea, quantity=90))["cart"]
    browser.headers["X-Cart-Token"] = cart["token"]

    async with browser.watch(WATCH_CART, after=cart["version"]) as watch:
        price = {"amount": "80", "currencyCode": "CNY"}
        assert (await clerk.do(SET_PRICE, variantId=tea, version=0, price=price))["userErrors"] == []
        cheaper = (await watch.next())["data"]["cartUpdates"]
        async with here.shop.database.writes.begin() as session:
            await create_order(session, lines=[(variant, 20)], now=here.shop.clock())
        fewer = (await watch.next())["data"]["cartUpdates"]
        async with here.shop.database.writes.begin() as session:
            await session.execute(update(Cart).values(updated_at=LONG_AGO))
        ended = await watch.receive()

    total = {"total": {"amount": "7200.00"}}
    changed = {"code": "PRICE_CHANGED", "available": 100}
    assert cheaper == {"name": "cart.items_changed", "cart": {"totals": total, "warnings": [changed]}}
    warnings = [{"code": "LESS_STOCK", "available": 80}, changed | {"available": 80}]
    assert fewer == {"name": "cart.items_changed", "cart": {"totals": total, "warnings": warnings}}
    assert ended == {"id": "1", "type": "complete"}
