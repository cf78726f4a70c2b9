"""Connections to the database: sessions that read, sessions that write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from models.interruptible import connect_interruptibly

SQLITE_BUSY_MS = 10_000
SQLITE_MAPPED_BYTES = 1_000_000_000
"""How much of the file is mapped into memory, so that pages are read without a system call each."""

WRITER_WAIT_SECONDS = 30
CLOSE_TIMEOUT_SECONDS = 5.0
POLL_SECONDS = 0.005
ENGINE = {"max_overflow": 0, "hide_parameters": True}
"""Options of every engine: no connection beyond the pool, and no value of a row in the text of an error."""

POSTGRES = {
    "application_name": "cartwheel",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "client_connection_check_interval": "2s",
    "jit": "off",
    "random_page_cost": "1.1",
}
"""Settings of each session: nobody waits for ever, and no statement is compiled to machine code to run once.

The server looks whether the client is still there (PostgreSQL 14 and later): a statement whose connection was
closed, by a cancellation that did not reach the server or by the end of a process, ends within that interval.
`random_page_cost` fits data in memory or on an SSD: a thousand rows are looked up by index rather than by
reading the whole table.
"""

SNAPSHOT_OPTIONS = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
SNAPSHOT_TIMEOUT = "15min"


@dataclass(frozen=True, slots=True)
class Database:
    """Sessions that read (`reads`) and sessions that write (`writes`).

    PostgreSQL serves both from one pool. SQLite has one writer: a pool of one connection, whose transactions
    begin IMMEDIATE, so that none fails half way for a lock.
    """

    readers: AsyncEngine
    writers: AsyncEngine
    reads: async_sessionmaker[AsyncSession]
    writes: async_sessionmaker[AsyncSession]

    @classmethod
    def open(cls, url: str, *, pool_size: int) -> "Database":
        if url.startswith("sqlite"):
            options = {**ENGINE, "connect_args": {"async_creator_fn": connect_interruptibly}}
            readers = create_async_engine(url, pool_size=pool_size, **options)
            writers = create_async_engine(url, pool_size=1, pool_timeout=WRITER_WAIT_SECONDS, **options)
            prepare_sqlite(readers.sync_engine, begin="BEGIN")
            prepare_sqlite(writers.sync_engine, begin="BEGIN IMMEDIATE")
        else:
            readers = writers = create_async_engine(
                url, pool_size=pool_size, connect_args={"server_settings": POSTGRES}, **ENGINE
            )
            replace_closed_connections(readers.sync_engine)
        return cls(
            readers,
            writers,
            async_sessionmaker(readers, expire_on_commit=False),
            async_sessionmaker(writers, expire_on_commit=False),
        )

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session that sees the data of one moment and has SNAPSHOT_TIMEOUT to read whole tables."""
        # SQLite needs no options: a transaction that only reads sees what was there when it began
        postgresql = self.dialect == "postgresql"
        engine = self.readers.execution_options(**SNAPSHOT_OPTIONS) if postgresql else self.readers
        async with self.reads(bind=engine) as session:
            if postgresql:
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    await session.execute(text(f"SET LOCAL {limit} = '{SNAPSHOT_TIMEOUT}'"))
            yield session

    async def check(self) -> None:
        """Read from a table; fails where the database does not answer or is not migrated."""
        async with self.reads() as session:
            await session.execute(text("SELECT 1 FROM events LIMIT 1"))

    async def read_revision(self) -> str | None:
        """The revision its migrations have reached; None where it was never migrated."""
        async with self.readers.connect() as connection:
            if not await connection.run_sync(lambda each: inspect(each).has_table("alembic_version")):
                return None
            revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision

    @property
    def dialect(self) -> str:
        return self.readers.dialect.name

    async def close(self) -> None:
        """Close all connections, after waiting for those that are just being returned to the pool."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                while self.connections_in_use:  # noqa: ASYNC110 - a pool does not notify
                    await asyncio.sleep(POLL_SECONDS)
        await self.readers.dispose()
        await self.writers.dispose()

    @property
    def connections_in_use(self) -> int:
        pools = {id(pool): pool for pool in (self.readers.pool, self.writers.pool)}
        return sum(pool.checkedout() for pool in pools.values() if isinstance(pool, QueuePool))


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def prepare_sqlite(engine: Engine, *, begin: str) -> None:
    """Set WAL, foreign keys and timeouts; `begin` starts each transaction (SQLAlchemy docs, pysqlite)."""

    @event.listens_for(engine, "connect")
    def configure_connection(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
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
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def replace_closed_connections(engine: Engine) -> None:
    """Let the pool open a new connection in place of one that has been closed while nobody used it.

    The server may have ended it, or a cancelled statement; to see that costs no message to the server.
    """

    @event.listens_for(engine, "checkout")
    def refuse_closed(connection: DBAPIConnection, *_: object) -> None:
        if getattr(connection, "driver_connection").is_closed():  # noqa: B009 - asyncpg's, unknown to DBAPI
            raise DisconnectionError


Reads = async_sessionmaker[AsyncSession]
