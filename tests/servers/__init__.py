"""Real servers for the tests: PostgreSQL and Redis, given, installed or out of a wheel."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar
from uuid import uuid4

import pytest

from tests.servers.found import ServerMissing
from tests.servers.postgres import PostgresServer, postgres, postgres_origin
from tests.servers.redis import PrivateRedis, RedisServer, private_redis, redis, redis_origin
from tests.servers.reused import Reused

__all__ = ["PostgresServer", "PrivateRedis", "RedisServer", "Reused", "postgres", "private_redis", "redis"]

Server = TypeVar("Server")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with _or_fail(postgres) as server:
        yield server


@pytest.fixture(scope="session")
def reused(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Reused]:
    reused = Reused(postgres_server, f"shop_{uuid4().hex}", postgres_template)
    asyncio.run(reused.make())
    yield reused
    asyncio.run(postgres_server.drop_database(reused.name))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with _or_fail(redis) as server:
        yield server


@pytest.fixture
def private_redis_server() -> Iterator[PrivateRedis]:
    with _or_fail(private_redis) as server:
        yield server


def pytest_report_header() -> list[str]:
    return [f"PostgreSQL: {_said(postgres_origin)}", f"Redis: {_said(redis_origin)}"]


@contextmanager
def _or_fail(start: Callable[[], AbstractContextManager[Server]]) -> Iterator[Server]:
    """A missing server fails its tests by one plain sentence; it never skips them."""
    try:
        with start() as server:
            yield server
    except ServerMissing as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None


def _said(origin: Callable[[], str]) -> str:
    try:
        return origin()
    except ServerMissing as missing:
        return f"missing. {missing}"
