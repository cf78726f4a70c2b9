"""Who watches a cart sees it through, and never somebody else's."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from events.relay import Relay
from events.shop import Shop
from gateways.secrets import fingerprint
from models import Cart, CartStatus, CurrencyCode
from tests.api.cart.asking import id_of, shelf
from tests.api.cart.keeping import ADD, WATCH, guest_with, signed_in
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.front import Front
from tests.observe import settle


async def test_the_watch_of_a_guests_cart_ends_when_it_is_merged(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    async with shop.database.writes.begin() as session:
        await create_account(session, email="mei@example.com")
    guest, cart = await guest_with(front, tea)

    async with guest.watch(WATCH, after=cart["version"]) as watch:
        customer = await signed_in(front, guest, "mei@example.com")
        await Relay(shop).once()
        last = (await watch.next())["data"]["cartUpdates"]
        ended = await watch.receive()

    assert (last["version"], last["name"]) == (cart["version"] + 1, "cart.merged")
    assert ended == {"id": "1", "type": "complete"}
    async with guest.watch(WATCH) as late:
        refused = await late.receive()
    assert refused["type"] in {"error", "next"}
    assert "There is no such cart." in str(refused["payload"])
    async with customer.watch(WATCH, after=0) as own:
        assert (await own.next())["data"]["cartUpdates"]["name"] == "cart.changed"
        assert await own.quiet()


async def test_who_watches_a_forgotten_cart_never_sees_the_one_that_got_its_number(
    front: Front, shop: Shop, clock: Clock
) -> None:
    (tea,) = await shelf(shop)
    old, _ = await guest_with(front, tea)
    async with shop.database.reads() as session:
        number = (await session.scalars(select(Cart.id))).one()
    stranger = front.guest(**{"X-Cart-Token": "a stranger's"})

    async with old.watch(WATCH, after=1) as watch:
        await settle(shop)
        clock.tick(shop.settings.guest_cart_lives)
        await settle(shop)
        async with shop.database.writes.begin() as session:
            await session.execute(insert(Cart).values(**empty_cart(number, clock())))
        for _ in range(2):
            payload = await stranger.do(ADD, variantId=id_of(tea))
            assert payload["userErrors"] == []
            await Relay(shop).once()
        told = await watch.receive()

    assert told == {"id": "1", "type": "complete"}
    async with stranger.watch(WATCH, after=1) as own:
        assert (await own.next())["data"]["cartUpdates"]["cart"] == {"lines": [{"quantity": 2}]}


def empty_cart(number: int, now: datetime) -> dict[str, Any]:
    """A stranger's cart under a number that was used before, as SQLite gives it."""
    return {
        "id": number,
        "token_hash": fingerprint("a stranger's"),
        "status": CartStatus.ACTIVE,
        "currency": CurrencyCode.CNY,
        "coupon_codes": [],
        "version": 0,
        "created_at": now,
        "updated_at": now,
    }
