"""Carts at the front door."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from domain.cart import LINES_LIMIT, QUANTITY_LIMIT, Owner
from domain.order import Wish
from events.relay import Relay
from events.shop import Shop
from gateways.secrets import fingerprint
from models import Cart, CartLine, CurrencyCode, Event, Price, Product, ProductStatus, StockLevel, Variant
from resolvers.ids import global_id
from tests.conftest import Clock
from tests.factories.account import PASSWORD, create_account
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_product, create_variant, variant_of
from tests.factories.order import CASH, HANGZHOU, deliver_to, place, promise_for
from tests.front import Client, Front
from tests.observe import settle, statements

CART = """version currency lines { id quantity unitPrice { amount currencyCode } total { amount }
    variant { sku } warnings { code message left } }
  totals { subtotal { amount } discount { amount } total { amount currencyCode } }
  couponCodes warnings { code message line { quantity } }"""
SEE = f"{{ cart {{ {CART} }} }}"
ADD = f"""mutation($input: CartLineAddInput!) {{ cartLineAdd(input: $input) {{
  cart {{ token {CART} }} userErrors {{ code message field }} }} }}"""
UPDATE = f"""mutation($input: CartLineUpdateInput!) {{ cartLineUpdate(input: $input) {{
  cart {{ token {CART} }} userErrors {{ code message field }} }} }}"""
REMOVE = f"""mutation($input: CartLineRemoveInput!) {{ cartLineRemove(input: $input) {{
  cart {{ {CART} }} userErrors {{ code message field }} }} }}"""
APPLY = f"""mutation($input: CartCouponApplyInput!) {{ cartCouponApply(input: $input) {{
  cart {{ {CART} }} userErrors {{ code message field }} }} }}"""
DROP = f"mutation {{ cartCouponRemove {{ cart {{ {CART} }} userErrors {{ code }} }} }}"
REGISTER = """mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
  session { accessToken } userErrors { code } } }"""
SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken } userErrors { code } } }"""
WATCH = (
    "subscription($after: Int) { cartUpdates(after: $after) { version name cart { lines { quantity } } } }"
)


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def refusal(payload: dict[str, Any]) -> tuple[str, str, list[str]]:
    (error,) = payload["userErrors"]
    return error["code"], error["message"], error["field"]


def id_of(variant: Variant) -> str:
    return global_id("Variant", variant.id)


def quantities(cart: dict[str, Any]) -> list[int]:
    return [line["quantity"] for line in cart["lines"]]


async def shelf(shop: Shop, count: int = 1, **facts: Any) -> Sequence[Variant]:
    """Variants of products at 99.00 CNY, ten of each."""
    async with shop.database.writes.begin() as session:
        return [
            await variant_of(session, await create_product(session, sku=f"TEA-{n}", **facts))
            for n in range(1, count + 1)
        ]


async def change(shop: Shop, *statements: Any) -> None:
    async with shop.database.writes.begin() as session:
        for statement in statements:
            await session.execute(statement)


async def guest_with(front: Front, *variants: Variant) -> tuple[Client, dict[str, Any]]:
    """A guest whose cart holds one of each."""
    guest, cart = front.guest(), {}
    for variant in variants:
        cart = (await guest.do(ADD, variantId=id_of(variant)))["cart"]
        guest.headers.setdefault("X-Cart-Token", cart["token"])
    return guest, cart


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


async def test_thirty_two_adds_at_once_all_count(front: Front, shop: Shop) -> None:
    variants = await shelf(shop, 4, stock={"MAIN": 100})
    customer = await front.customer()

    replies = await asyncio.gather(
        *(customer.do(ADD, variantId=id_of(variants[n % 4])) for n in range(32)),
    )

    assert [codes(reply) for reply in replies] == [[]] * 32
    cart = (await customer.get(SEE))["cart"]
    assert quantities(cart) == [8, 8, 8, 8]
    assert cart["version"] == 32
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Cart)) == 1


async def test_no_more_than_is_left_however_many_ask_at_once(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop, stock={"MAIN": 6, "SECOND": 4})
    customer = await front.customer()

    replies = await asyncio.gather(*(customer.do(ADD, variantId=id_of(tea)) for _ in range(16)))

    refused = [reply for reply in replies if reply["userErrors"]]
    assert len(refused) == 6
    assert refusal(refused[0]) == ("OUT_OF_STOCK", "Only 10 of Oolong tea left.", ["quantity"])
    assert quantities((await customer.get(SEE))["cart"]) == [10]


async def test_what_is_not_counted_or_sells_when_out_has_no_limit(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    (card,) = await shelf(shop, stock={}, tracked=False)
    assert codes(await customer.do(ADD, variantId=id_of(card), quantity=50)) == []


async def test_what_cannot_be_sold_is_refused_by_name(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        draft = await variant_of(session, await create_product(session, status=ProductStatus.DRAFT))
        gone = await variant_of(session, await create_product(session, status=ProductStatus.ARCHIVED))
        unpriced = await variant_of(session, await create_product(session, prices={CurrencyCode.USD: 100}))
        product = await create_product(session, title="Cup")
        old = await create_variant(session, product, options={"Size": "M"})
        old.archived_at = product.created_at
        none = await variant_of(session, await create_product(session, stock={}))
    customer = await front.customer()
    found = {
        name: refusal(await customer.do(ADD, variantId=given))
        for name, given in {
            "missing": global_id("Variant", 999_999),
            "draft": id_of(draft),
            "other": global_id("Order", 1),
            "gone": id_of(gone),
            "unpriced": id_of(unpriced),
            "old": id_of(old),
            "none": id_of(none),
        }.items()
    }

    not_found = ("NOT_FOUND", "There is no such variant.", ["variantId"])
    assert found == {
        "missing": not_found,
        "draft": not_found,
        "other": not_found,
        "gone": ("NOT_FOR_SALE", "Oolong tea is not for sale.", ["variantId"]),
        "unpriced": ("NOT_FOR_SALE", "Oolong tea is not for sale.", ["variantId"]),
        "old": ("NOT_FOR_SALE", "Cup (M) is not for sale.", ["variantId"]),
        "none": ("OUT_OF_STOCK", "Oolong tea is sold out.", ["quantity"]),
    }
    assert await customer.get(SEE) == {"cart": None}


async def test_quantities_have_limits(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop, stock={"MAIN": 10_000})
    customer = await front.customer()
    for quantity, code in ((0, "INVALID"), (-1, "INVALID"), (QUANTITY_LIMIT + 1, "LIMIT_REACHED")):
        assert codes(await customer.do(ADD, variantId=id_of(tea), quantity=quantity)) == [code]

    await customer.do(ADD, variantId=id_of(tea), quantity=QUANTITY_LIMIT)
    assert codes(await customer.do(ADD, variantId=id_of(tea))) == ["LIMIT_REACHED"]
    assert quantities((await customer.get(SEE))["cart"]) == [QUANTITY_LIMIT]


async def test_a_cart_holds_so_many_different_things_and_no_more(front: Front, shop: Shop) -> None:
    variants = await shelf(shop, LINES_LIMIT + 1)
    customer = await front.customer()
    async with shop.database.writes.begin() as session:
        await create_cart(session, customer.account, lines=dict.fromkeys(variants[:LINES_LIMIT], 1))

    assert codes(await customer.do(ADD, variantId=id_of(variants[LINES_LIMIT]))) == ["LIMIT_REACHED"]
    assert codes(await customer.do(ADD, variantId=id_of(variants[0]))) == []
    assert len((await customer.get(SEE))["cart"]["lines"]) == LINES_LIMIT


async def test_a_line_is_changed_and_taken_out(front: Front, shop: Shop) -> None:
    guest, cart = await guest_with(front, *await shelf(shop, 3))
    first, second, third = (line["id"] for line in cart["lines"])

    assert quantities((await guest.do(UPDATE, lineId=first, quantity=4))["cart"]) == [4, 1, 1]
    assert codes(await guest.do(UPDATE, lineId=first, quantity=11)) == ["OUT_OF_STOCK"]
    assert codes(await guest.do(UPDATE, lineId=first, quantity=-1)) == ["INVALID"]
    assert quantities((await guest.do(UPDATE, lineId=second, quantity=0))["cart"]) == [4, 1]
    after = (await guest.do(REMOVE, lineId=third))["cart"]
    assert quantities(after) == [4]
    assert after["version"] == cart["version"] + 3
    assert codes(await guest.do(REMOVE, lineId=third)) == ["NOT_FOUND"]


async def test_a_line_of_somebody_else_is_one_that_does_not_exist(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop)
    _, cart = await guest_with(front, tea)
    foreign, missing = cart["lines"][0]["id"], global_id("CartLine", 999_999)
    other, _ = await guest_with(front, tea)

    for somebody in (other, await front.customer(), front.guest()):
        for document, given in ((UPDATE, {"quantity": 2}), (REMOVE, {})):
            replies = [await somebody.do(document, lineId=id_, **given) for id_ in (foreign, missing)]
            assert replies[0] == replies[1]
            assert refusal(replies[0]) == ("NOT_FOUND", "There is no such cart line.", ["lineId"])
    async with shop.database.reads() as session:
        assert [line.quantity for line in await session.scalars(select(CartLine))] == [1, 1]


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


async def test_who_registers_keeps_the_cart(front: Front, shop: Shop) -> None:
    tea, cup = await shelf(shop, 2)
    guest, _ = await guest_with(front, tea, cup)

    reply = await guest.do(REGISTER, name="Mei", email="mei@example.com", password=PASSWORD)

    customer = front.guest(Authorization=f"Bearer {reply['session']['accessToken']}")
    assert quantities((await customer.get(SEE))["cart"]) == [1, 1]
    assert await guest.get(SEE) == {"cart": None}


async def test_who_signs_in_has_both_carts_in_one_and_quantities_add_up(front: Front, shop: Shop) -> None:
    both = {CurrencyCode.CNY: 9_900, CurrencyCode.USD: 1_500}
    tea, cup, pot = await shelf(shop, 3, prices=both)
    async with shop.database.writes.begin() as session:
        account = await create_account(session, email="mei@example.com")
        await create_cart(session, account, lines={tea: 8, pot: 1}, currency=CurrencyCode.USD)
        coupon = await create_coupon(session, code="SPRING")
    guest, _ = await guest_with(front, tea, cup)
    line = (await guest.do(ADD, variantId=id_of(tea), quantity=6))["cart"]["lines"][0]
    assert line["quantity"] == 7
    await guest.do(APPLY, code="SPRING")

    reply = await guest.do(SIGN_IN, login="mei@example.com", password=PASSWORD)

    customer = front.guest(Authorization=f"Bearer {reply['session']['accessToken']}")
    cart = (await customer.get(SEE))["cart"]
    assert [(each["variant"]["sku"], each["quantity"]) for each in cart["lines"]] == [
        ("TEA-1", 10),
        ("TEA-3", 1),
        ("TEA-2", 1),
    ]
    assert [[w["code"] for w in each["warnings"]] for each in cart["lines"]] == [["MERGE_CAPPED"], [], []]
    assert cart["currency"] == "USD"
    assert cart["couponCodes"] == [coupon.code]


async def test_a_guests_cart_goes_to_one_customer_only(front: Front, shop: Shop) -> None:
    guest, _ = await guest_with(front, *await shelf(shop))
    async with shop.database.writes.begin() as session:
        for name in ("ann", "bob", "cid"):
            await create_account(session, email=f"{name}@example.com")

    await asyncio.gather(
        *(guest.do(SIGN_IN, login=f"{name}@example.com", password=PASSWORD) for name in ("ann", "bob", "cid"))
    )

    async with shop.database.reads() as session:
        assert [line.quantity for line in await session.scalars(select(CartLine))] == [1]


async def test_a_refused_sign_in_leaves_the_guests_cart_alone(front: Front, shop: Shop) -> None:
    guest, _ = await guest_with(front, *await shelf(shop))

    assert codes(await guest.do(SIGN_IN, login="nobody@example.com", password=PASSWORD)) == [
        "CREDENTIALS_REFUSED"
    ]

    assert quantities((await guest.get(SEE))["cart"]) == [1]


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
