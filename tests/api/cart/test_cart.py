"""Carts of guests and customers, through the API."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import CartOwner
from domain.order import OrderRequest
from events.relay import Relay
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Cart, CurrencyCode, Event, Price, Product, ProductStatus, StockLevel, Variant
from tests.api.cart.documents import (
    ADD,
    APPLY,
    CART,
    REMOVE,
    UPDATE,
    VIEW,
    create_variants,
    guest_with,
    quantities,
    refusal,
)
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.cart import create_coupon
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import CASH, HANGZHOU, deliver_to, place, plan_for
from tests.given import codes, id_of
from tests.observe import count_statements, run_until_idle

REMOVE_COUPON = f"mutation {{ cartCouponRemove {{ cart {{ {CART} }} userErrors {{ code }} }} }}"

WATCH = (
    "subscription($after: Int) { cartUpdates(after: $after) { version name cart { lines { quantity } } } }"
)


async def execute_all(shop: Shop, *statements: Any) -> None:
    async with shop.database.writes.begin() as session:
        for statement in statements:
            await session.execute(statement)


async def test_a_guests_first_line_makes_a_cart_whose_token_is_given_once(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop)
    assert await clients.guest().get(VIEW) == {"cart": None}

    made = (await clients.guest().do(ADD, variantId=id_of(tea), quantity=2))["cart"]
    guest = clients.guest(**{"X-Cart-Token": made["token"]})
    again = (await guest.do(ADD, variantId=id_of(tea)))["cart"]

    assert again["token"] is None
    (line,) = (await guest.get(VIEW))["cart"]["lines"]
    assert line | {"id": ""} == {
        "id": "",
        "quantity": 3,
        "unitPrice": {"amount": "99.00", "currencyCode": "CNY"},
        "total": {"amount": "297.00"},
        "variant": {"sku": "TEA-1"},
        "warnings": [],
    }
    async with shop.database.reads() as session:
        (cart,) = await session.scalars(select(Cart))
    assert cart.token_hash == fingerprint_of(made["token"])


async def test_a_guest_who_adds_twice_in_one_request_has_one_cart(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    both = """mutation($a: CartLineAddInput!, $b: CartLineAddInput!) {
      a: cartLineAdd(input: $a) { cart { token } }
      b: cartLineAdd(input: $b) { cart { token lines { quantity } } } }"""

    data = await clients.guest().get(both, a={"variantId": id_of(tea)}, b={"variantId": id_of(cup)})

    assert data["a"]["cart"]["token"]
    assert data["b"]["cart"] == {"token": None, "lines": [{"quantity": 1}, {"quantity": 1}]}


async def test_an_invented_token_opens_no_cart(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop)
    await guest_with(clients, tea)
    stranger = clients.guest(**{"X-Cart-Token": "invented"})

    assert await stranger.get(VIEW) == {"cart": None}
    cart = (await stranger.do(ADD, variantId=id_of(tea)))["cart"]
    assert quantities(cart) == [1]
    assert cart["token"] not in {None, "invented"}


async def test_a_guest_without_a_token_never_meets_a_customers_cart(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop)
    customer = await clients.customer()
    line = (await customer.do(ADD, variantId=id_of(tea)))["cart"]["lines"][0]["id"]

    for document, arguments in ((UPDATE, {"id": line, "quantity": 2}), (REMOVE, {"id": line})):
        assert codes(await clients.guest().do(document, **arguments)) == ["NOT_FOUND"]
    assert codes(await clients.guest().do(APPLY, code="SPRING")) == ["NOT_FOUND"]
    cart = (await clients.guest().do(ADD, variantId=id_of(tea), quantity=5))["cart"]

    assert cart["token"]
    assert quantities(cart) == [5]
    assert quantities((await customer.get(VIEW))["cart"]) == [1]


async def test_prices_and_stock_are_those_of_the_moment_and_changes_are_warned_of(
    clients: Clients, shop: Shop
) -> None:
    dearer, fewer, out, ended = await create_variants(shop, 4)
    guest, _ = await guest_with(clients, dearer, fewer, out, ended)
    lines = (await guest.get(VIEW))["cart"]["lines"]
    await guest.do(UPDATE, id=lines[1]["id"], quantity=5)
    await execute_all(
        shop,
        update(Price).where(Price.variant_id == dearer.id).values(amount=12_000),
        update(StockLevel).where(StockLevel.variant_id == fewer.id).values(reserved=7),
        update(StockLevel).where(StockLevel.variant_id == out.id).values(reserved=10),
        update(Product).where(Product.id == ended.product_id).values(status=ProductStatus.ARCHIVED),
    )

    cart = (await guest.get(VIEW))["cart"]

    assert [
        [(w["code"], w["message"], w["available"]) for w in line["warnings"]] for line in cart["lines"]
    ] == [
        [("PRICE_CHANGED", "The price has changed from 99.00 CNY to 120.00 CNY.", 10)],
        [("LESS_STOCK", "Only 3 left.", 3)],
        [("SOLD_OUT", "This is sold out.", 0)],
        [("NO_LONGER_SOLD", "This is not sold any more.", 10)],
    ]
    assert [w["code"] for w in cart["warnings"]] == [
        "PRICE_CHANGED",
        "LESS_STOCK",
        "SOLD_OUT",
        "NO_LONGER_SOLD",
    ]
    assert cart["lines"][3]["unitPrice"] is None
    assert cart["totals"]["subtotal"] == {"amount": "714.00"}


async def test_a_free_variant_costs_nothing_and_is_still_sold(clients: Clients, shop: Shop) -> None:
    _, cart = await guest_with(clients, *await create_variants(shop, prices={CurrencyCode.CNY: 0}))

    assert cart["lines"][0]["total"] == {"amount": "0.00"}
    assert cart["totals"]["total"] == {"amount": "0.00", "currencyCode": "CNY"}


async def test_a_cart_keeps_its_currency_until_it_is_empty(clients: Clients, shop: Shop) -> None:
    both = {CurrencyCode.CNY: 9_900, CurrencyCode.USD: 1_500}
    tea, cup = await create_variants(shop, 2, prices=both)
    guest, cart = await guest_with(clients, tea)
    guest.headers["X-Currency"] = "USD"

    cart = (await guest.do(ADD, variantId=id_of(cup)))["cart"]
    assert cart["totals"]["total"] == {"amount": "198.00", "currencyCode": "CNY"}

    for line in cart["lines"]:
        await guest.do(REMOVE, id=line["id"])
    cart = (await guest.do(ADD, variantId=id_of(cup)))["cart"]
    assert cart["totals"]["total"] == {"amount": "15.00", "currencyCode": "USD"}


@pytest.mark.parametrize("typed", [" spring ", "ｓｐｒｉｎｇ", "\u3000ＳＰＲＩＮＧ\u3000"])
async def test_a_coupon_is_found_however_it_is_typed_and_changes_the_totals(
    clients: Clients, shop: Shop, session: AsyncSession, typed: str
) -> None:
    await create_coupon(session, code="SPRING", percent=10, minimum_amount=10_000)
    await session.commit()
    (tea,) = await create_variants(shop)
    guest, _ = await guest_with(clients, tea)

    assert refusal(await guest.do(APPLY, code="spring")) == (
        "COUPON_REFUSED",
        "1.00 CNY more for Coupon SPRING.",
        ["code"],
    )
    line = (await guest.do(ADD, variantId=id_of(tea)))["cart"]["lines"][0]
    cart = (await guest.do(APPLY, code=typed))["cart"]

    assert cart["couponCodes"] == ["SPRING"]
    assert cart["totals"] == {
        "subtotal": {"amount": "198.00"},
        "discount": {"amount": "19.80"},
        "total": {"amount": "178.20", "currencyCode": "CNY"},
    }
    cart = (await guest.do(UPDATE, id=line["id"], quantity=1))["cart"]
    assert cart["totals"]["total"]["amount"] == "99.00"
    assert cart["warnings"] == [
        {"code": "COUPON_REFUSED", "message": "1.00 CNY more for Coupon SPRING.", "line": None}
    ]
    assert (await guest.get(REMOVE_COUPON))["cartCouponRemove"]["cart"]["couponCodes"] == []


async def test_an_unknown_coupon_is_refused(clients: Clients, shop: Shop) -> None:
    guest, cart = await guest_with(clients, *await create_variants(shop))

    assert refusal(await guest.do(APPLY, code="NONE")) == (
        "COUPON_REFUSED",
        "There is no such coupon.",
        ["code"],
    )
    assert (await guest.get(VIEW))["cart"]["version"] == cart["version"]
    assert codes(await clients.guest().do(APPLY, code="NONE")) == ["NOT_FOUND"]


async def test_a_cart_costs_the_same_few_statements_however_full_it_is(clients: Clients, shop: Shop) -> None:
    guest, _ = await guest_with(clients, *await create_variants(shop, 1))
    with count_statements(shop) as one:
        await guest.get(VIEW)
    fuller, _ = await guest_with(clients, *(await create_products(shop, 12)))
    with count_statements(shop) as many:
        await fuller.get(VIEW)

    assert (one.total, many.total) == (3, 3), many.texts


async def create_products(shop: Shop, count: int) -> Sequence[Variant]:
    async with shop.database.writes.begin() as session:
        return [await variant_of(session, await create_product(session)) for _ in range(count)]


async def test_every_change_is_sent_once_in_order_and_missed_ones_first(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop)
    customer = await clients.customer()
    for _ in range(3):
        await customer.do(ADD, variantId=id_of(tea))

    async with customer.watch(WATCH, after=1) as watch:
        seen = [(await watch.next())["data"]["cartUpdates"] for _ in range(2)]
        await customer.do(ADD, variantId=id_of(tea))
        await Relay(shop).run_once()
        seen.append((await watch.next())["data"]["cartUpdates"])

    assert [(update["version"], update["name"]) for update in seen] == [
        (2, "cart.changed"),
        (3, "cart.changed"),
        (4, "cart.changed"),
    ]
    assert quantities(seen[-1]["cart"]) == [4]


async def test_an_ordered_cart_is_emptied_and_stays_the_same_cart(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    (tea,) = await create_variants(shop)
    customer = await clients.customer()
    assert customer.account
    await customer.do(ADD, variantId=id_of(tea), quantity=2)
    request = OrderRequest(CartOwner(customer.account.id, None), deliveries=[deliver_to(HANGZHOU)])
    await place(session, request, await plan_for(session, request, {CASH: None}))
    await session.commit()

    seen = (await customer.get(VIEW))["cart"]
    assert (seen["version"], seen["lines"], seen["totals"]["total"]["amount"]) == (2, [], "0.00")
    changes = select(Event.version).where(Event.name == "cart.changed").order_by(Event.id)
    assert (await session.scalars(changes)).all() == [1, 2]
    await session.commit()
    clock.tick(timedelta(days=1))
    await run_until_idle(shop)
