"""Lines of a cart: what they hold, and what is refused."""

import asyncio

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import LINES_LIMIT
from events.shop import Shop
from models import Cart, CartLine, CurrencyCode, ProductStatus
from resolvers.ids import global_id
from tests.api.cart.documents import (
    ADD,
    REMOVE,
    UPDATE,
    VIEW,
    create_variants,
    guest_with,
    quantities,
    refusal,
)
from tests.clients import Clients
from tests.factories.cart import create_cart
from tests.factories.catalog import create_product, create_variant, variant_of
from tests.given import codes, id_of


async def test_thirty_two_adds_at_once_all_count(clients: Clients, shop: Shop) -> None:
    variants = await create_variants(shop, 4, stock={"MAIN": 100})
    customer = await clients.customer()

    replies = await asyncio.gather(
        *(customer.do(ADD, variantId=id_of(variants[n % 4])) for n in range(32)),
    )

    assert [codes(reply) for reply in replies] == [[]] * 32
    cart = (await customer.get(VIEW))["cart"]
    assert quantities(cart) == [8, 8, 8, 8]
    assert cart["version"] == 32
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Cart)) == 1


async def test_no_more_than_is_available_however_many_adds_at_once(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 6, "SECOND": 4})
    customer = await clients.customer()

    replies = await asyncio.gather(*(customer.do(ADD, variantId=id_of(tea)) for _ in range(16)))

    refused = [reply for reply in replies if reply["userErrors"]]
    assert len(refused) == 6
    assert refusal(refused[0]) == ("OUT_OF_STOCK", "Only 10 of Oolong tea left.", ["quantity"])
    assert quantities((await customer.get(VIEW))["cart"]) == [10]


async def test_a_variant_that_is_not_tracked_or_sells_when_out_has_no_limit(
    clients: Clients, shop: Shop
) -> None:
    customer = await clients.customer()
    (card,) = await create_variants(shop, stock={}, tracked=False)
    assert codes(await customer.do(ADD, variantId=id_of(card), quantity=50)) == []


async def test_what_cannot_be_sold_is_refused_by_name(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    draft = await variant_of(session, await create_product(session, status=ProductStatus.DRAFT))
    gone = await variant_of(session, await create_product(session, status=ProductStatus.ARCHIVED))
    unpriced = await variant_of(session, await create_product(session, prices={CurrencyCode.USD: 100}))
    product = await create_product(session, title="Cup")
    old = await create_variant(session, product, options={"Size": "M"})
    old.archived_at = product.created_at
    none = await variant_of(session, await create_product(session, stock={}))
    await session.commit()
    customer = await clients.customer()
    found = {
        name: refusal(await customer.do(ADD, variantId=variant_id))
        for name, variant_id in {
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
    assert await customer.get(VIEW) == {"cart": None}


async def test_a_line_holds_one_to_ten_thousand_units(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 20_000})
    customer = await clients.customer()
    for quantity, code in ((0, "INVALID"), (-1, "INVALID"), (10_001, "LIMIT_REACHED")):
        assert codes(await customer.do(ADD, variantId=id_of(tea), quantity=quantity)) == [code]

    cart = (await customer.do(ADD, variantId=id_of(tea), quantity=9_999))["cart"]
    assert quantities(cart) == [9_999]
    assert quantities((await customer.do(ADD, variantId=id_of(tea)))["cart"]) == [10_000]
    too_many = ("LIMIT_REACHED", "At most 10,000 of one thing.", ["quantity"])
    assert refusal(await customer.do(ADD, variantId=id_of(tea))) == too_many
    line = cart["lines"][0]["id"]
    assert refusal(await customer.do(UPDATE, id=line, quantity=10_001)) == too_many
    assert quantities((await customer.do(UPDATE, id=line, quantity=10_000))["cart"]) == [10_000]


async def test_a_cart_holds_so_many_lines_and_no_more(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variants = await create_variants(shop, LINES_LIMIT + 1)
    customer = await clients.customer()
    await create_cart(session, customer.account, lines=dict.fromkeys(variants[:LINES_LIMIT], 1))
    await session.commit()

    assert codes(await customer.do(ADD, variantId=id_of(variants[LINES_LIMIT]))) == ["LIMIT_REACHED"]
    assert codes(await customer.do(ADD, variantId=id_of(variants[0]))) == []
    assert len((await customer.get(VIEW))["cart"]["lines"]) == LINES_LIMIT


async def test_a_line_is_changed_and_removed(clients: Clients, shop: Shop) -> None:
    guest, cart = await guest_with(clients, *await create_variants(shop, 3))
    first, second, third = (line["id"] for line in cart["lines"])

    assert quantities((await guest.do(UPDATE, id=first, quantity=4))["cart"]) == [4, 1, 1]
    assert codes(await guest.do(UPDATE, id=first, quantity=11)) == ["OUT_OF_STOCK"]
    assert codes(await guest.do(UPDATE, id=first, quantity=-1)) == ["INVALID"]
    assert quantities((await guest.do(UPDATE, id=second, quantity=0))["cart"]) == [4, 1]
    after = (await guest.do(REMOVE, id=third))["cart"]
    assert quantities(after) == [4]
    assert after["version"] == cart["version"] + 3
    assert codes(await guest.do(REMOVE, id=third)) == ["NOT_FOUND"]


async def test_a_line_of_somebody_else_does_not_exist(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop)
    _, cart = await guest_with(clients, tea)
    foreign, missing = cart["lines"][0]["id"], global_id("CartLine", 999_999)
    other, _ = await guest_with(clients, tea)

    for somebody in (other, await clients.customer(), clients.guest()):
        for document, variant_id in ((UPDATE, {"quantity": 2}), (REMOVE, {})):
            replies = [await somebody.do(document, id=id_, **variant_id) for id_ in (foreign, missing)]
            assert replies[0] == replies[1]
            assert refusal(replies[0]) == ("NOT_FOUND", "There is no such cart line.", ["id"])
    async with shop.database.reads() as session:
        assert [line.quantity for line in await session.scalars(select(CartLine))] == [1, 1]
