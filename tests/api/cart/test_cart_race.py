"""One token has one cart, however many requests come at once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Cart, CartStatus
from tests.api.cart.documents import create_variants
from tests.api.cart.saved_documents import ADD, ADD_MANY, VIEW, contents, guest_with, sign_in
from tests.clients import Client, Clients
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.factories.token import new_cart_token
from tests.given import id_of

AT_ONCE = 32


async def add_at_once(guest: Client, variants: list[str]) -> list[dict[str, Any]]:
    return await asyncio.gather(*(guest.do(ADD, variantId=variant) for variant in variants))


async def count_carts(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(Cart)) or 0


async def test_thirty_two_adds_of_one_variant_by_a_guest_all_count(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 100})
    guest, cart = await guest_with(clients, tea)

    replies = await add_at_once(guest, [id_of(tea)] * AT_ONCE)

    assert [reply["userErrors"] for reply in replies] == [[]] * AT_ONCE
    assert sorted(reply["cart"]["version"] for reply in replies) == list(range(2, AT_ONCE + 2))
    after = (await guest.get(VIEW))["cart"]
    assert (contents(after), after["version"]) == ([("TEA-1", AT_ONCE + 1)], cart["version"] + AT_ONCE)
    assert after["totals"]["total"] == {"amount": "3267.00", "currencyCode": "CNY"}


@pytest.mark.parametrize("different", [1, AT_ONCE])
async def test_thirty_two_first_adds_with_a_token_of_no_cart_fill_one_cart(
    clients: Clients, shop: Shop, different: int
) -> None:
    variants = await create_variants(shop, different, stock={"MAIN": 100})
    token = new_cart_token(shop)
    guest = clients.guest(**{"X-Cart-Token": token})

    replies = await add_at_once(guest, [id_of(variants[n % different]) for n in range(AT_ONCE)])

    assert [reply["userErrors"] for reply in replies] == [[]] * AT_ONCE
    assert {reply["cart"]["token"] for reply in replies} == {None}
    cart = (await guest.get(VIEW))["cart"]
    assert sorted(contents(cart)) == sorted(
        (f"TEA-{n}", AT_ONCE // different) for n in range(1, different + 1)
    )
    assert (cart["version"], await count_carts(shop)) == (AT_ONCE, 1)
    async with shop.database.reads() as session:
        assert await session.scalar(select(Cart.token_hash)) == fingerprint_of(token)


async def test_a_first_add_that_is_refused_leaves_no_cart_under_its_token(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop)
    guest = clients.guest(**{"X-Cart-Token": new_cart_token(shop)})

    reply = await guest.do(ADD, variantId=id_of(tea), quantity=11)

    assert [error["code"] for error in reply["userErrors"]] == ["OUT_OF_STOCK"]
    assert (await guest.get(VIEW), await count_carts(shop)) == ({"cart": None}, 0)


@pytest.mark.parametrize(
    "token", ["", "chosen", "a" * 43, "a" * 43 + "." + "0" * 64, "a" * 43 + "." + "0" * 63, "." * 10_000]
)
async def test_a_token_unlike_ours_never_becomes_a_carts_own(
    clients: Clients, shop: Shop, token: str
) -> None:
    (tea,) = await create_variants(shop)
    guest = clients.guest(**{"X-Cart-Token": token})

    tokens = [(await guest.do(ADD, variantId=id_of(tea)))["cart"]["token"] for _ in range(2)]

    assert len({*tokens, None, token}) == 4
    assert (await guest.get(VIEW), await count_carts(shop)) == ({"cart": None}, 2)


async def test_a_cart_is_never_found_by_a_token_that_the_shop_has_not_signed(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop)
    await create_cart(session, token_hash=fingerprint_of("chosen by a client"), lines={tea: 1})
    await session.commit()
    guest = clients.guest(**{"X-Cart-Token": "chosen by a client"})

    assert await guest.get(VIEW) == {"cart": None}
    cart = (await guest.do(ADD, variantId=id_of(tea), quantity=2))["cart"]

    assert contents(cart) == [("TEA-1", 2)]
    assert cart["token"]
    assert await count_carts(shop) == 2


async def test_the_token_of_a_merged_cart_never_opens_the_customers(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    tea, cup = await create_variants(shop, 2)
    await create_account(session, email="mei@example.com")
    await session.commit()
    guest, _ = await guest_with(clients, tea)
    customer = await sign_in(clients, guest, "mei@example.com")

    lines = [{"variantId": id_of(cup)}]
    fresh = (await guest.do(ADD_MANY, lines=lines))["cart"]

    assert fresh["token"] not in {None, guest.headers["X-Cart-Token"]}
    assert contents(fresh) == [("TEA-2", 1)]
    assert await guest.get(VIEW) == {"cart": None}
    assert contents((await customer.get(VIEW))["cart"]) == [("TEA-1", 1)]
    statuses = await session.scalars(select(Cart.status).order_by(Cart.id))
    assert list(statuses) == [CartStatus.MERGED, CartStatus.ACTIVE, CartStatus.ACTIVE]
    await session.commit()
