"""Stock: nothing is sold twice, and every number has its reasons."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, ErrorCode, OutOfStock, WrongState
from domain.stock import (
    STOCK_LIMIT,
    Allocation,
    adjust,
    levels,
    main_warehouse,
    release,
    reserve,
    set_levels,
    ship,
    take_back,
    transfer,
    warehouses,
)
from events.shop import Shop
from models import MovementKind, StockMovement, Variant
from tests.factories.catalog import NOW, create_product, variant_of
from tests.factories.stock import create_warehouse
from tests.observe import statements

Numbers = tuple[int, int, int]
"""On hand, reserved, damaged."""


async def stocked(session: AsyncSession, units: int, **given: str) -> Variant:
    product = await create_product(session, stock={"MAIN": units}, options=given or None)
    return await variant_of(session, product)


async def numbers(session: AsyncSession, variant: Variant) -> list[Numbers]:
    found = (await levels(session, [variant.id]))[variant.id]
    return [(level.on_hand, level.reserved, level.damaged) for level in found]


async def sums(session: AsyncSession) -> list[Sequence[int]]:
    """The sum of all movements, by place."""
    rows = await session.execute(
        select(
            StockMovement.variant_id,
            StockMovement.warehouse_id,
            func.sum(StockMovement.on_hand),
            func.sum(StockMovement.reserved),
            func.sum(StockMovement.damaged),
        )
        .group_by(StockMovement.variant_id, StockMovement.warehouse_id)
        .order_by(StockMovement.variant_id, StockMovement.warehouse_id)
    )
    return [tuple(map(int, row)) for row in rows]


async def last_movement(session: AsyncSession) -> StockMovement:
    return (await session.scalars(select(StockMovement).order_by(StockMovement.id.desc()).limit(1))).one()


def want(variant: Variant, quantity: int, warehouse_id: int = 1) -> Allocation:
    return Allocation(variant.id, warehouse_id, quantity)


async def test_what_is_reserved_stays_on_hand_until_it_ships(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 10)

        await reserve(session, [want(variant, 4)], order_id=None, now=NOW)
        assert await numbers(session, variant) == [(10, 4, 0)]

        await ship(session, [want(variant, 3)], order_id=None, now=NOW)
        assert await numbers(session, variant) == [(7, 1, 0)]

        await release(session, [want(variant, 1)], order_id=None, now=NOW)
        assert await numbers(session, variant) == [(7, 0, 0)]


async def test_goods_come_back_to_be_sold_or_damaged(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 10)

        await take_back(session, [want(variant, 2)], damaged=False, order_id=None, now=NOW)
        await take_back(session, [want(variant, 1)], damaged=True, order_id=None, now=NOW)

        assert await numbers(session, variant) == [(12, 0, 1)]


async def test_more_than_is_left_cannot_be_reserved(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        plenty, few = await stocked(session, 10), await stocked(session, 2, Size="M")

    with pytest.raises(OutOfStock, match=r"^Only 2 of Oolong tea \(M\) left\.$"):
        async with shop.database.writes.begin() as session:
            await reserve(session, [want(plenty, 1), want(few, 3)], order_id=None, now=NOW)

    async with shop.database.reads() as session:
        assert await numbers(session, plenty) == [(10, 0, 0)]
        assert await numbers(session, few) == [(2, 0, 0)]
        assert await session.scalar(select(func.count()).select_from(StockMovement)) == 2


async def test_what_is_sold_out_says_so(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 0)

        with pytest.raises(OutOfStock, match="is sold out") as refused:
            await reserve(session, [want(variant, 1)], order_id=None, now=NOW)

    assert refused.value.left == 0


async def test_the_same_goods_wanted_twice_count_twice(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)

        with pytest.raises(OutOfStock):
            await reserve(session, [want(variant, 3), want(variant, 3)], order_id=None, now=NOW)


@pytest.mark.parametrize("change", [release, ship])
async def test_what_is_not_reserved_cannot_leave(shop: Shop, change: Callable[..., Awaitable[None]]) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)
        await reserve(session, [want(variant, 1)], order_id=None, now=NOW)

        with pytest.raises(WrongState):
            await change(session, [want(variant, 2)], order_id=None, now=NOW)

        assert await numbers(session, variant) == [(5, 1, 0)]


async def test_levels_are_the_sum_of_their_movements(shop: Shop) -> None:
    chance = random.Random(7)
    async with shop.database.writes.begin() as session:
        variants = [await stocked(session, 20), await stocked(session, 3)]
        second = await create_warehouse(session)
        for _ in range(60):
            variant = chance.choice(variants)
            place = want(variant, chance.randint(1, 4), chance.choice([1, second.id]))
            step = chance.choice([reserve, release, ship])
            try:
                await step(session, [place], order_id=None, now=NOW)
                await take_back(session, [place], damaged=chance.random() < 0.5, order_id=None, now=NOW)
            except DomainError:
                continue
        found = await levels(session, [variant.id for variant in variants])
        kept = [
            (row.variant_id, row.warehouse_id, row.on_hand, row.reserved, row.damaged)
            for rows in found.values()
            for row in rows
        ]

        assert sorted(kept) == await sums(session)


async def test_a_surge_sells_exactly_what_is_there(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 100)

    async def buy() -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await reserve(session, [want(variant, 2)], order_id=None, now=NOW)
        except OutOfStock:
            return False
        return True

    bought = await asyncio.gather(*(buy() for _ in range(64)))

    assert sum(bought) == 50
    async with shop.database.reads() as session:
        assert await numbers(session, variant) == [(100, 100, 0)]
        assert await sums(session) == [(variant.id, 1, 100, 100, 0)]


async def test_crossing_orders_do_not_wait_for_each_other(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variants = [await stocked(session, 100) for _ in range(5)]

    async def buy(number: int) -> None:
        wanted = [want(variant, 1) for variant in random.Random(number).sample(variants, 5)]
        async with shop.database.writes.begin() as session:
            await reserve(session, wanted, order_id=None, now=NOW)

    await asyncio.gather(*(buy(number) for number in range(30)))

    async with shop.database.reads() as session:
        assert [await numbers(session, variant) for variant in variants] == [[(100, 30, 0)]] * 5


async def test_a_clerk_says_why(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)

        level = await adjust(
            session,
            variant_id=variant.id,
            warehouse_id=1,
            kind=MovementKind.CORRECTED,
            quantity=-2,
            reason=" counted ",
            now=NOW,
            by=None,
        )
        movement = await last_movement(session)

        assert level.on_hand == 3
        assert (movement.kind, movement.on_hand, movement.reason) == (
            MovementKind.CORRECTED,
            -2,
            "counted",
        )


@pytest.mark.parametrize(
    ("kind", "quantity", "reason", "code", "field"),
    [
        (MovementKind.RECEIVED, 1, "  ", ErrorCode.INVALID, ("reason",)),
        (MovementKind.RECEIVED, 0, "new", ErrorCode.INVALID, ("quantity",)),
        (MovementKind.RECEIVED, -1, "new", ErrorCode.INVALID, ("quantity",)),
        (MovementKind.RECEIVED, STOCK_LIMIT, "new", ErrorCode.LIMIT_REACHED, ("quantity",)),
        (MovementKind.RECEIVED, STOCK_LIMIT + 1, "new", ErrorCode.INVALID, ("quantity",)),
        (MovementKind.DAMAGED, 6, "rain", ErrorCode.OUT_OF_STOCK, ("quantity",)),
        (MovementKind.CORRECTED, -6, "count", ErrorCode.OUT_OF_STOCK, ("quantity",)),
        (MovementKind.SHIPPED, 1, "sent", ErrorCode.INVALID, ("kind",)),
        (MovementKind.RESERVED, 1, "mine", ErrorCode.INVALID, ("kind",)),
    ],
)
async def test_a_clerk_cannot_change_stock_without_sense(
    shop: Shop, kind: MovementKind, quantity: int, reason: str, code: ErrorCode, field: tuple[str]
) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)

        with pytest.raises(DomainError) as refused:
            await adjust(
                session,
                variant_id=variant.id,
                warehouse_id=1,
                kind=kind,
                quantity=quantity,
                reason=reason,
                now=NOW,
                by=None,
            )

        assert (refused.value.code, refused.value.field) == (code, field)
        assert await numbers(session, variant) == [(5, 0, 0)]


async def test_goods_move_between_warehouses(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)
        second = await create_warehouse(session, position=99)

        await transfer(
            session,
            variant_id=variant.id,
            warehouse_id=1,
            to_warehouse_id=second.id,
            quantity=2,
            reason="nearer",
            now=NOW,
            by=None,
        )

        assert await numbers(session, variant) == [(3, 0, 0), (2, 0, 0)]


async def test_reserved_goods_are_not_moved_away(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)
        second = await create_warehouse(session, position=99)
        await reserve(session, [want(variant, 4)], order_id=None, now=NOW)

    with pytest.raises(OutOfStock):
        async with shop.database.writes.begin() as session:
            await transfer(
                session,
                variant_id=variant.id,
                warehouse_id=1,
                to_warehouse_id=second.id,
                quantity=2,
                reason="nearer",
                now=NOW,
                by=None,
            )

    async with shop.database.reads() as session:
        assert await numbers(session, variant) == [(5, 4, 0)]


async def test_a_count_never_takes_what_is_reserved(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 10)
        await reserve(session, [want(variant, 4)], order_id=None, now=NOW)

        changed = await set_levels(session, {(variant.id, 1): 1}, reason="count", now=NOW)

        assert changed == {(variant.id, 1)}
        assert await numbers(session, variant) == [(4, 4, 0)]


async def test_a_count_that_says_nothing_new_writes_nothing(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 10)
        before = (await last_movement(session)).id

        assert await set_levels(session, {(variant.id, 1): 10}, reason="count", now=NOW) == set()

        assert (await last_movement(session)).id == before


async def test_a_count_of_many_places_takes_three_statements_however_many_they_are(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variants = [await stocked(session, number) for number in range(12)]
        second = await create_warehouse(session)
        spent = []
        for some in (variants[:2], variants):
            counted = {(variant.id, place): 7 for variant in some for place in (1, second.id)}
            with statements(shop) as counting:
                await set_levels(session, counted, reason="count", now=NOW)
            spent.append(counting.total)

        assert spent == [3, 3]
        assert [await numbers(session, variant) for variant in variants] == [[(7, 0, 0), (7, 0, 0)]] * 12


async def test_what_was_never_in_stock_is_received_and_the_rest_corrected(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await stocked(session, 5)
        second = await create_warehouse(session)

        await set_levels(session, {(variant.id, 1): 3, (variant.id, second.id): 4}, reason="count", now=NOW)

        rows = await session.execute(
            select(StockMovement.kind, StockMovement.on_hand).order_by(StockMovement.id).offset(1)
        )
        assert [tuple(row) for row in rows] == [(MovementKind.CORRECTED, -2), (MovementKind.RECEIVED, 4)]


@pytest.mark.parametrize("act", ["UPDATE stock_movements SET on_hand = 0", "DELETE FROM stock_movements"])
async def test_nobody_changes_a_movement_not_even_by_hand(shop: Shop, act: str) -> None:
    async with shop.database.writes.begin() as session:
        await stocked(session, 5)

    with pytest.raises(DBAPIError, match="never edited, never deleted"):
        async with shop.database.writes.begin() as session:
            await session.execute(text(act))

    async with shop.database.reads() as session:
        assert [units for _, _, units, _, _ in await sums(session)] == [5]


async def test_the_first_warehouse_is_the_main_one(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        made = await main_warehouse(session)
        known = await warehouses(session, ["", "B", "A"])

        assert made.code == "MAIN"
        assert [(row.code, row.position) for row in known.values()] == [
            ("MAIN", 1),
            ("MAIN", 1),
            ("B", 2),
            ("A", 3),
        ]
