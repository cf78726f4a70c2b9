"""Orders that come in together are placed together, and none is the worse for it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from strawberry.utils.str_converters import to_camel_case

from app import create_app
from domain.cart import Owner
from domain.errors import DomainError, ErrorCode, OutOfStock
from domain.order import Placement, Terms, WantedDelivery, Wish, cancel_order, place_orders
from domain.stock import adjust
from events.placing import Busy
from events.shop import Shop
from models import (
    Account,
    Event,
    IdempotencyKey,
    Money,
    MovementKind,
    Order,
    ShippingMethod,
    StockLevel,
    StockMovement,
    Subject,
    Variant,
    Warehouse,
)
from resolvers.ids import global_id
from settings import Settings
from tests.conftest import NEVER, Clock, settings_for
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.factories.order import (
    HANGZHOU,
    NOW,
    OFFERED,
    PAY_WITHIN,
    SANDBOX,
    a_variant,
    create_order,
    deliver_to,
    promise_for,
    wish_for,
)
from tests.front import Front
from tests.observe import sound, statements, until


async def stocked(shop: Shop, units: int) -> Variant:
    async with shop.database.writes.begin() as session:
        return await a_variant(session, stock={"MAIN": units})


async def wanting(shop: Shop, variants: Sequence[Variant], *, account: Account | None = None) -> Placement:
    """Somebody new who wants one of each."""
    async with shop.database.writes.begin() as session:
        buyer = account or await create_account(session)
        wish = wish_for(buyer, [(variant, 1) for variant in variants])
        promise = await promise_for(session, wish, {SANDBOX: None})
    return Placement(wish, promise, f"O-{promise.idempotency_key}")


async def many(shop: Shop, variant: Variant, buyers: int) -> list[Placement]:
    return [await wanting(shop, [variant]) for _ in range(buyers)]


async def all_placed(shop: Shop, placements: Sequence[Placement]) -> list[Order | BaseException]:
    return await asyncio.gather(
        *(shop.placing.place(shop, placement) for placement in placements), return_exceptions=True
    )


def kinds(outcomes: Sequence[Order | BaseException]) -> Counter[str]:
    """How often each: an order, or a refusal by its code."""
    return Counter(
        outcome.code.value if isinstance(outcome, DomainError) else type(outcome).__name__
        for outcome in outcomes
    )


async def reserved(shop: Shop, variant: Variant) -> int:
    async with shop.database.reads() as session:
        level = StockLevel.variant_id == variant.id
        return await session.scalar(select(func.sum(StockLevel.reserved)).where(level)) or 0


async def nothing_but(shop: Shop, *, orders: int) -> None:
    """The books agree, and what was refused has left nothing behind."""
    await sound(shop)
    async with shop.database.reads() as session:
        for table in (Order, IdempotencyKey):
            assert await session.scalar(select(func.count()).select_from(table)) == orders
        assert await session.scalar(select(func.count()).where(Event.subject == Subject.ORDER)) == orders


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """What is sold out stays so until something comes back."""
    return settings_for(database_url, tmp_path, sold_out_remembered=NEVER)


@pytest.mark.parametrize("buyers", [2, 8, 32])
async def test_the_last_unit_is_sold_once_whoever_comes(shop: Shop, buyers: int) -> None:
    variant = await stocked(shop, 1)
    placements = await many(shop, variant, buyers)

    outcomes = await all_placed(shop, placements)

    assert kinds(outcomes) == {"Order": 1, "OUT_OF_STOCK": buyers - 1}
    assert await reserved(shop, variant) == 1
    await nothing_but(shop, orders=1)


async def test_orders_that_draw_the_same_number_are_both_placed(shop: Shop) -> None:
    variant = await stocked(shop, 100)
    first, *others = [replace(each, number="O26030112345678") for each in await many(shop, variant, 4)]

    await shop.placing.place(shop, first)
    outcomes = await all_placed(shop, others)

    placed = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    assert len({"O26030112345678", *(order.number for order in placed)}) == 4
    assert {order.number[:7] for order in placed} == {f"O{shop.clock():%y%m%d}"}
    again = await all_placed(shop, others)
    assert [order.number for order in again if isinstance(order, Order)] == [each.number for each in placed]
    await nothing_but(shop, orders=4)


async def test_who_is_refused_is_refused_alone(shop: Shop) -> None:
    variant, rare = await stocked(shop, 100), await stocked(shop, 1)
    good = await many(shop, variant, 4)
    used = await wanting(shop, [variant])
    await shop.placing.place(shop, used)
    lost = await wanting(shop, [variant, rare])
    await shop.placing.place(shop, await wanting(shop, [rare]))
    nowhere, short = await many(shop, variant, 2)
    nowhere = replace(
        nowhere,
        wish=replace(nowhere.wish, deliveries=[WantedDelivery(ShippingMethod.STANDARD, address_id=999)]),
    )
    cheap = [replace(pay, amount=Money(1, pay.amount.currency)) for pay in short.promise.payments]
    short = replace(short, promise=replace(short.promise, payments=cheap))
    again = replace(used, promise=replace(used.promise, note="Another one."), number="O-again")

    outcomes = await all_placed(shop, [good[0], lost, good[1], nowhere, short, good[2], again, good[3]])

    assert [kinds([outcome]).popitem()[0] for outcome in outcomes] == [
        "Order", "OUT_OF_STOCK", "Order", "NOT_FOUND", "AMOUNT_MISMATCH", "Order", "KEY_REUSED", "Order",
    ]  # fmt: skip
    assert await reserved(shop, variant) == 5
    await nothing_but(shop, orders=6)


async def test_what_nobody_foresaw_happens_to_one_alone(shop: Shop) -> None:
    variant = await stocked(shop, 100)
    placements = await many(shop, variant, 5)
    broken = placements[2]
    placements[2] = replace(broken, promise=replace(broken.promise, note="half a character: \ud800"))

    outcomes = await all_placed(shop, placements)

    assert [isinstance(outcome, Order) for outcome in outcomes] == [True, True, False, True, True]
    assert not isinstance(outcomes[2], DomainError)
    await nothing_but(shop, orders=4)


async def test_the_same_key_at_once_is_one_order_and_one_answer(shop: Shop) -> None:
    variant = await stocked(shop, 100)
    placement = await wanting(shop, [variant])
    others = await many(shop, variant, 3)
    twice = [replace(placement, number=f"{placement.number}-{attempt}") for attempt in range(5)]

    outcomes = await all_placed(shop, [*twice[:3], *others, *twice[3:]])

    orders = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    assert len(orders) == 8
    assert len({order.id for order in orders}) == 4
    assert {order.number for order in orders[:3] + orders[6:]} == {orders[0].number}
    assert await reserved(shop, variant) == 4
    await nothing_but(shop, orders=4)


async def test_one_cart_is_ordered_once_with_whatever_key(shop: Shop) -> None:
    variant = await stocked(shop, 10)
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        await create_cart(session, account, lines={variant: 2})
        wish = Wish(Owner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
        promises = [await promise_for(session, wish, {SANDBOX: None}) for _ in range(4)]

    outcomes = await all_placed(
        shop, [Placement(wish, promise, f"O-{at}") for at, promise in enumerate(promises)]
    )

    assert kinds(outcomes) == {"Order": 1, "EMPTY": 3}
    assert await reserved(shop, variant) == 2
    await nothing_but(shop, orders=1)


async def test_the_sold_out_is_refused_without_touching_it_and_an_old_key_still_answered(shop: Shop) -> None:
    variant = await stocked(shop, 1)
    first, second, third = await many(shop, variant, 3)
    order = await shop.placing.place(shop, first)
    with pytest.raises(OutOfStock):
        await shop.placing.place(shop, second)

    with statements(shop) as counted, pytest.raises(OutOfStock) as refused:
        await shop.placing.place(shop, third)
    again = await shop.placing.place(shop, first)

    assert (str(refused.value), refused.value.field) == ("Oolong tea is sold out.", ("lines", 0, "quantity"))
    assert [text.split()[0] for text in counted.texts] == ["SELECT"]
    assert "stock_levels" not in counted.texts[0]
    assert again.id == order.id
    await nothing_but(shop, orders=1)


async def test_all_who_are_told_together_that_it_is_sold_out_cost_one_statement(shop: Shop) -> None:
    variant = await stocked(shop, 1)
    first, second, *others = await many(shop, variant, 12)
    await all_placed(shop, [first])
    await all_placed(shop, [second])

    with statements(shop) as counted:
        outcomes = await all_placed(shop, others)

    assert kinds(outcomes) == {"OUT_OF_STOCK": 10}
    assert counted.total == 1


async def test_what_comes_back_is_sold_again_at_once(shop: Shop) -> None:
    variant = await stocked(shop, 1)
    first, second, third, fourth = await many(shop, variant, 4)
    order = await shop.placing.place(shop, first)
    assert kinds(await all_placed(shop, [second])) == {"OUT_OF_STOCK": 1}

    async with shop.database.writes.begin() as session:
        await cancel_order(session, order.id, reason="changed my mind", now=NOW)
    shop.committed(session)
    assert kinds(await all_placed(shop, [second])) == {"Order": 1}
    assert kinds(await all_placed(shop, [third])) == {"OUT_OF_STOCK": 1}
    async with shop.database.writes.begin() as session:
        main = (await session.scalars(select(Warehouse))).one()
        await adjust(
            session,
            variant_id=variant.id,
            warehouse_id=main.id,
            kind=MovementKind.RECEIVED,
            quantity=1,
            reason="A box more.",
            now=NOW,
            by=None,
        )
    shop.committed(session)

    assert kinds(await all_placed(shop, [third, fourth])) == {"Order": 1, "OUT_OF_STOCK": 1}
    assert await reserved(shop, variant) == 2


async def test_what_another_process_brings_back_is_sold_within_moments(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    moment = timedelta(milliseconds=20)
    async with opened(settings_for(database_url, tmp_path, sold_out_remembered=moment), clock) as shop:
        variant = await stocked(shop, 1)
        first, second = await many(shop, variant, 2)
        order = await shop.placing.place(shop, first)
        assert kinds(await all_placed(shop, [second])) == {"OUT_OF_STOCK": 1}
        async with shop.database.writes.begin() as session:
            await cancel_order(session, order.id, reason="changed my mind", now=NOW)

        await asyncio.sleep(moment.total_seconds())

        assert kinds(await all_placed(shop, [second])) == {"Order": 1}


async def test_who_hangs_up_breaks_nobody_elses_order(shop: Shop) -> None:
    variant = await stocked(shop, 100)
    placements = await many(shop, variant, 6)
    tasks = [asyncio.create_task(shop.placing.place(shop, placement)) for placement in placements]
    await asyncio.sleep(0.01)
    for gone in (0, 2, 5):
        tasks[gone].cancel()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await shop.placing.drain()

    assert kinds(outcomes)["Order"] >= 3
    placed = await reserved(shop, variant)
    assert 3 <= placed <= 6
    await nothing_but(shop, orders=placed)


@pytest.fixture
def narrow(settings: Settings, database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, placing_limit=3, placing_group_limit=2, placing_lanes=1)


async def test_beyond_a_limit_the_answer_is_busy_and_who_comes_back_is_served(
    narrow: Settings, clock: Clock
) -> None:
    async with opened(narrow, clock) as shop:
        variant = await stocked(shop, 100)
        placements = await many(shop, variant, 10)

        outcomes = await all_placed(shop, placements)

        assert kinds(outcomes) == {"Order": 3, "BUSY": 7}
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Busy)]
        assert all(0.05 <= (refusal.retry_after_seconds or 0) <= 0.1 for refusal in refusals)
        assert kinds(await all_placed(shop, placements[3:6])) == {"Order": 3}
        assert kinds(await all_placed(shop, placements[6:9])) == {"Order": 3}
        assert kinds(await all_placed(shop, placements[8:])) == {"Order": 2}
        await nothing_but(shop, orders=10)


PLACE = """
mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) { order { number } userErrors { code message field retryAfterSeconds } }
}
"""


async def test_busy_says_when_to_come_back(narrow: Settings, clock: Clock) -> None:
    app = create_app(narrow, clock=clock)
    async with app.router.lifespan_context(app), Front.open(app) as front:
        variant = await stocked(front.shop, 100)
        postal = {to_camel_case(name): text for name, text in asdict(HANGZHOU).items()}
        order = {
            "lines": [{"variantId": global_id("Variant", variant.id), "quantity": 1}],
            "deliveries": [{"address": {"postal": postal}}],
            "payments": [{"method": "SANDBOX", "amount": {"amount": "99.00", "currencyCode": "CNY"}}],
            "idempotencyKey": "k",
        }
        customers = [await front.customer() for _ in range(8)]

        async with front.shop.database.writes.begin() as session:
            await session.execute(select(StockLevel).with_for_update())  # so that nobody can be served
            asked = [asyncio.create_task(customer.do(PLACE, **order)) for customer in customers]
            await until(lambda: sum(task.done() for task in asked) == 5)
        told = await asyncio.gather(*asked)

        refused = [answer["userErrors"] for answer in told if answer["userErrors"]]
        assert [[error["code"] for error in errors] for errors in refused] == [["BUSY"]] * 5
        assert all(0.05 <= error["retryAfterSeconds"] <= 0.1 for [error] in refused)
        await nothing_but(front.shop, orders=3)


@asynccontextmanager
async def opened(settings: Settings, clock: Clock) -> AsyncIterator[Shop]:
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app):
        yield app.state.shop


async def test_two_servers_sell_what_there_is_and_not_one_more(
    settings: Settings, clock: Clock, shop: Shop
) -> None:
    async with opened(settings, clock) as other:
        variant, second = await stocked(shop, 10), await stocked(shop, 7)
        placements = [await wanting(shop, [variant, second]) for _ in range(12)]
        placements += [await wanting(shop, [second, variant]) for _ in range(12)]
        shared = placements[0]

        here, there = await asyncio.gather(
            all_placed(shop, placements[:14]), all_placed(other, [shared, *placements[14:]])
        )

    orders = {outcome.id for outcome in (*here, *there) if isinstance(outcome, Order)}
    assert len(orders) == 7
    assert set(kinds([*here, *there])) == {"Order", "OUT_OF_STOCK"}
    assert kinds([here[0]]) == kinds([there[0]])
    assert (await reserved(shop, variant), await reserved(shop, second)) == (7, 7)
    await nothing_but(shop, orders=7)


@pytest.mark.parametrize("members", [2, 20])
async def test_a_group_takes_as_many_statements_for_many_as_for_few(shop: Shop, members: int) -> None:
    variant, other = await stocked(shop, 100), await stocked(shop, 100)
    placements = []
    async with shop.database.writes.begin() as session:
        await create_order(session)
        for at in range(members):
            account = await create_account(session)
            await create_cart(session, account, lines={variant: 1, other: 2})
            wish = Wish(Owner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
            placements.append(Placement(wish, await promise_for(session, wish, {SANDBOX: None}), f"O-{at}"))

    with statements(shop) as counted:
        async with shop.database.writes.begin() as session:
            outcomes = await place_orders(session, placements, Terms(OFFERED, PAY_WITHIN), now=NOW)

    assert kinds(outcomes) == {"Order": members}
    assert counted.total == (10 if shop.database.dialect == "sqlite" else 8), counted.texts
    async with shop.database.reads() as session:
        moved = await session.scalar(
            select(func.count()).where(
                StockMovement.kind == MovementKind.RESERVED,
                StockMovement.variant_id.in_((variant.id, other.id)),
            )
        )
    assert moved == 2 * members
    await nothing_but(shop, orders=members + 1)


async def test_two_orders_of_one_buyer_are_not_placed_together(shop: Shop) -> None:
    variant = await stocked(shop, 10)
    first = await wanting(shop, [variant])

    with pytest.raises(ValueError, match="not placed together"):
        async with shop.database.writes.begin() as session:
            await place_orders(session, [first, first], Terms(OFFERED, PAY_WITHIN), now=NOW)

    assert ErrorCode.BUSY is Busy.code
