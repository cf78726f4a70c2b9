"""Reading what is asked for in the same turn with one statement."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from models.database import Reads
from models.sql.combined import EntitySelect, PartialSelect, PartRequest, fetch_parts
from models.sql.dialects import dialect_of
from models.sql.prepared import DriverRow, driver_connection
from models.sql.together import ReadsTogether
from models.sql.types import AnySelect

QUIET_TURNS = 5
"""A statement is sent after so many turns of the event loop in which nothing more was asked for: a loader
takes two from its keys to its SELECT."""

PARTS_LIMIT = 100
"""SELECTs in one statement: SQLite takes 500."""


Asked = tuple[PartRequest, "asyncio.Future[Sequence[DriverRow]]"]
"""A part, and who waits for its rows."""


class CombinedReads:
    """Collects what the loaders of a request ask for, and reads it with one statement a turn."""

    def __init__(self, reads: Reads, register: Callable[[], AbstractContextManager[None]]) -> None:
        self.reads = reads
        self.register = register
        self.waiting: list[Asked] = []
        self.sending: asyncio.Task[None] | None = None
        self.session = cast(AsyncSession, CombinedSession(self))
        """For functions that read with a session: what several of them ask for at once is combined, too."""

    async def fetch(self, part: PartialSelect, **values: Any) -> Sequence[DriverRow]:
        """The rows of one SELECT."""
        future: asyncio.Future[Sequence[DriverRow]] = asyncio.get_running_loop().create_future()
        self.waiting.append(((part, values), future))
        if self.sending is None:
            self.sending = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        """Answer all that is asked for, one statement after the other: what is asked for meanwhile, waits and
        is combined in the next one."""
        asked: Sequence[Asked] = ()
        try:
            with self.register():
                while self.waiting:
                    await self._wait_until_quiet()
                    asked, self.waiting = self.waiting[:PARTS_LIMIT], self.waiting[PARTS_LIMIT:]
                    await self._answer(asked)
        except BaseException as error:
            failed, self.waiting = [*asked, *self.waiting], []
            for _, future in failed:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self.sending = None

    async def _wait_until_quiet(self) -> None:
        quiet, count = 0, 0
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self.waiting) == count else 0
            count = len(self.waiting)

    async def _answer(self, asked: Sequence[Asked]) -> None:
        async with driver_connection(self.reads) as connection:
            found = await fetch_parts(connection, [request for request, _ in asked])
        for (_, future), rows in zip(asked, found, strict=True):
            if not future.done():
                future.set_result(rows)


class CombinedSession(ReadsTogether):
    """What reading needs of a session; its entities belong to none."""

    def __init__(self, combined: CombinedReads) -> None:
        self.combined = combined
        self.info: Mapping[str, Any] = combined.reads.kw.get("info") or {}

    def get_bind(self) -> Any:
        return self.combined.reads.kw["bind"]

    async def execute(self, statement: AnySelect) -> "CombinedRows":
        prepared = EntitySelect(statement, dialect_of(self.combined.reads))
        rows = await self.combined.fetch(prepared.part)
        return CombinedRows([prepared.build(row) for row in rows])

    async def scalars(self, statement: AnySelect) -> "CombinedRows":
        return CombinedRows([row[0] for row in await self.execute(statement)])

    async def scalar(self, statement: AnySelect) -> Any:
        return (await self.scalars(statement)).first()


class CombinedRows:
    """What reading needs of a result."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def all(self) -> Sequence[Any]:
        return self.rows

    def first(self) -> Any:
        return self.rows[0] if self.rows else None

    def one(self) -> Any:
        (row,) = self.rows
        return row
