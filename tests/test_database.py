"""Closing the database, and connections that others close."""

import asyncio

import pytest
from sqlalchemy import text

from models.database import Database
from tests.observe import wait_until


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


async def test_a_connection_that_the_server_has_ended_is_replaced(postgres_url: str) -> None:
    database, other = (Database.open(postgres_url, pool_size=1) for _ in range(2))
    process_id = "SELECT pg_backend_pid()"
    async with database.reads() as session:
        ended = await session.scalar(text(process_id))
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
    async with other.reads() as session:
        await session.scalar(text(f"SELECT pg_terminate_backend({ended})"))
    assert driver
    await wait_until(driver.is_closed)

    async with database.reads() as session:
        assert await session.scalar(text(process_id)) != ended
    for each in (database, other):
        await each.close()
