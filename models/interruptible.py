"""SQLite connections whose statements end when the task that waits for them is cancelled."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TypeVar

import aiosqlite

T = TypeVar("T")

ENDINGS = frozenset({"commit", "rollback", "close"})
"""Calls that are never interrupted, since they end a transaction."""

INTERRUPT_SECONDS = 0.05
"""How soon a statement is interrupted again that had not begun the first time."""

ROWS_AT_ONCE = 64
"""Rows that an iteration over a cursor fetches together; aiosqlite's default."""


class StatementCall:
    """One call of the driver in the connection's thread, which the event loop can interrupt."""

    def __init__(self, connection: sqlite3.Connection, call: Callable[[], T]) -> None:
        self.connection = connection
        self.call: Callable[[], object] = call
        self.lock = Lock()
        self.abandoned = False
        self.finished = False

    def run(self) -> object:
        """Called by the thread; OperationalError when the call was abandoned before it began."""
        try:
            if self.abandoned:
                raise sqlite3.OperationalError("interrupted")
            return self.call()
        finally:
            with self.lock:
                self.finished = True

    def interrupt(self) -> None:
        """End the statement, and try again until it has ended; what follows it is not interrupted."""
        self.abandoned = True
        with self.lock:
            if self.finished:
                return
            self.connection.interrupt()
        asyncio.get_running_loop().call_later(INTERRUPT_SECONDS, self.interrupt)


class InterruptibleConnection(aiosqlite.Connection):
    """aiosqlite's connection, which runs statements in a thread that cancelling a task does not reach.

    https://www.sqlite.org/c3ref/interrupt.html
    """

    async def _execute(self, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
        execute: Callable[..., object] = super()._execute
        if self._connection is None or getattr(fn, "__name__", "") in ENDINGS:
            return await execute(fn, *args, **kwargs)  # type: ignore[misc,no-any-return]
        statement = StatementCall(self._connection, partial(fn, *args, **kwargs))
        try:
            return await execute(statement.run)  # type: ignore[misc,no-any-return]
        except asyncio.CancelledError:
            statement.interrupt()
            raise

    async def close(self) -> None:
        """Roll back and close.

        Python closes a connection whole only when the last cursor of it is gone: the exception of a cancelled
        statement still holds one, and with it the lock of a transaction.
        """
        if self._connection is not None:
            with suppress(sqlite3.Error):
                await self.rollback()
        await super().close()

    def stop(self) -> "asyncio.Future[None] | None":
        """As `close`, without waiting for it."""
        if self._connection is not None:
            self._tx.put_nowait((None, self._connection.rollback))
        return super().stop()


def connect_interruptibly(database: str, **options: object) -> InterruptibleConnection:
    """A connection as `aiosqlite.connect` makes them, with a thread that does not keep the process alive."""
    connect: Callable[[], sqlite3.Connection] = partial(sqlite3.connect, database, **options)
    connection = InterruptibleConnection(connect, ROWS_AT_ONCE)
    connection._thread.daemon = True
    return connection
