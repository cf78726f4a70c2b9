"""What a cart keeps: lines saved for later, what a merge left out; and the deletion of old guests' carts."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import LINES_LIMIT
from events.relay import Relay
from events.shop import Shop
from models import Cart, CartLine, CurrencyCode, Event, Price, SavedLine, StockLevel
from resolvers.ids import global_id
from tests.api.cart.documents import create_variants, refusal
from tests.api.cart.saved_documents import (
    ADD,
    ADD_MANY,
    DISMISS,
    RESTORE,
    SAVE,
    UPDATE,
    VIEW,
    WATCH,
    contents,
    guest_with,
    mutation_of,
    sign_in,
)
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.given import id_of
from tests.observe import count_statements, run_until_idle

REMOVE_SAVED = mutation_of("cartSavedLineRemove")


async def count_of(shop: Shop, table: Any) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_several_variants_are_added_at_once_all_or_none(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    guest, cart = await guest_with(clients, tea, cup, quantity=2)
    assert contents(cart) == [("TEA-1", 2), ("TEA-2", 2)]

    lines = [{"variantId": id_of(tea)}, {"variantId": id_of(cup), "quantity": 9}]
    reply = await guest.do(ADD_MANY, lines=lines)

    assert refusal(reply) == ("OUT_OF_STOCK", "Only 10 of Oolong tea left.", ["lines", "1", "quantity"])
    twice = await guest.do(ADD_MANY, lines=[{"variantId": id_of(tea)}] * 2)
    assert refusal(twice) == ("INVALID", "Name each variant once.", ["lines", "1", "variantId"])
    many = await guest.do(ADD_MANY, lines=[{"variantId": global_id("Variant", n)} for n in range(101)])
    assert refusal(many)[0] == "LIMIT_REACHED"
    after = (await guest.get(VIEW))["cart"]
    assert (contents(after), after["version"]) == (contents(cart), cart["version"])


async def test_adding_many_variants_takes_as_many_statements_as_adding_one(
    clients: Clients, shop: Shop
) -> None:
    variants = await create_variants(shop, 30)
    guest, _ = await guest_with(clients, variants[0])
    document = "mutation($input: CartLinesAddInput!) { cartLinesAdd(input: $input) { cart { version } } }"

    with count_statements(shop) as one:
        await guest.do(document, lines=[{"variantId": id_of(variants[0])}])
    with count_statements(shop) as many:
        await guest.do(document, lines=[{"variantId": id_of(variant)} for variant in variants])

    assert (one.total, many.total) == (7, 7), many.texts


async def test_a_saved_line_leaves_the_totals_and_can_be_restored(clients: Clients, shop: Shop) -> None:
    tea, cup = await create_variants(shop, 2)
    guest, cart = await guest_with(clients, tea, cup, quantity=2)

    saved = (await guest.do(SAVE, id=cart["lines"][0]["id"]))["cart"]
    assert (contents(saved), contents(saved, "savedLines")) == ([("TEA-2", 2)], [("TEA-1", 2)])
    assert saved["totals"]["total"]["amount"] == "198.00"
    assert saved["version"] == cart["version"] + 1

    more = (await guest.do(ADD, variantId=id_of(tea), quantity=3))["cart"]
    back = (await guest.do(RESTORE, id=saved["savedLines"][0]["id"]))["cart"]
    assert contents(more, "savedLines") == [("TEA-1", 2)]
    assert contents(back) == [("TEA-2", 2), ("TEA-1", 5)]
    assert back["savedLines"] == []


async def test_what_cannot_be_sold_stays_saved(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    (tea,) = await create_variants(shop)
    guest, cart = await guest_with(clients, tea, quantity=4)
    saved = (await guest.do(SAVE, id=cart["lines"][0]["id"]))["cart"]
    await session.execute(update(StockLevel).values(reserved=8))
    await session.execute(update(Price).values(amount=12_000))
    await session.commit()

    reply = await guest.do(RESTORE, id=saved["savedLines"][0]["id"])

    assert refusal(reply) == ("OUT_OF_STOCK", "Only 2 of Oolong tea left.", ["id"])
    (line,) = (await guest.get(VIEW))["cart"]["savedLines"]
    assert (line["quantity"], line["unitPrice"]) == (4, {"amount": "120.00"})
    assert line["warnings"] == [{"code": "LESS_STOCK", "line": None}, {"code": "PRICE_CHANGED", "line": None}]
    gone = (await guest.do(REMOVE_SAVED, id=line["id"]))["cart"]
    assert (gone["lines"], gone["savedLines"]) == ([], [])


async def test_a_saved_line_of_somebody_else_does_not_exist(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop)
    owner, cart = await guest_with(clients, tea)
    saved = (await owner.do(SAVE, id=cart["lines"][0]["id"]))["cart"]["savedLines"][0]["id"]
    other, _ = await guest_with(clients, tea)

    for document in (RESTORE, REMOVE_SAVED):
        replies = [await other.do(document, id=id_) for id_ in (saved, global_id("SavedLine", 99))]
        assert replies[0] == replies[1]
        assert refusal(replies[0]) == ("NOT_FOUND", "There is no such saved line.", ["id"])
    assert contents((await owner.get(VIEW))["cart"], "savedLines") == [("TEA-1", 1)]


async def test_merging_loses_no_line_and_says_how_many_could_not_be_kept(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    tea, cup, pot, out = await create_variants(shop, 4)
    account = await create_account(session, email="mei@example.com")
    await create_cart(session, account, lines={tea: 8, pot: 1, out: 2})
    await session.execute(
        update(StockLevel).where(StockLevel.variant_id == out.id).values(on_hand=3, reserved=0)
    )
    await session.commit()
    guest, cart = await guest_with(clients, tea, cup, out, quantity=3)
    await guest.do(SAVE, id=cart["lines"][1]["id"])
    await session.execute(
        update(StockLevel).where(StockLevel.variant_id == out.id).values(on_hand=3, reserved=3)
    )
    await session.commit()

    customer = await sign_in(clients, guest, "mei@example.com")

    merged = (await customer.get(VIEW))["cart"]
    assert contents(merged) == [("TEA-1", 10), ("TEA-3", 1), ("TEA-4", 5)]
    assert contents(merged, "savedLines") == [("TEA-2", 3)]
    (warning,) = merged["lines"][0]["warnings"]
    assert warning == {
        "code": "MERGE_CAPPED",
        "message": "Together your carts held 11; 10 are in this one.",
        "available": 10,
        "mergedQuantity": 11,
        "seenPrice": {"amount": "99.00"},
        "price": {"amount": "99.00"},
        "line": {"quantity": 10},
    }
    assert [each["code"] for each in merged["lines"][2]["warnings"]] == ["SOLD_OUT"]
    touched = (await customer.do(UPDATE, id=merged["lines"][0]["id"], quantity=9))["cart"]
    assert touched["lines"][0]["warnings"] == []


async def test_a_merge_takes_as_many_statements_for_many_lines_as_for_few(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variants = await create_variants(shop, 24)
    counts = []
    for name, held in (("ann", variants[:2]), ("bob", variants)):
        account = await create_account(session, email=f"{name}@example.com")
        await create_cart(session, account, lines={variants[0]: 1})
        await session.commit()
        guest, _ = await guest_with(clients, *held)
        with count_statements(shop) as counted:
            await sign_in(clients, guest, f"{name}@example.com")
        counts.append(counted.total)

    assert counts[0] == counts[1]


async def test_dismissed_warnings_do_not_come_back(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    dearer, out = await create_variants(shop, 2)
    guest, _ = await guest_with(clients, dearer, out)
    await session.execute(update(Price).where(Price.variant_id == dearer.id).values(amount=12_000))
    await session.execute(update(StockLevel).where(StockLevel.variant_id == out.id).values(reserved=10))
    await session.commit()
    lines = (await guest.get(VIEW))["cart"]["lines"]
    assert [[each["code"] for each in line["warnings"]] for line in lines] == [
        ["PRICE_CHANGED"],
        ["SOLD_OUT"],
    ]
    assert (lines[0]["warnings"][0]["seenPrice"], lines[0]["warnings"][0]["price"]) == (
        {"amount": "99.00"},
        {"amount": "120.00"},
    )

    cart = (await guest.get(DISMISS))["cartWarningsDismiss"]["cart"]

    assert [[each["code"] for each in line["warnings"]] for line in cart["lines"]] == [[], ["SOLD_OUT"]]
    assert (await clients.guest().get(DISMISS))["cartWarningsDismiss"]["userErrors"] == [
        {"code": "NOT_FOUND"}
    ]


async def test_totals_are_those_of_the_moment_in_every_currency(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    both = {CurrencyCode.CNY: 9_900, CurrencyCode.USD: 1_500}
    (tea,) = await create_variants(shop, prices=both)
    guests = []
    for currency in both:
        guest = clients.guest(**{"X-Currency": currency.value})
        cart = (await guest.do(ADD, variantId=id_of(tea), quantity=2))["cart"]
        guest.headers["X-Cart-Token"] = cart["token"]
        guests.append(guest)

    async def seen() -> list[str]:
        return [(await guest.get(VIEW))["cart"]["totals"]["total"]["amount"] for guest in guests]

    assert await seen() == ["198.00", "30.00"]
    for currency, amount in ((CurrencyCode.CNY, 10_001), (CurrencyCode.USD, 1_299)):
        await session.execute(update(Price).where(Price.currency == currency).values(amount=amount))
    await session.commit()
    assert await seen() == ["200.02", "25.98"]


async def test_thirty_two_variants_added_at_once_are_all_there(clients: Clients, shop: Shop) -> None:
    variants = await create_variants(shop, 32)
    guest, _ = await guest_with(clients, variants[0])
    customer = await clients.customer()

    for somebody in (guest, customer):
        replies = await asyncio.gather(
            *(somebody.do(ADD, variantId=id_of(variant)) for variant in variants),
        )
        assert [reply["userErrors"] for reply in replies] == [[]] * 32

    assert sorted(contents((await guest.get(VIEW))["cart"])) == sorted(
        (f"TEA-{n}", 2 if n == 1 else 1) for n in range(1, 33)
    )
    assert len((await customer.get(VIEW))["cart"]["lines"]) == 32


async def test_the_limit_of_lines_holds_however_many_are_added_at_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variants = await create_variants(shop, LINES_LIMIT + 8)
    customer = await clients.customer()
    await create_cart(session, customer.account, lines=dict.fromkeys(variants[: LINES_LIMIT - 4], 1))
    await session.commit()

    replies = await asyncio.gather(
        *(customer.do(ADD, variantId=id_of(variant)) for variant in variants[LINES_LIMIT - 4 :])
    )

    assert sum(not reply["userErrors"] for reply in replies) == 4
    assert {reply["userErrors"][0]["code"] for reply in replies if reply["userErrors"]} == {"LIMIT_REACHED"}
    assert len((await customer.get(VIEW))["cart"]["lines"]) == LINES_LIMIT


async def test_who_signs_in_on_two_devices_while_adding_loses_and_doubles_nothing(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variants = await create_variants(shop, 6, stock={"MAIN": 999})
    account = await create_account(session, email="mei@example.com")
    await create_cart(session, account, lines={variants[0]: 1})
    await session.commit()
    phone, _ = await guest_with(clients, *variants[:3])
    browser, _ = await guest_with(clients, *variants[2:])
    before = await sign_in(clients, clients.guest(), "mei@example.com")

    await asyncio.gather(
        sign_in(clients, phone, "mei@example.com"),
        sign_in(clients, phone, "mei@example.com"),
        sign_in(clients, browser, "mei@example.com"),
        *(before.do(ADD, variantId=id_of(variants[0])) for _ in range(8)),
    )

    cart = (await before.get(VIEW))["cart"]
    assert sorted(contents(cart)) == [
        ("TEA-1", 10),
        ("TEA-2", 1),
        ("TEA-3", 2),
        ("TEA-4", 1),
        ("TEA-5", 1),
        ("TEA-6", 1),
    ]


async def test_a_guests_updates_say_that_the_cart_was_merged(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop)
    await create_account(session, email="mei@example.com")
    await session.commit()
    guest, cart = await guest_with(clients, tea)

    async with guest.watch(WATCH, after=cart["version"]) as watch:
        await sign_in(clients, guest, "mei@example.com")
        await Relay(shop).run_once()
        update_ = (await watch.next())["data"]["cartUpdates"]

    assert update_ == {"version": cart["version"] + 1, "name": "cart.merged", "cart": {"lines": []}}


async def test_guests_carts_are_deleted_when_nobody_touched_them_for_long(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    tea, cup = await create_variants(shop, 2)
    old, cart = await guest_with(clients, tea, cup)
    await old.do(SAVE, id=cart["lines"][1]["id"])
    customer = await clients.customer()
    await customer.do(ADD, variantId=id_of(tea))
    await run_until_idle(shop)
    clock.tick(shop.settings.deadlines.guest_cart_lifetime - timedelta(seconds=1))
    young, _ = await guest_with(clients, cup)
    await run_until_idle(shop)
    assert await count_of(shop, Cart) == 3

    clock.tick(timedelta(seconds=1))
    await run_until_idle(shop)

    assert (await count_of(shop, Cart), await count_of(shop, SavedLine)) == (2, 0)
    assert await old.get(VIEW) == {"cart": None}
    assert contents((await young.get(VIEW))["cart"]) == [("TEA-2", 1)]
    async with shop.database.reads() as session:
        mine = select(CartLine.quantity).join(Cart).where(Cart.account_id.is_not(None))
        assert list(await session.scalars(mine)) == [1]
    fresh = (await old.do(ADD, variantId=id_of(tea)))["cart"]
    assert (fresh["token"], fresh["version"]) == (None, 1)
    assert contents(fresh) == [("TEA-1", 1)]


async def test_deleting_many_carts_takes_as_many_statements_as_deleting_few(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 900})
    counts = []
    for many in (2, 40):
        for n in range(many):
            await create_cart(session, token_hash=f"{many}-{n}", lines={tea: 1}, now=clock())
        await session.commit()
        await run_until_idle(shop)
        clock.tick(shop.settings.deadlines.guest_cart_lifetime)
        with count_statements(shop) as counted:
            await run_until_idle(shop)
        counts.append(counted.total)
        assert (await count_of(shop, Cart), await count_of(shop, CartLine)) == (0, 0)
        assert await count_of(shop, Event) == 0

    assert counts[0] == counts[1]
