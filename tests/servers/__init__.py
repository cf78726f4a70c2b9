"""Fixtures with real PostgreSQL and Redis servers: given by address, installed, or taken from a wheel."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest

from tests.servers.discovery import ServerMissing
from tests.servers.postgres import (
    PostgresServer,
    PrivatePostgres,
    postgres_origin,
    run_postgres,
    run_private_postgres,
)
from tests.servers.redis import PrivateRedis, RedisServer, redis_origin, run_private_redis, run_redis

__all__ = [
    "PostgresServer",
    "PrivatePostgres",
    "PrivateRedis",
    "RedisServer",
    "run_postgres",
    "run_private_postgres",
    "run_private_redis",
    "run_redis",
]

Server = TypeVar("Server")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with _start_or_fail(run_postgres) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with _start_or_fail(run_redis) as server:
        yield server


@pytest.fixture
def private_redis_server() -> Iterator[PrivateRedis]:
    with _start_or_fail(run_private_redis) as server:
        yield server


def pytest_report_header() -> list[str]:
    promtool = (
        shutil.which("promtool") or "missing; promql-parser alone reads the expressions of the dashboard"
    )
    return [
        f"PostgreSQL: {_describe_origin(postgres_origin)}",
        f"Redis: {_describe_origin(redis_origin)}",
        f"promtool: {promtool}",
    ]


@contextmanager
def _start_or_fail(start: Callable[[], AbstractContextManager[Server]]) -> Iterator[Server]:
    """Run a server during the block; a missing one fails the tests that need it and skips none."""
    try:
        with start() as server:
            yield server
    except ServerMissing as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None


def _describe_origin(origin: Callable[[], str]) -> str:
    try:
        return origin()
    except ServerMissing as missing:
        return f"missing. {missing}"
