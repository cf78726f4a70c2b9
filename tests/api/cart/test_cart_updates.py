"""The updates of a cart end with it, and never show somebody else's."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.relay import Relay
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Cart, CartStatus, CurrencyCode
from tests.api.cart.documents import create_variants
from tests.api.cart.saved_documents import ADD, WATCH, guest_with, sign_in
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.token import new_cart_token
from tests.given import id_of
from tests.observe import run_until_idle


async def test_the_updates_of_a_guests_cart_end_when_it_is_merged(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop)
    await create_account(session, email="mei@example.com")
    await session.commit()
    guest, cart = await guest_with(clients, tea)

    async with guest.watch(WATCH, after=cart["version"]) as watch:
        customer = await sign_in(clients, guest, "mei@example.com")
        await Relay(shop).run_once()
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
        assert await own.is_quiet()


async def test_who_watches_a_deleted_cart_never_sees_the_one_that_got_its_id(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    (tea,) = await create_variants(shop)
    old, _ = await guest_with(clients, tea)
    number = (await session.scalars(select(Cart.id))).one()
    await session.commit()
    token = new_cart_token(shop)
    stranger = clients.guest(**{"X-Cart-Token": token})

    async with old.watch(WATCH, after=1) as watch:
        await run_until_idle(shop)
        clock.tick(shop.settings.deadlines.guest_cart_lifetime)
        await run_until_idle(shop)
        await session.execute(insert(Cart).values(**empty_cart(number, token, clock())))
        await session.commit()
        for _ in range(2):
            payload = await stranger.do(ADD, variantId=id_of(tea))
            assert payload["userErrors"] == []
            await Relay(shop).run_once()
        last = await watch.receive()

    assert last == {"id": "1", "type": "complete"}
    async with stranger.watch(WATCH, after=1) as own:
        assert (await own.next())["data"]["cartUpdates"]["cart"] == {"lines": [{"quantity": 2}]}


def empty_cart(number: int, token: str, now: datetime) -> dict[str, Any]:
    """A stranger's cart with an id that was used before, as SQLite gives it."""
    return {
        "id": number,
        "token_hash": fingerprint_of(token),
        "status": CartStatus.ACTIVE,
        "currency": CurrencyCode.CNY,
        "coupon_codes": [],
        "version": 0,
        "created_at": now,
        "updated_at": now,
    }
