"""A guest's cart becomes the customer's at sign-in."""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import CartLine, CurrencyCode
from tests.api.cart.documents import ADD, APPLY, VIEW, create_variants, guest_with, quantities
from tests.clients import Clients
from tests.factories.account import PASSWORD, create_account
from tests.factories.cart import create_cart, create_coupon
from tests.given import codes, id_of
from tests.notices import CONFIRM, REGISTER, code_sent

SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken } userErrors { code } } }"""


async def test_a_guest_who_registers_keeps_the_cart(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    guest, _ = await guest_with(clients, tea, cup)

    started = await guest.do(REGISTER, name="Mei", email="mei@example.com", password=PASSWORD)
    code = await code_sent(shop, "mei@example.com")
    reply = await guest.do(CONFIRM, token=started["verification"]["token"], code=code)

    customer = clients.guest(Authorization=f"Bearer {reply['session']['accessToken']}")
    assert quantities((await customer.get(VIEW))["cart"]) == [1, 1]
    assert await guest.get(VIEW) == {"cart": None}


async def test_at_sign_in_both_carts_are_merged_and_quantities_add_up(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    both = {CurrencyCode.CNY: 9_900, CurrencyCode.USD: 1_500}
    tea, cup, pot = await create_variants(shop, 3, prices=both)
    account = await create_account(session, email="mei@example.com")
    await create_cart(session, account, lines={tea: 8, pot: 1}, currency=CurrencyCode.USD)
    coupon = await create_coupon(session, code="SPRING")
    await session.commit()
    guest, _ = await guest_with(clients, tea, cup)
    line = (await guest.do(ADD, variantId=id_of(tea), quantity=6))["cart"]["lines"][0]
    assert line["quantity"] == 7
    await guest.do(APPLY, code="SPRING")

    reply = await guest.do(SIGN_IN, login="mei@example.com", password=PASSWORD)

    customer = clients.guest(Authorization=f"Bearer {reply['session']['accessToken']}")
    cart = (await customer.get(VIEW))["cart"]
    assert [(each["variant"]["sku"], each["quantity"]) for each in cart["lines"]] == [
        ("TEA-1", 10),
        ("TEA-3", 1),
        ("TEA-2", 1),
    ]
    assert [[w["code"] for w in each["warnings"]] for each in cart["lines"]] == [["MERGE_CAPPED"], [], []]
    assert cart["currency"] == "USD"
    assert cart["couponCodes"] == [coupon.code]


async def test_a_guests_cart_goes_to_one_customer_only(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    guest, _ = await guest_with(clients, *await create_variants(shop))
    for name in ("ann", "bob", "cid"):
        await create_account(session, email=f"{name}@example.com")
    await session.commit()

    await asyncio.gather(
        *(guest.do(SIGN_IN, login=f"{name}@example.com", password=PASSWORD) for name in ("ann", "bob", "cid"))
    )

    assert [line.quantity for line in await session.scalars(select(CartLine))] == [1]
    await session.commit()


async def test_a_refused_sign_in_leaves_the_guests_cart_alone(clients: Clients, shop: Shop) -> None:
    guest, _ = await guest_with(clients, *await create_variants(shop))

    assert codes(await guest.do(SIGN_IN, login="nobody@example.com", password=PASSWORD)) == [
        "CREDENTIALS_REFUSED"
    ]

    assert quantities((await guest.get(VIEW))["cart"]) == [1]
