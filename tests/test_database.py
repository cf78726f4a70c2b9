"""The door to the database closes behind the last one who leaves."""

import asyncio

import pytest
from sqlalchemy import text

from models.database import Database


@pytest.mark.parametrize("steps", range(4, 40, 4))
async def test_who_still_reads_while_the_shop_closes_is_waited_for(database_url: str, steps: int) -> None:
    database = Database.open(database_url, pool_size=2)

    async def read() -> list[int]:
        async with database.reads() as session:
            return [await session.scalar(text("SELECT 1")) or 0 for _ in range(3)]

    await read()
    reading = asyncio.create_task(read())
    for _ in range(steps):
        await asyncio.sleep(0)

    await database.close()

    assert database.lent == 0
    assert await reading == [1, 1, 1]
    await database.close()
