"""Orders that come in at the same time are placed together, each as if it were placed alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.utils.str_converters import to_camel_case

from app import create_app
from domain.cart import CartOwner
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, OutOfStock
from domain.order import BatchItem, OrderRequest, OrderTerms, RequestedDelivery, cancel_order, place_orders
from domain.stock import adjust_stock
from events.checkout.order_queue import Busy
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
from tests.clients import Clients
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
    plan_for,
    request_for,
)
from tests.observe import assert_books_agree, count_statements, wait_until


async def create_variant_in_stock(shop: Shop, units: int) -> Variant:
    async with shop.database.writes.begin() as session:
        return await a_variant(session, stock={"MAIN": units})


async def create_item(
    shop: Shop, variants: Sequence[Variant], *, account: Account | None = None
) -> BatchItem:
    """An order of one unit of each variant, by a new customer unless one is given."""
    async with shop.database.writes.begin() as session:
        buyer = account or await create_account(session)
        request = request_for(buyer, [(variant, 1) for variant in variants])
        plan = await plan_for(session, request, {SANDBOX: None})
    return BatchItem(request, plan, f"O-{plan.idempotency_key}")


async def create_items(shop: Shop, variant: Variant, buyers: int) -> list[BatchItem]:
    return [await create_item(shop, [variant]) for _ in range(buyers)]


async def place_all(shop: Shop, items: Sequence[BatchItem]) -> list[Order | BaseException]:
    return await asyncio.gather(*(shop.order_queue.place(item) for item in items), return_exceptions=True)


def count_results(results: Sequence[Order | BaseException]) -> Counter[str]:
    """How often each: an order, or a refusal by its code."""
    return Counter(
        result.code.value if isinstance(result, DomainError) else type(result).__name__ for result in results
    )


async def count_reserved(shop: Shop, variant: Variant) -> int:
    async with shop.database.reads() as session:
        level = StockLevel.variant_id == variant.id
        return await session.scalar(select(func.sum(StockLevel.reserved)).where(level)) or 0


async def assert_only(shop: Shop, *, orders: int) -> None:
    """The books agree, and refused orders have left no rows."""
    await assert_books_agree(shop)
    async with shop.database.reads() as session:
        for table in (Order, IdempotencyKey):
            assert await session.scalar(select(func.count()).select_from(table)) == orders
        assert await session.scalar(select(func.count()).where(Event.subject == Subject.ORDER)) == orders


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """What is sold out is refused without a look until units are freed."""
    return settings_for(database_url, tmp_path, sold_out_remembered=NEVER)


@pytest.mark.parametrize("buyers", [2, 8, 32])
async def test_the_last_unit_is_sold_once(shop: Shop, buyers: int) -> None:
    variant = await create_variant_in_stock(shop, 1)
    items = await create_items(shop, variant, buyers)

    results = await place_all(shop, items)

    assert count_results(results) == {"Order": 1, "OUT_OF_STOCK": buyers - 1}
    assert await count_reserved(shop, variant) == 1
    await assert_only(shop, orders=1)


async def test_orders_that_draw_the_same_number_are_both_placed(shop: Shop) -> None:
    variant = await create_variant_in_stock(shop, 100)
    first, *others = [
        replace(each, number="O26030112345678") for each in await create_items(shop, variant, 4)
    ]

    await shop.order_queue.place(first)
    results = await place_all(shop, others)

    placed = [result for result in results if isinstance(result, Order)]
    assert len({"O26030112345678", *(order.number for order in placed)}) == 4
    assert {order.number[:7] for order in placed} == {f"O{shop.clock():%y%m%d}"}
    again = await place_all(shop, others)
    assert [order.number for order in again if isinstance(order, Order)] == [each.number for each in placed]
    await assert_only(shop, orders=4)


async def test_a_refused_order_does_not_touch_the_others_of_its_group(shop: Shop) -> None:
    variant, rare = await create_variant_in_stock(shop, 100), await create_variant_in_stock(shop, 1)
    items = await create_items(shop, variant, 4)
    used = await create_item(shop, [variant])
    await shop.order_queue.place(used)
    lost = await create_item(shop, [variant, rare])
    await shop.order_queue.place(await create_item(shop, [rare]))
    nowhere, short = await create_items(shop, variant, 2)
    nowhere = replace(
        nowhere,
        request=replace(
            nowhere.request, deliveries=[RequestedDelivery(ShippingMethod.STANDARD, address_id=999)]
        ),
    )
    cheap = [replace(pay, amount=Money(1, pay.amount.currency)) for pay in short.payment_plan.payments]
    short = replace(short, payment_plan=replace(short.payment_plan, payments=cheap))
    again = replace(used, payment_plan=replace(used.payment_plan, note="Another one."), number="O-again")

    results = await place_all(shop, [items[0], lost, items[1], nowhere, short, items[2], again, items[3]])

    assert [count_results([result]).popitem()[0] for result in results] == [
        "Order", "OUT_OF_STOCK", "Order", "NOT_FOUND", "AMOUNT_MISMATCH", "Order", "KEY_REUSED", "Order",
    ]  # fmt: skip
    assert await count_reserved(shop, variant) == 5
    await assert_only(shop, orders=6)


async def test_an_unforeseen_error_fails_one_order_only(shop: Shop) -> None:
    variant = await create_variant_in_stock(shop, 100)
    items = await create_items(shop, variant, 5)
    broken = items[2]
    items[2] = replace(broken, payment_plan=replace(broken.payment_plan, note="half a character: \ud800"))

    results = await place_all(shop, items)

    assert [isinstance(result, Order) for result in results] == [True, True, False, True, True]
    assert not isinstance(results[2], DomainError)
    await assert_only(shop, orders=4)


async def test_the_same_key_at_once_gives_the_same_order(shop: Shop) -> None:
    variant = await create_variant_in_stock(shop, 100)
    item = await create_item(shop, [variant])
    others = await create_items(shop, variant, 3)
    twice = [replace(item, number=f"{item.number}-{attempt}") for attempt in range(5)]

    results = await place_all(shop, [*twice[:3], *others, *twice[3:]])

    orders = [result for result in results if isinstance(result, Order)]
    assert len(orders) == 8
    assert len({order.id for order in orders}) == 4
    assert {order.number for order in orders[:3] + orders[6:]} == {orders[0].number}
    assert await count_reserved(shop, variant) == 4
    await assert_only(shop, orders=4)


async def test_one_cart_is_ordered_once_whatever_the_keys(shop: Shop, session: AsyncSession) -> None:
    variant = await create_variant_in_stock(shop, 10)
    account = await create_account(session)
    await create_cart(session, account, lines={variant: 2})
    request = OrderRequest(CartOwner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
    plans = [await plan_for(session, request, {SANDBOX: None}) for _ in range(4)]
    await session.commit()

    results = await place_all(shop, [BatchItem(request, plan, f"O-{at}") for at, plan in enumerate(plans)])

    assert count_results(results) == {"Order": 1, "EMPTY": 3}
    assert await count_reserved(shop, variant) == 2
    await assert_only(shop, orders=1)


async def test_what_is_sold_out_is_refused_without_reading_stock_and_an_old_key_still_answered(
    shop: Shop,
) -> None:
    variant = await create_variant_in_stock(shop, 1)
    first, second, third = await create_items(shop, variant, 3)
    order = await shop.order_queue.place(first)
    with pytest.raises(OutOfStock):
        await shop.order_queue.place(second)

    with count_statements(shop) as counted, pytest.raises(OutOfStock) as refused:
        await shop.order_queue.place(third)
    again = await shop.order_queue.place(first)

    assert (str(refused.value), refused.value.field) == ("Oolong tea is sold out.", ("lines", 0, "quantity"))
    assert [text.split()[0] for text in counted.texts] == ["SELECT"]
    assert "stock_levels" not in counted.texts[0]
    assert again.id == order.id
    await assert_only(shop, orders=1)


async def test_many_refusals_of_what_is_sold_out_take_one_statement(shop: Shop) -> None:
    variant = await create_variant_in_stock(shop, 1)
    first, second, *others = await create_items(shop, variant, 12)
    await place_all(shop, [first])
    await place_all(shop, [second])

    with count_statements(shop) as counted:
        results = await place_all(shop, others)

    assert count_results(results) == {"OUT_OF_STOCK": 10}
    assert counted.total == 1


async def test_freed_units_are_sold_again_at_once(shop: Shop, session: AsyncSession) -> None:
    variant = await create_variant_in_stock(shop, 1)
    first, second, third, fourth = await create_items(shop, variant, 4)
    order = await shop.order_queue.place(first)
    assert count_results(await place_all(shop, [second])) == {"OUT_OF_STOCK": 1}

    await cancel_order(session, order.id, reason="changed my mind", cause=Cause(NOW))
    await session.commit()
    shop.after_commit(session)
    assert count_results(await place_all(shop, [second])) == {"Order": 1}
    assert count_results(await place_all(shop, [third])) == {"OUT_OF_STOCK": 1}
    main = (await session.scalars(select(Warehouse))).one()
    await adjust_stock(
        session,
        variant_id=variant.id,
        warehouse_id=main.id,
        kind=MovementKind.RECEIVED,
        quantity=1,
        reason="A box more.",
        cause=Cause(NOW, None),
    )
    await session.commit()
    shop.after_commit(session)

    assert count_results(await place_all(shop, [third, fourth])) == {"Order": 1, "OUT_OF_STOCK": 1}
    assert await count_reserved(shop, variant) == 2


async def test_units_that_another_process_has_freed_are_sold_within_moments(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    moment = timedelta(milliseconds=20)
    async with running_shop(settings_for(database_url, tmp_path, sold_out_remembered=moment), clock) as shop:
        variant = await create_variant_in_stock(shop, 1)
        first, second = await create_items(shop, variant, 2)
        order = await shop.order_queue.place(first)
        assert count_results(await place_all(shop, [second])) == {"OUT_OF_STOCK": 1}
        async with shop.database.writes.begin() as session:
            await cancel_order(session, order.id, reason="changed my mind", cause=Cause(NOW))

        await asyncio.sleep(moment.total_seconds())

        assert count_results(await place_all(shop, [second])) == {"Order": 1}


async def test_a_client_that_disconnects_does_not_touch_the_orders_of_others(shop: Shop) -> None:
    variant = await create_variant_in_stock(shop, 100)
    items = await create_items(shop, variant, 6)
    tasks = [asyncio.create_task(shop.order_queue.place(item)) for item in items]
    await asyncio.sleep(0.01)
    for gone in (0, 2, 5):
        tasks[gone].cancel()

    results = await asyncio.gather(*tasks, return_exceptions=True)
    await shop.order_queue.drain()

    assert count_results(results)["Order"] >= 3
    placed = await count_reserved(shop, variant)
    assert 3 <= placed <= 6
    await assert_only(shop, orders=placed)


@pytest.fixture
def narrow(settings: Settings, database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, placing_limit=3, placing_group_limit=2, placing_lanes=1)


async def test_beyond_a_limit_orders_are_refused_as_busy_and_placed_when_tried_again(
    narrow: Settings, clock: Clock
) -> None:
    async with running_shop(narrow, clock) as shop:
        variant = await create_variant_in_stock(shop, 100)
        items = await create_items(shop, variant, 10)

        results = await place_all(shop, items)

        assert count_results(results) == {"Order": 3, "BUSY": 7}
        refusals = [result for result in results if isinstance(result, Busy)]
        assert all(0.05 <= (refusal.retry_after_seconds or 0) <= 0.1 for refusal in refusals)
        assert count_results(await place_all(shop, items[3:6])) == {"Order": 3}
        assert count_results(await place_all(shop, items[6:9])) == {"Order": 3}
        assert count_results(await place_all(shop, items[8:])) == {"Order": 2}
        await assert_only(shop, orders=10)


PLACE = """
mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) { order { number } userErrors { code message field retryAfterSeconds } }
}
"""


async def test_busy_says_when_to_try_again(narrow: Settings, clock: Clock) -> None:
    app = create_app(narrow, clock=clock)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        variant = await create_variant_in_stock(clients.shop, 100)
        given = {name: text for name, text in asdict(HANGZHOU).items() if text is not None}
        postal = {to_camel_case(name): text for name, text in given.items()}
        order = {
            "lines": [{"variantId": global_id("Variant", variant.id), "quantity": 1}],
            "deliveries": [{"address": {"postal": postal}}],
            "payments": [{"method": "SANDBOX", "amount": {"amount": "99.00", "currencyCode": "CNY"}}],
            "idempotencyKey": "k",
        }
        customers = [await clients.customer() for _ in range(8)]

        async with clients.shop.database.writes.begin() as session:
            await session.execute(select(StockLevel).with_for_update())  # so that nobody can be served
            asked = [asyncio.create_task(customer.do(PLACE, **order)) for customer in customers]
            await wait_until(lambda: sum(task.done() for task in asked) == 5)
        answers = await asyncio.gather(*asked)

        refused = [answer["userErrors"] for answer in answers if answer["userErrors"]]
        assert [[error["code"] for error in errors] for errors in refused] == [["BUSY"]] * 5
        assert all(0.05 <= error["retryAfterSeconds"] <= 0.1 for [error] in refused)
        await assert_only(clients.shop, orders=3)


@asynccontextmanager
async def running_shop(settings: Settings, clock: Clock) -> AsyncIterator[Shop]:
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app):
        yield app.state.shop


async def test_two_servers_sell_no_more_than_there_is(settings: Settings, clock: Clock, shop: Shop) -> None:
    async with running_shop(settings, clock) as other:
        variant, second = await create_variant_in_stock(shop, 10), await create_variant_in_stock(shop, 7)
        items = [await create_item(shop, [variant, second]) for _ in range(12)]
        items += [await create_item(shop, [second, variant]) for _ in range(12)]
        shared = items[0]

        here, there = await asyncio.gather(
            place_all(shop, items[:14]), place_all(other, [shared, *items[14:]])
        )

    orders = {result.id for result in (*here, *there) if isinstance(result, Order)}
    assert len(orders) == 7
    assert set(count_results([*here, *there])) == {"Order", "OUT_OF_STOCK"}
    assert count_results([here[0]]) == count_results([there[0]])
    assert (await count_reserved(shop, variant), await count_reserved(shop, second)) == (7, 7)
    await assert_only(shop, orders=7)


@pytest.mark.parametrize("members", [2, 20])
async def test_a_group_takes_as_many_statements_for_many_as_for_few(
    shop: Shop, session: AsyncSession, members: int
) -> None:
    variant, other = await create_variant_in_stock(shop, 100), await create_variant_in_stock(shop, 100)
    items = []
    await create_order(session)
    for at in range(members):
        account = await create_account(session)
        await create_cart(session, account, lines={variant: 1, other: 2})
        request = OrderRequest(CartOwner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
        items.append(BatchItem(request, await plan_for(session, request, {SANDBOX: None}), f"O-{at}"))
    await session.commit()

    with count_statements(shop) as counted:
        results = await place_orders(session, items, OrderTerms(OFFERED, PAY_WITHIN), cause=Cause(NOW))
        await session.commit()

    assert count_results(results) == {"Order": members}
    assert counted.total == (11 if shop.database.dialect == "sqlite" else 9), counted.texts
    moved = await session.scalar(
        select(func.count()).where(
            StockMovement.kind == MovementKind.RESERVED,
            StockMovement.variant_id.in_((variant.id, other.id)),
        )
    )
    await session.commit()
    assert moved == 2 * members
    await assert_only(shop, orders=members + 1)


async def test_two_orders_of_one_buyer_are_not_placed_together(shop: Shop, session: AsyncSession) -> None:
    variant = await create_variant_in_stock(shop, 10)
    first = await create_item(shop, [variant])

    with pytest.raises(ValueError, match="not placed together"):
        await place_orders(session, [first, first], OrderTerms(OFFERED, PAY_WITHIN), cause=Cause(NOW))
    await session.rollback()

    assert ErrorCode.BUSY is Busy.code
