"""The servers for the tests are real, and their databases are separate."""

from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.servers import PostgresServer, PrivateRedis, RedisServer


async def execute(url: str, *statements: str) -> list[object]:
    """Execute statements; return the first value of each that returns rows."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            answers = [await connection.execute(text(statement)) for statement in statements]
            return [answer.scalar() for answer in answers if answer.returns_rows]
    finally:
        await engine.dispose()


@pytest.fixture
def name() -> str:
    """A unique name, since the server may be shared."""
    return f"servers_{uuid4().hex}"


async def test_databases_are_separate(postgres_server: PostgresServer, name: str) -> None:
    one = await postgres_server.create_database(f"{name}_1")
    other = await postgres_server.create_database(f"{name}_2")

    await execute(one, "CREATE TABLE tea (name text)", "INSERT INTO tea VALUES ('乌龙茶')")

    assert await execute(one, "SELECT name FROM tea") == ["乌龙茶"]
    assert await execute(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'tea'") == [0]
    await postgres_server.drop_database(f"{name}_1")
    await postgres_server.drop_database(f"{name}_2")


async def test_a_database_made_from_a_template_has_its_rows(
    postgres_server: PostgresServer, name: str
) -> None:
    template = await postgres_server.create_database(f"{name}_template")
    await execute(template, "CREATE TABLE tea (name text)", "INSERT INTO tea VALUES ('普洱')")

    copy = await postgres_server.create_from_template(name, f"{name}_template")
    await execute(copy, "INSERT INTO tea VALUES ('龙井')")

    assert await execute(copy, "SELECT count(*) FROM tea") == [2]
    assert await execute(template, "SELECT count(*) FROM tea") == [1]
    await postgres_server.drop_database(name)
    await postgres_server.drop_database(f"{name}_template")


async def test_a_dropped_database_is_gone(postgres_server: PostgresServer, name: str) -> None:
    url = await postgres_server.create_database(name)

    await postgres_server.drop_database(name)

    with pytest.raises(DBAPIError, match="does not exist"):
        await execute(url, "SELECT 1")


async def test_redis_answers(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as redis:
        await redis.set("servers:tea", "龙井", ex=60)

        assert await redis.getdel("servers:tea") == "龙井".encode()


async def test_a_private_redis_can_be_stopped_and_started(private_redis_server: PrivateRedis) -> None:
    async with Redis.from_url(private_redis_server.url) as redis:
        await redis.set("tea", "龙井")

        private_redis_server.stop()
        with pytest.raises(ConnectionError):
            await redis.ping()

        private_redis_server.start()
        assert await redis.get("tea") is None
