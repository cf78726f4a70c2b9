"""Stock changed by many clients at once, each with its own connection."""

import asyncio
import random

from sqlalchemy import select, text

from domain.cause import Cause
from domain.errors import OutOfStock
from domain.stock import Allocation, levels_by_variant, reserve_stock, set_levels, transfer_stock
from models import Variant
from models.database import Database
from tests.factories.catalog import NOW, create_product, variant_of
from tests.factories.stock import create_warehouse
from tests.given import CROWD
from tests.observe import find_disagreements

CLIENTS = CROWD
UNITS = 100


async def create_stocked(crowd: Database) -> Variant:
    async with crowd.writes.begin() as session:
        return await variant_of(session, await create_product(session, stock={"MAIN": UNITS}))


async def take_one(crowd: Database, variant: Variant) -> bool:
    try:
        async with crowd.writes.begin() as session:
            await reserve_stock(session, [Allocation(variant.id, 1, 1)], order_id=None, cause=Cause(NOW))
    except OutOfStock:
        return False
    return True


async def wrong_levels(crowd: Database) -> list[str]:
    """Problems the stock audit finds; its rule about orders does not count, since there are none."""
    return [each for each in await find_disagreements(crowd) if not each.startswith("reserved as ordered")]


async def test_64_clients_who_reserve_the_same_100_units_reserve_exactly_100(crowd: Database) -> None:
    variant = await create_stocked(crowd)
    together = asyncio.Barrier(CLIENTS)

    async def client() -> int:
        async with crowd.reads() as session:
            await session.scalar(select(1))
            await together.wait()
        got = 0
        while await take_one(crowd, variant):
            got += 1
        return got

    got = await asyncio.gather(*(client() for _ in range(CLIENTS)))

    assert sum(got) == UNITS
    async with crowd.reads() as session:
        (level,) = (await levels_by_variant(session, [variant.id]))[variant.id]
        assert (level.on_hand, level.reserved) == (UNITS, UNITS)
    assert await wrong_levels(crowd) == []


async def test_after_counting_transferring_and_reserving_at_once_the_levels_agree(crowd: Database) -> None:
    variant = await create_stocked(crowd)
    async with crowd.writes.begin() as session:
        second = await create_warehouse(session)

    async def client(number: int) -> None:
        chance = random.Random(number)
        for _ in range(5):
            here, there = chance.choice([(1, second.id), (second.id, 1)])
            try:
                async with crowd.writes.begin() as session:
                    match chance.randrange(3):
                        case 0:
                            allocations = [Allocation(variant.id, here, chance.randint(1, 3))]
                            await reserve_stock(session, allocations, order_id=None, cause=Cause(NOW))
                        case 1:
                            counted = {(variant.id, place): chance.randint(0, 99) for place in (1, second.id)}
                            await set_levels(session, counted, reason="counted", cause=Cause(NOW))
                        case _:
                            await transfer_stock(
                                session,
                                variant_id=variant.id,
                                warehouse_id=here,
                                to_warehouse_id=there,
                                quantity=chance.randint(1, 5),
                                reason="nearer",
                                cause=Cause(NOW, None),
                            )
            except OutOfStock:
                continue

    await asyncio.gather(*(client(number) for number in range(32)))

    assert await wrong_levels(crowd) == []


async def test_who_brings_units_to_a_place_that_is_being_counted_first_holds_nothing_meanwhile(
    crowd: Database,
) -> None:
    """There is no level yet: both make it, and only one of them can at once."""
    variant = await create_stocked(crowd)
    async with crowd.writes.begin() as session:
        second = await create_warehouse(session)

    async def transfer() -> None:
        async with crowd.writes.begin() as session:
            await transfer_stock(
                session,
                variant_id=variant.id,
                warehouse_id=1,
                to_warehouse_id=second.id,
                quantity=5,
                reason="nearer",
                cause=Cause(NOW, None),
            )

    async with crowd.writes.begin() as session:
        await set_levels(session, {(variant.id, second.id): 7}, reason="counted", cause=Cause(NOW))
        transferring = asyncio.create_task(transfer())
        await wait_until_somebody_waits(crowd)
        await set_levels(session, {(variant.id, 1): 50}, reason="counted", cause=Cause(NOW))
    await transferring

    async with crowd.reads() as session:
        levels = (await levels_by_variant(session, [variant.id]))[variant.id]
        assert {level.warehouse_id: level.on_hand for level in levels} == {1: 45, second.id: 12}
    assert await wrong_levels(crowd) == []


async def wait_until_somebody_waits(crowd: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with crowd.reads() as session:
        while not await session.scalar(waiting):
            await asyncio.sleep(0.01)
