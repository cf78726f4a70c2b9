"""Carts at the front door."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.cart import Owner
from domain.order import Wish
from events.relay import Relay
from events.shop import Shop
from gateways.secrets import fingerprint
from models import Cart, CurrencyCode, Event, Price, Product, ProductStatus, StockLevel, Variant
from tests.api.cart.asking import (
    ADD,
    APPLY,
    CART,
    REMOVE,
    SEE,
    UPDATE,
    codes,
    guest_with,
    id_of,
    quantities,
    refusal,
    shelf,
)
from tests.conftest import Clock
from tests.factories.cart import create_coupon
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import CASH, HANGZHOU, deliver_to, place, promise_for
from tests.front import Front
from tests.observe import settle, statements

DROP = f"mutation {{ cartCouponRemove {{ cart {{ {CART} }} userErrors {{ code }} }} }}"

WATCH = (
    "subscription($after: Int) { cartUpdates(after: $after) { version name cart { lines { quantity } } } }"
)


async def change(shop: Shop, *statements: Any) -> None:
    async with shop.database.writes.begin() as session:
        for statement in statements:
            await session.execute(statement)


async def test_a_guests_first_line_makes_a_cart_whose_token_is_told_once(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    assert await front.guest().get(SEE) == {"cart": None}

    made = (await front.guest().do(ADD, variantId=id_of(tea), quantity=2))["cart"]
    guest = front.guest(**{"X-Cart-Token": made["token"]})
    again = (await guest.do(ADD, variantId=id_of(tea)))["cart"]

    assert again["token"] is None
    (line,) = (await guest.get(SEE))["cart"]["lines"]
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
    assert cart.token_hash == fingerprint(made["token"])


async def test_a_guest_who_adds_twice_in_one_request_has_one_cart(front: Front, shop: Shop) -> None:
    tea, cup = await shelf(shop, 2)
    both = """mutation($a: CartLineAddInput!, $b: CartLineAddInput!) {
      a: cartLineAdd(input: $a) { cart { token } }
      b: cartLineAdd(input: $b) { cart { token lines { quantity } } } }"""

    data = await front.guest().get(both, a={"variantId": id_of(tea)}, b={"variantId": id_of(cup)})

    assert data["a"]["cart"]["token"]
    assert data["b"]["cart"] == {"token": None, "lines": [{"quantity": 1}, {"quantity": 1}]}


async def test_an_invented_token_opens_nobodys_cart(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    await guest_with(front, tea)
    stranger = front.guest(**{"X-Cart-Token": "invented"})

    assert await stranger.get(SEE) == {"cart": None}
    cart = (await stranger.do(ADD, variantId=id_of(tea)))["cart"]
    assert quantities(cart) == [1]
    assert cart["token"] not in {None, "invented"}


async def test_a_guest_without_a_token_never_meets_a_customers_cart(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    customer = await front.customer()
    line = (await customer.do(ADD, variantId=id_of(tea)))["cart"]["lines"][0]["id"]

    for document, given in ((UPDATE, {"lineId": line, "quantity": 2}), (REMOVE, {"lineId": line})):
        assert codes(await front.guest().do(document, **given)) == ["NOT_FOUND"]
    assert codes(await front.guest().do(APPLY, code="SPRING")) == ["NOT_FOUND"]
    cart = (await front.guest().do(ADD, variantId=id_of(tea), quantity=5))["cart"]

    assert cart["token"]
    assert quantities(cart) == [5]
    assert quantities((await customer.get(SEE))["cart"]) == [1]


async def test_prices_and_stock_are_those_of_the_moment_and_changes_are_warned_of(
    front: Front, shop: Shop
) -> None:
    dearer, fewer, out, ended = await shelf(shop, 4)
    guest, _ = await guest_with(front, dearer, fewer, out, ended)
    lines = (await guest.get(SEE))["cart"]["lines"]
    await guest.do(UPDATE, lineId=lines[1]["id"], quantity=5)
    await change(
        shop,
        update(Price).where(Price.variant_id == dearer.id).values(amount=12_000),
        update(StockLevel).where(StockLevel.variant_id == fewer.id).values(reserved=7),
        update(StockLevel).where(StockLevel.variant_id == out.id).values(reserved=10),
        update(Product).where(Product.id == ended.product_id).values(status=ProductStatus.ARCHIVED),
    )

    cart = (await guest.get(SEE))["cart"]

    assert [[(w["code"], w["message"], w["left"]) for w in line["warnings"]] for line in cart["lines"]] == [
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


async def test_a_free_thing_costs_nothing_and_is_still_sold(front: Front, shop: Shop) -> None:
    _, cart = await guest_with(front, *await shelf(shop, prices={CurrencyCode.CNY: 0}))

    assert cart["lines"][0]["total"] == {"amount": "0.00"}
    assert cart["totals"]["total"] == {"amount": "0.00", "currencyCode": "CNY"}


async def test_a_cart_keeps_its_currency_until_it_is_empty(front: Front, shop: Shop) -> None:
    both = {CurrencyCode.CNY: 9_900, CurrencyCode.USD: 1_500}
    tea, cup = await shelf(shop, 2, prices=both)
    guest, cart = await guest_with(front, tea)
    guest.headers["X-Currency"] = "USD"

    cart = (await guest.do(ADD, variantId=id_of(cup)))["cart"]
    assert cart["totals"]["total"] == {"amount": "198.00", "currencyCode": "CNY"}

    for line in cart["lines"]:
        await guest.do(REMOVE, lineId=line["id"])
    cart = (await guest.do(ADD, variantId=id_of(cup)))["cart"]
    assert cart["totals"]["total"] == {"amount": "15.00", "currencyCode": "USD"}


@pytest.mark.parametrize("typed", [" spring ", "ｓｐｒｉｎｇ", "\u3000ＳＰＲＩＮＧ\u3000"])
async def test_a_coupon_is_found_however_it_is_typed_and_changes_the_totals(
    front: Front, shop: Shop, typed: str
) -> None:
    async with shop.database.writes.begin() as session:
        await create_coupon(session, code="SPRING", percent=10, minimum_amount=10_000)
    (tea,) = await shelf(shop)
    guest, _ = await guest_with(front, tea)

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
    cart = (await guest.do(UPDATE, lineId=line["id"], quantity=1))["cart"]
    assert cart["totals"]["total"]["amount"] == "99.00"
    assert cart["warnings"] == [
        {"code": "COUPON_REFUSED", "message": "1.00 CNY more for Coupon SPRING.", "line": None}
    ]
    assert (await guest.get(DROP))["cartCouponRemove"]["cart"]["couponCodes"] == []


async def test_an_unknown_coupon_is_refused(front: Front, shop: Shop) -> None:
    guest, cart = await guest_with(front, *await shelf(shop))

    assert refusal(await guest.do(APPLY, code="NONE")) == (
        "COUPON_REFUSED",
        "There is no such coupon.",
        ["code"],
    )
    assert (await guest.get(SEE))["cart"]["version"] == cart["version"]
    assert codes(await front.guest().do(APPLY, code="NONE")) == ["NOT_FOUND"]


async def test_a_cart_costs_the_same_few_statements_however_full_it_is(front: Front, shop: Shop) -> None:
    guest, _ = await guest_with(front, *await shelf(shop, 1))
    with statements(shop) as one:
        await guest.get(SEE)
    fuller, _ = await guest_with(front, *(await shelf_of(shop, 12)))
    with statements(shop) as many:
        await fuller.get(SEE)

    assert (one.total, many.total) == (3, 3), many.texts


async def shelf_of(shop: Shop, count: int) -> Sequence[Variant]:
    async with shop.database.writes.begin() as session:
        return [await variant_of(session, await create_product(session)) for _ in range(count)]


async def test_every_change_is_seen_once_in_order_and_missed_ones_first(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    customer = await front.customer()
    for _ in range(3):
        await customer.do(ADD, variantId=id_of(tea))

    async with customer.watch(WATCH, after=1) as watch:
        seen = [(await watch.next())["data"]["cartUpdates"] for _ in range(2)]
        await customer.do(ADD, variantId=id_of(tea))
        await Relay(shop).once()
        seen.append((await watch.next())["data"]["cartUpdates"])

    assert [(update["version"], update["name"]) for update in seen] == [
        (2, "cart.changed"),
        (3, "cart.changed"),
        (4, "cart.changed"),
    ]
    assert quantities(seen[-1]["cart"]) == [4]


async def test_an_emptied_cart_is_the_same_cart_one_version_on(
    front: Front, shop: Shop, clock: Clock
) -> None:
    (tea,) = await shelf(shop)
    customer = await front.customer()
    assert customer.account
    await customer.do(ADD, variantId=id_of(tea), quantity=2)
    async with shop.database.writes.begin() as session:
        wish = Wish(Owner(customer.account.id, None), deliveries=[deliver_to(HANGZHOU)])
        await place(session, wish, await promise_for(session, wish, {CASH: None}))

    seen = (await customer.get(SEE))["cart"]
    assert (seen["version"], seen["lines"], seen["totals"]["total"]["amount"]) == (2, [], "0.00")
    async with shop.database.reads() as session:
        changes = select(Event.version).where(Event.name == "cart.changed").order_by(Event.id)
        assert (await session.scalars(changes)).all() == [1, 2]
    clock.tick(timedelta(days=1))
    await settle(shop)
