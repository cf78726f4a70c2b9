"""Closing the database."""

import asyncio

import pytest
from sqlalchemy import text

from models.database import Database


@pytest.mark.parametrize("steps", range(4, 40, 4))
async def test_a_read_that_is_under_way_ends_before_the_database_is_closed(
    database_url: str, steps: int
) -> None:
    database = Database.open(database_url, pool_size=2)

    async def read() -> list[int]:
        async with database.reads() as session:
            return [await session.scalar(text("SELECT 1")) or 0 for _ in range(3)]

    await read()
    task = asyncio.create_task(read())
    for _ in range(steps):
        await asyncio.sleep(0)

    await database.close()

    assert database.connections_in_use == 0
    assert await task == [1, 1, 1]
    await database.close()
