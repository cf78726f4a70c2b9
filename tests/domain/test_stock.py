"""Stock: nothing is reserved twice, and every level is the sum of its movements."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, OutOfStock, WrongState
from domain.stock import (
    STOCK_LIMIT,
    Allocation,
    adjust_stock,
    ensure_main_warehouse,
    ensure_warehouses,
    levels_by_variant,
    release_stock,
    reserve_stock,
    return_stock,
    set_levels,
    ship_stock,
    transfer_stock,
)
from events.shop import Shop
from models import MovementKind, StockMovement, Variant
from tests.factories.catalog import NOW, create_product, variant_of
from tests.factories.stock import create_warehouse
from tests.observe import count_statements

Numbers = tuple[int, int, int]
"""On hand, reserved, damaged."""


async def create_stocked(session: AsyncSession, units: int, **options: str) -> Variant:
    product = await create_product(session, stock={"MAIN": units}, options=options or None)
    return await variant_of(session, product)


async def level_numbers(session: AsyncSession, variant: Variant) -> list[Numbers]:
    found = (await levels_by_variant(session, [variant.id]))[variant.id]
    return [(level.on_hand, level.reserved, level.damaged) for level in found]


async def movement_sums(session: AsyncSession) -> list[Sequence[int]]:
    """The sum of all movements, by level."""
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


def allocation_of(variant: Variant, quantity: int, warehouse_id: int = 1) -> Allocation:
    return Allocation(variant.id, warehouse_id, quantity)


async def test_what_is_reserved_stays_on_hand_until_it_ships(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 10)

    await reserve_stock(session, [allocation_of(variant, 4)], order_id=None, cause=Cause(NOW))
    assert await level_numbers(session, variant) == [(10, 4, 0)]

    await ship_stock(session, [allocation_of(variant, 3)], order_id=None, cause=Cause(NOW))
    assert await level_numbers(session, variant) == [(7, 1, 0)]

    await release_stock(session, [allocation_of(variant, 1)], order_id=None, cause=Cause(NOW))
    assert await level_numbers(session, variant) == [(7, 0, 0)]
    await session.commit()


async def test_returned_units_are_sold_again_or_damaged(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 10)

    await return_stock(session, [allocation_of(variant, 2)], damaged=False, order_id=None, cause=Cause(NOW))
    await return_stock(session, [allocation_of(variant, 1)], damaged=True, order_id=None, cause=Cause(NOW))

    assert await level_numbers(session, variant) == [(12, 0, 1)]
    await session.commit()


async def test_more_than_is_left_cannot_be_reserved(shop: Shop, session: AsyncSession) -> None:
    plenty, few = await create_stocked(session, 10), await create_stocked(session, 2, Size="M")
    await session.commit()

    with pytest.raises(OutOfStock, match=r"^Only 2 of Oolong tea \(M\) left\.$"):
        await reserve_stock(
            session, [allocation_of(plenty, 1), allocation_of(few, 3)], order_id=None, cause=Cause(NOW)
        )
    await session.rollback()

    assert await level_numbers(session, plenty) == [(10, 0, 0)]
    assert await level_numbers(session, few) == [(2, 0, 0)]
    assert await session.scalar(select(func.count()).select_from(StockMovement)) == 2
    await session.commit()


async def test_what_is_sold_out_says_so(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 0)

    with pytest.raises(OutOfStock, match="is sold out") as refused:
        await reserve_stock(session, [allocation_of(variant, 1)], order_id=None, cause=Cause(NOW))
    await session.commit()

    assert refused.value.left == 0


async def test_the_same_variant_reserved_twice_counts_twice(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 5)

    with pytest.raises(OutOfStock):
        await reserve_stock(
            session,
            [allocation_of(variant, 3), allocation_of(variant, 3)],
            order_id=None,
            cause=Cause(NOW),
        )
    await session.commit()


@pytest.mark.parametrize("change", [release_stock, ship_stock])
async def test_what_is_not_reserved_cannot_leave(
    shop: Shop, session: AsyncSession, change: Callable[..., Awaitable[None]]
) -> None:
    variant = await create_stocked(session, 5)
    await reserve_stock(session, [allocation_of(variant, 1)], order_id=None, cause=Cause(NOW))

    with pytest.raises(WrongState):
        await change(session, [allocation_of(variant, 2)], order_id=None, cause=Cause(NOW))

    assert await level_numbers(session, variant) == [(5, 1, 0)]
    await session.commit()


async def test_levels_are_the_sum_of_their_movements(shop: Shop, session: AsyncSession) -> None:
    chance = random.Random(7)
    variants = [await create_stocked(session, 20), await create_stocked(session, 3)]
    second = await create_warehouse(session)
    for _ in range(60):
        variant = chance.choice(variants)
        place = allocation_of(variant, chance.randint(1, 4), chance.choice([1, second.id]))
        step = chance.choice([reserve_stock, release_stock, ship_stock])
        try:
            await step(session, [place], order_id=None, cause=Cause(NOW))
            await return_stock(
                session, [place], damaged=chance.random() < 0.5, order_id=None, cause=Cause(NOW)
            )
        except DomainError:
            continue
    found = await levels_by_variant(session, [variant.id for variant in variants])
    kept = [
        (row.variant_id, row.warehouse_id, row.on_hand, row.reserved, row.damaged)
        for rows in found.values()
        for row in rows
    ]

    assert sorted(kept) == await movement_sums(session)
    await session.commit()


async def test_many_buyers_at_once_reserve_exactly_what_is_there(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 100)
    await session.commit()

    async def buy() -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await reserve_stock(session, [allocation_of(variant, 2)], order_id=None, cause=Cause(NOW))
        except OutOfStock:
            return False
        return True

    bought = await asyncio.gather(*(buy() for _ in range(64)))

    assert sum(bought) == 50
    async with shop.database.reads() as session:
        assert await level_numbers(session, variant) == [(100, 100, 0)]
        assert await movement_sums(session) == [(variant.id, 1, 100, 100, 0)]


async def test_orders_of_the_same_variants_in_another_order_do_not_deadlock(
    shop: Shop, session: AsyncSession
) -> None:
    variants = [await create_stocked(session, 100) for _ in range(5)]
    await session.commit()

    async def buy(number: int) -> None:
        allocations = [allocation_of(variant, 1) for variant in random.Random(number).sample(variants, 5)]
        async with shop.database.writes.begin() as session:
            await reserve_stock(session, allocations, order_id=None, cause=Cause(NOW))

    await asyncio.gather(*(buy(number) for number in range(30)))

    async with shop.database.reads() as session:
        assert [await level_numbers(session, variant) for variant in variants] == [[(100, 30, 0)]] * 5


async def test_an_adjustment_needs_a_reason(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 5)

    level = await adjust_stock(
        session,
        variant_id=variant.id,
        warehouse_id=1,
        kind=MovementKind.CORRECTED,
        quantity=-2,
        reason=" counted ",
        cause=Cause(NOW, None),
    )
    movement = await last_movement(session)

    assert level.on_hand == 3
    assert (movement.kind, movement.on_hand, movement.reason) == (
        MovementKind.CORRECTED,
        -2,
        "counted",
    )
    await session.commit()


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
async def test_malformed_adjustments_are_refused(
    shop: Shop,
    session: AsyncSession,
    kind: MovementKind,
    quantity: int,
    reason: str,
    code: ErrorCode,
    field: tuple[str],
) -> None:
    variant = await create_stocked(session, 5)

    with pytest.raises(DomainError) as refused:
        await adjust_stock(
            session,
            variant_id=variant.id,
            warehouse_id=1,
            kind=kind,
            quantity=quantity,
            reason=reason,
            cause=Cause(NOW, None),
        )

    assert (refused.value.code, refused.value.field) == (code, field)
    assert await level_numbers(session, variant) == [(5, 0, 0)]
    await session.commit()


async def test_units_are_transferred_between_warehouses(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 5)
    second = await create_warehouse(session, position=99)

    await transfer_stock(
        session,
        variant_id=variant.id,
        warehouse_id=1,
        to_warehouse_id=second.id,
        quantity=2,
        reason="nearer",
        cause=Cause(NOW, None),
    )

    assert await level_numbers(session, variant) == [(3, 0, 0), (2, 0, 0)]
    await session.commit()


async def test_reserved_units_are_not_transferred(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 5)
    second = await create_warehouse(session, position=99)
    await reserve_stock(session, [allocation_of(variant, 4)], order_id=None, cause=Cause(NOW))
    await session.commit()

    with pytest.raises(OutOfStock):
        await transfer_stock(
            session,
            variant_id=variant.id,
            warehouse_id=1,
            to_warehouse_id=second.id,
            quantity=2,
            reason="nearer",
            cause=Cause(NOW, None),
        )
    await session.rollback()

    assert await level_numbers(session, variant) == [(5, 4, 0)]
    await session.commit()


async def test_a_count_never_takes_what_is_reserved(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 10)
    await reserve_stock(session, [allocation_of(variant, 4)], order_id=None, cause=Cause(NOW))

    changed = await set_levels(session, {(variant.id, 1): 1}, reason="count", cause=Cause(NOW))

    assert changed == {(variant.id, 1)}
    assert await level_numbers(session, variant) == [(4, 4, 0)]
    await session.commit()


async def test_a_count_without_differences_writes_nothing(shop: Shop, session: AsyncSession) -> None:
    variant = await create_stocked(session, 10)
    before = (await last_movement(session)).id

    assert await set_levels(session, {(variant.id, 1): 10}, reason="count", cause=Cause(NOW)) == set()

    assert (await last_movement(session)).id == before
    await session.commit()


async def test_a_count_of_many_levels_takes_three_statements_however_many_they_are(
    shop: Shop, session: AsyncSession
) -> None:
    variants = [await create_stocked(session, number) for number in range(12)]
    second = await create_warehouse(session)
    spent = []
    for some in (variants[:2], variants):
        counted = {(variant.id, place): 7 for variant in some for place in (1, second.id)}
        with count_statements(shop) as counting:
            await set_levels(session, counted, reason="count", cause=Cause(NOW))
        spent.append(counting.total)

    assert spent == [3, 3]
    assert [await level_numbers(session, variant) for variant in variants] == [[(7, 0, 0), (7, 0, 0)]] * 12
    await session.commit()


async def test_what_was_never_in_stock_is_received_and_the_rest_corrected(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await create_stocked(session, 5)
    second = await create_warehouse(session)

    await set_levels(
        session, {(variant.id, 1): 3, (variant.id, second.id): 4}, reason="count", cause=Cause(NOW)
    )

    rows = await session.execute(
        select(StockMovement.kind, StockMovement.on_hand).order_by(StockMovement.id).offset(1)
    )
    assert [tuple(row) for row in rows] == [(MovementKind.CORRECTED, -2), (MovementKind.RECEIVED, 4)]
    await session.commit()


@pytest.mark.parametrize("act", ["UPDATE stock_movements SET on_hand = 0", "DELETE FROM stock_movements"])
async def test_nobody_changes_a_movement_not_even_by_hand(
    shop: Shop, session: AsyncSession, act: str
) -> None:
    await create_stocked(session, 5)
    await session.commit()

    with pytest.raises(DBAPIError, match="never edited, never deleted"):
        await session.execute(text(act))
    await session.rollback()

    assert [units for _, _, units, _, _ in await movement_sums(session)] == [5]
    await session.commit()


async def test_the_first_warehouse_is_the_main_one(shop: Shop, session: AsyncSession) -> None:
    made = await ensure_main_warehouse(session)
    known = await ensure_warehouses(session, ["", "B", "A"])

    assert made.code == "MAIN"
    assert [(row.code, row.position) for row in known.values()] == [
        ("MAIN", 1),
        ("MAIN", 1),
        ("B", 2),
        ("A", 3),
    ]
    await session.commit()
