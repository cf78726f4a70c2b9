"""Stock under many hands at once, each with a connection of its own."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from domain.errors import OutOfStock
from domain.stock import Allocation, levels, reserve, set_levels, transfer
from models import Variant
from models.database import Database
from tests.factories.catalog import NOW, create_product, variant_of
from tests.factories.stock import create_warehouse
from tests.observe import disagreements

CLIENTS = 64
UNITS = 100


@pytest.fixture
async def crowd(postgres_url: str) -> AsyncIterator[Database]:
    """As many connections as there are clients."""
    database = Database.open(postgres_url, pool_size=CLIENTS)
    yield database
    await database.close()


async def a_hundred(crowd: Database) -> Variant:
    async with crowd.writes.begin() as session:
        return await variant_of(session, await create_product(session, stock={"MAIN": UNITS}))


async def take_one(crowd: Database, variant: Variant) -> bool:
    try:
        async with crowd.writes.begin() as session:
            await reserve(session, [Allocation(variant.id, 1, 1)], order_id=None, now=NOW)
    except OutOfStock:
        return False
    return True


async def wrong(crowd: Database) -> list[str]:
    """What the books say of stock; nothing was ordered here, so that rule does not count."""
    return [each for each in await disagreements(crowd) if not each.startswith("reserved as ordered")]


async def test_64_clients_who_reserve_the_same_100_units_reserve_exactly_100(crowd: Database) -> None:
    variant = await a_hundred(crowd)
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
        (level,) = (await levels(session, [variant.id]))[variant.id]
        assert (level.on_hand, level.reserved) == (UNITS, UNITS)
    assert await wrong(crowd) == []


async def test_counting_transferring_and_reserving_at_once_leave_books_that_agree(crowd: Database) -> None:
    variant = await a_hundred(crowd)
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
                            wanted = [Allocation(variant.id, here, chance.randint(1, 3))]
                            await reserve(session, wanted, order_id=None, now=NOW)
                        case 1:
                            counted = {(variant.id, place): chance.randint(0, 99) for place in (1, second.id)}
                            await set_levels(session, counted, reason="counted", now=NOW)
                        case _:
                            await transfer(
                                session,
                                variant_id=variant.id,
                                warehouse_id=here,
                                to_warehouse_id=there,
                                quantity=chance.randint(1, 5),
                                reason="nearer",
                                now=NOW,
                                by=None,
                            )
            except OutOfStock:
                continue

    await asyncio.gather(*(client(number) for number in range(32)))

    assert await wrong(crowd) == []
