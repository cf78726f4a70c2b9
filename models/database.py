"""How the shop reaches its database: one way to read, one way to write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import QueuePool

SQLITE_BUSY_MS = 10_000
SQLITE_MAPPED_BYTES = 1_000_000_000
"""How much of the file is read without asking the system for each page; memory the system shares out."""

WRITER_WAIT_SECONDS = 30
GIVEN_BACK_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.005
POSTGRES = {
    "application_name": "cartwheel",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "random_page_cost": "1.1",
}
"""Nobody waits for ever, not even for a colleague that hangs, nor for machine code made to run once.

What is read lies in memory or on a disk without a moving arm: a thousand rows are looked up one by one rather
than by reading a whole table.
"""

ONE_MOMENT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
SNAPSHOT_TIMEOUT = "15min"


@dataclass(frozen=True, slots=True)
class Database:
    """Sessions for showing and sessions for changing.

    PostgreSQL serves both from one pool. SQLite has one writer: its only connection is handed from
    transaction to transaction, and each begins IMMEDIATE, so none fails half way for a lock.
    """

    readers: AsyncEngine
    writers: AsyncEngine
    reads: async_sessionmaker[AsyncSession]
    writes: async_sessionmaker[AsyncSession]

    @classmethod
    def open(cls, url: str, *, pool_size: int) -> "Database":
        if url.startswith("sqlite"):
            readers = create_async_engine(url, pool_size=pool_size, max_overflow=0)
            writers = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=WRITER_WAIT_SECONDS)
            prepare_sqlite(readers.sync_engine, begin="BEGIN")
            prepare_sqlite(writers.sync_engine, begin="BEGIN IMMEDIATE")
        else:
            readers = writers = create_async_engine(
                url, pool_size=pool_size, max_overflow=0, connect_args={"server_settings": POSTGRES}
            )
        return cls(
            readers,
            writers,
            async_sessionmaker(readers, expire_on_commit=False),
            async_sessionmaker(writers, expire_on_commit=False),
        )

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one moment, whatever others write meanwhile, and has time for whole tables.

        SQLite needs no telling: a transaction that only reads sees what was there when it began to.
        """
        postgresql = self.dialect == "postgresql"
        engine = self.readers.execution_options(**ONE_MOMENT) if postgresql else self.readers
        async with self.reads(bind=engine) as session:
            if postgresql:
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    await session.execute(text(f"SET LOCAL {limit} = '{SNAPSHOT_TIMEOUT}'"))
            yield session

    @property
    def dialect(self) -> str:
        return self.readers.dialect.name

    async def close(self) -> None:
        """Close all connections; those that somebody is just giving back are waited for, or nobody would."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVEN_BACK_SECONDS):
                while self.lent:  # noqa: ASYNC110 - a pool rings no bell
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await self.readers.dispose()
        await self.writers.dispose()

    @property
    def lent(self) -> int:
        """Connections that somebody has."""
        pools = {id(pool): pool for pool in (self.readers.pool, self.writers.pool)}
        return sum(pool.checkedout() for pool in pools.values() if isinstance(pool, QueuePool))


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite address; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def prepare_sqlite(engine: Engine, *, begin: str) -> None:
    """WAL, foreign keys, patience; transactions begin when we say so (SQLAlchemy docs, pysqlite dialect)."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            f"busy_timeout = {SQLITE_BUSY_MS}",
            f"mmap_size = {SQLITE_MAPPED_BYTES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: Any) -> None:
        connection.exec_driver_sql(begin)
