"""Units beyond the stock: counted, filled first when stock comes, packed only then, given back exactly."""

import asyncio

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import ClaimedUnits
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import Conflict, OutOfStock
from domain.order import SoldMeanwhile, cancel_order, quote_order, tell_filled_backorders
from domain.shipment import ParcelLine, ParcelToPack, find_unpacked_parcels, pack_shipments
from domain.stock import adjust_stock, set_levels, transfer_stock
from events.shop import Shop
from models import (
    Account,
    Backorder,
    Event,
    MovementKind,
    Order,
    OrderLine,
    StockLevel,
    StockMovement,
    Variant,
)
from models.database import Database
from tests.factories.account import create_account
from tests.factories.order import (
    NOW,
    RECEIPT_AFTER,
    a_variant,
    create_order,
    deliver,
    events_of,
    pay,
    request_for,
)
from tests.factories.stock import create_warehouse, receive
from tests.observe import TIMEOUT_SECONDS, count_statements, find_disagreements, run_until_idle

CAUSE = Cause(NOW)


async def level_of(session: AsyncSession, variant: Variant, warehouse_id: int = 1) -> tuple[int, int, int]:
    """Units on hand, reserved and backordered."""
    level = await session.get_one(StockLevel, (variant.id, warehouse_id), populate_existing=True)
    return level.on_hand, level.reserved, level.backordered


async def waiting_of(session: AsyncSession, order: Order) -> int:
    units = await session.scalars(select(Backorder.quantity).where(Backorder.order_id == order.id))
    return sum(units)


async def backorderable(session: AsyncSession, units: int, **options: object) -> Variant:
    return await a_variant(session, sells_when_out=True, stock={"MAIN": units}, **options)


async def lines_of(session: AsyncSession, order: Order) -> list[OrderLine]:
    return list(
        await session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        )
    )


async def test_what_is_there_is_reserved_and_the_rest_waits(shop: Shop, session: AsyncSession) -> None:
    variant = await backorderable(session, 2)

    order = await create_order(session, lines=[(variant, 5)])

    assert await level_of(session, variant) == (2, 2, 3)
    assert await waiting_of(session, order) == 3
    kinds = await session.execute(
        select(StockMovement.kind, StockMovement.reserved, StockMovement.backordered)
        .where(StockMovement.order_id == order.id)
        .order_by(StockMovement.id)
    )
    assert sorted(kinds) == [(MovementKind.BACKORDERED, 0, 3), (MovementKind.RESERVED, 2, 0)]
    await session.commit()


async def test_a_quote_says_how_many_units_would_wait(shop: Shop, session: AsyncSession) -> None:
    variant = await backorderable(session, 2)
    request = request_for(await create_account(session), [(variant, 5)])

    quote = await quote_order(session, request, now=NOW)

    assert [line.backordered for line in quote.lines] == [3]
    assert quote.problems == []


async def test_stock_that_comes_fills_the_oldest_backorders_first(shop: Shop, session: AsyncSession) -> None:
    variant = await backorderable(session, 0)
    first = await create_order(session, lines=[(variant, 2)])
    second = await create_order(session, lines=[(variant, 4)])

    await pay(session, first)
    await pay(session, second)

    await receive(session, variant, 3)

    assert await level_of(session, variant) == (3, 3, 3)
    assert (await waiting_of(session, first), await waiting_of(session, second)) == (0, 3)
    await receive(session, variant, 10)
    assert await level_of(session, variant) == (13, 6, 0)
    await session.commit()
    await run_until_idle(shop)
    assert (await events_of(session, second)).count("order.backorders_filled") == 1
    assert list(await session.scalars(select(Backorder.id))) == []


@pytest.mark.parametrize("way", ["corrected", "counted", "transferred", "released"])
async def test_stock_that_becomes_free_in_any_way_fills_backorders(
    shop: Shop, session: AsyncSession, way: str
) -> None:
    variant = await backorderable(session, 1)
    holder = await create_order(session, lines=[(variant, 1)])
    waiter = await create_order(session, lines=[(variant, 2)])
    second = await create_warehouse(session)

    match way:
        case "corrected":
            await adjust_stock(
                session,
                variant_id=variant.id,
                warehouse_id=1,
                kind=MovementKind.CORRECTED,
                quantity=1,
                reason="Found.",
                cause=CAUSE,
            )
        case "counted":
            await set_levels(session, {(variant.id, 1): 2}, reason="Counted.", cause=CAUSE)
        case "transferred":
            await receive(session, variant, 1, second.id)
            assert await waiting_of(session, waiter) == 2
            await transfer_stock(
                session,
                variant_id=variant.id,
                warehouse_id=second.id,
                to_warehouse_id=1,
                quantity=1,
                reason="For those who wait.",
                cause=CAUSE,
            )
        case "released":
            await cancel_order(session, holder.id, reason="No.", cause=CAUSE)

    assert await waiting_of(session, waiter) == 1
    await session.commit()


async def test_a_cancelled_order_gives_back_what_was_reserved_and_its_place(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await backorderable(session, 2)
    order = await create_order(session, lines=[(variant, 5)])
    later = await create_order(session, lines=[(variant, 1)])

    await cancel_order(session, order.id, reason="Too long.", cause=CAUSE)

    assert await level_of(session, variant) == (2, 1, 0)
    assert await waiting_of(session, later) == 0
    await session.commit()


async def test_cancelled_units_are_those_that_wait_first(shop: Shop, session: AsyncSession) -> None:
    variant = await backorderable(session, 2)
    order = await create_order(session, lines=[(variant, 5)])
    [line] = await lines_of(session, order)

    await cancel(session, order, line, 2)
    assert await level_of(session, variant) == (2, 2, 1)
    await cancel(session, order, line, 2)

    assert await level_of(session, variant) == (2, 1, 0)
    assert await waiting_of(session, order) == 0
    await session.commit()


async def cancel(session: AsyncSession, order: Order, line: OrderLine, units: int) -> None:
    claimed = [ClaimedUnits(line.id, units)]
    await cancel_lines(session, order.id, claimed, reason="No.", receipt_after=RECEIPT_AFTER, cause=CAUSE)


async def test_only_what_is_there_is_packed(shop: Shop, session: AsyncSession) -> None:
    variant = await backorderable(session, 2)
    order = await create_order(session, lines=[(variant, 5)])
    await pay(session, order)
    [(delivery_id, parcel)] = await find_unpacked_parcels(session, order.id)
    [part] = parcel.lines
    too_many = ParcelToPack([ParcelLine(part.delivery_line_id, 3)])

    with pytest.raises(Conflict, match="Only 2 of Oolong tea can be packed"):
        await pack_shipments(session, delivery_id, [too_many], numbers=["P1"], cause=CAUSE)

    assert part.quantity == 2
    await pack_shipments(session, delivery_id, [parcel], numbers=["P2"], cause=CAUSE)
    assert await find_unpacked_parcels(session, order.id) == []
    await receive(session, variant, 3)
    [(_, rest)] = await find_unpacked_parcels(session, order.id)
    assert rest.lines[0].quantity == 3
    await deliver(session, order)
    assert await level_of(session, variant) == (2, 2, 0)
    await session.commit()


async def test_the_audit_finds_units_that_wait_though_some_are_there(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await backorderable(session, 0)
    await create_order(session, lines=[(variant, 2)])
    level = (StockLevel.variant_id == variant.id) & (StockLevel.warehouse_id == 1)
    await session.execute(update(StockLevel).where(level).values(on_hand=1))

    found = [(each.rule, each.expected, each.found) for each in await audit_books(session)]

    assert found == [("on hand as moved", "0", "1"), ("backordered as ordered", "0", "2")]
    await session.rollback()


async def test_variants_that_sell_out_never_wait(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session, stock={"MAIN": 2})

    with pytest.raises(OutOfStock):
        await create_order(session, lines=[(variant, 3)])

    assert await level_of(session, variant) == (2, 0, 0)


async def test_an_order_without_backorders_needs_no_more_statements(
    shop: Shop, session: AsyncSession
) -> None:
    in_stock, waiting = await a_variant(session), await backorderable(session, 100)
    account, other = await create_account(session), await create_account(session)
    with count_statements(shop) as plain:
        await create_order(session, account=account, lines=[(in_stock, 1)])
    with count_statements(shop) as backorders:
        await create_order(session, account=other, lines=[(waiting, 1)])
    assert backorders.total == plain.total
    await session.commit()


async def test_who_waits_is_served_before_anybody_who_buys_when_the_stock_comes(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        variant = await backorderable(session, 0)
        waiting = [await create_order(session, lines=[(variant, 1)]) for _ in range(4)]
        buyers = [await create_account(session) for _ in range(8)]
    together = asyncio.Barrier(12)

    async def buy(account: Account) -> None:
        await together.wait()
        for attempt in range(10):
            try:
                async with crowd.writes.begin() as session:
                    await create_order(session, account=account, lines=[(variant, 1)])
                return
            except SoldMeanwhile:
                await asyncio.sleep(0.01 * attempt)
        raise AssertionError("stock changed at each attempt")

    async def deliver_one(_: int) -> None:
        await together.wait()
        async with crowd.writes.begin() as session:
            await receive(session, variant, 1)

    await asyncio.gather(*map(buy, buyers), *map(deliver_one, range(4)))

    async with crowd.reads() as session:
        assert await level_of(session, variant) == (4, 4, 8)
        assert [await waiting_of(session, order) for order in waiting] == [0, 0, 0, 0]
    assert await find_disagreements(crowd) == []


async def test_stock_that_comes_while_an_order_tells_of_earlier_stock_is_told_of_once(
    crowd: Database,
) -> None:
    async with crowd.writes.begin() as session:
        variant = await backorderable(session, 0)
        order = await create_order(session, lines=[(variant, 3)])
        await receive(session, variant, 1)

    async def receive_two() -> None:
        async with crowd.writes.begin() as session:
            await receive(session, variant, 2)

    async with crowd.writes.begin() as session:
        await tell_filled_backorders(session, order.id, cause=CAUSE)
        arrival = asyncio.create_task(receive_two())
        await wait_for_lock(crowd)
    await arrival
    async with crowd.writes.begin() as session:
        await tell_filled_backorders(session, order.id, cause=CAUSE)

    async with crowd.reads() as session:
        rows = await session.scalars(
            select(Event.payload).where(Event.name == "order.backorders_filled").order_by(Event.id)
        )
        assert [line["quantity"] for payload in rows for line in payload["lines"]] == [1, 2]
    assert await find_disagreements(crowd) == []


async def wait_for_lock(crowd: Database) -> None:
    """Return when a connection waits for a lock."""
    ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with asyncio.timeout(TIMEOUT_SECONDS), crowd.reads() as session:
        while not await session.scalar(text(f"{ours} AND wait_event_type = 'Lock'")):
            await session.execute(text("SELECT pg_stat_clear_snapshot()"))


async def test_stock_that_comes_while_those_who_wait_cancel_is_neither_lost_nor_stuck(
    crowd: Database,
) -> None:
    async with crowd.writes.begin() as session:
        variant = await backorderable(session, 1)
        orders = [await create_order(session, lines=[(variant, 2)]) for _ in range(8)]
        lines = [(await lines_of(session, order))[0] for order in orders]
    together = asyncio.Barrier(16)

    async def give_up(order: Order, line: OrderLine) -> None:
        await together.wait()
        async with crowd.writes.begin() as session:
            if order.id % 2:
                await cancel_order(session, order.id, reason="Too long.", cause=CAUSE)
            else:
                await cancel(session, order, line, 1)

    async def deliver_one(_: int) -> None:
        await together.wait()
        async with crowd.writes.begin() as session:
            await receive(session, variant, 1)

    given_up = [give_up(order, line) for order, line in zip(orders, lines, strict=True)]
    await asyncio.gather(*given_up, *map(deliver_one, range(8)))

    async with crowd.reads() as session:
        assert await level_of(session, variant) == (9, 4, 0)
    assert await find_disagreements(crowd) == []
