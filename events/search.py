"""Search indexes follow the database: in each process, from the position of the index of its machine on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from domain.catalog.search_index import forget_old_changes
from gateways.search import IndexDocument, SearchIndex, SearchUnavailable
from loaders.search import (
    IndexChanges,
    IndexPosition,
    IndexSource,
    load_all_documents,
    read_changes,
    read_position,
)
from models.database import Database
from models.sql.batches import in_batches

log = structlog.get_logger()

DOCUMENTS_BATCH = 500
"""Rows that are read and analyzed at once."""

WAIT_SECONDS = 10.0
"""How long a search waits for an index that is being built, and a clerk for another process to write."""

RETRY_SECONDS = 0.05

FORGOTTEN_AT_ONCE = 50_000
"""Changes after which old ones are deleted."""


class IndexUnavailable(SearchUnavailable):
    """There is no index yet: it is being built."""


@dataclass(slots=True)
class IndexFollower:
    """Keeps one index up to date.

    Whoever looks for changes and has the lock of the machine writes them; a process without it reads what the
    other one has written.
    """

    database: Database
    index: SearchIndex
    source: IndexSource
    interval: timedelta
    at_each_search: bool = False
    """Whether a search looks for changes itself, so that nobody has to follow."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set, init=False)
    is_away: bool = field(default=False, init=False)
    """Whether the index, being another server, did not answer when it was last looked at."""

    async def run(self) -> None:
        """Follow until cancelled."""
        forgotten = 0
        while not self.at_each_search:
            try:
                await self.catch_up()
                position = await self.known_position()
                if position and position.last_id > forgotten + FORGOTTEN_AT_ONCE:
                    forgotten = position.last_id
                    await self.forget_old_changes()
            except Exception as error:
                self.log_failure(error)
            await asyncio.sleep(self.interval.total_seconds())
        await asyncio.Event().wait()

    async def forget_old_changes(self) -> None:
        async with self.database.writes.begin() as session:
            await forget_old_changes(session)

    async def ready(self, *, newest: bool = False) -> SearchIndex:
        """The index; with `newest` it shows all that was committed before.

        It waits WAIT_SECONDS at most for one that is being built; then IndexUnavailable is raised.
        """
        if newest or self.at_each_search or not await self.index.can_answer():
            # what has begun goes on after the request that has waited long enough
            task = asyncio.create_task(self.catch_up_in_turn())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    await asyncio.shield(task)
        if not await self.index.can_answer():
            raise IndexUnavailable
        return self.index

    async def catch_up_in_turn(self) -> None:
        """Show what has been committed, as soon as no other process is writing."""
        try:
            while not await self.catch_up():  # noqa: ASYNC110 - another process does not notify
                await asyncio.sleep(RETRY_SECONDS)
        except Exception as error:
            self.log_failure(error)

    def log_failure(self, error: Exception) -> None:
        """Log why the index is not up to date; a server that is away is told once, until it answers again."""
        name = self.index.layout.name
        if not isinstance(error, SearchUnavailable):
            log.error("search.not_followed", index=name, exc_info=error)
        elif not self.is_away:
            log.warning("search.away", index=name, error=str(error))
            self.is_away = True

    async def catch_up(self) -> bool:
        """Show what has been committed; False where another process is writing just now."""
        async with self.turn:
            position = await self.known_position()
            if self.is_away:
                log.info("search.back", index=self.index.layout.name)
                self.is_away = False
            if position is not None and (await self.read_changes(position)).is_empty:
                return True
            async with self.index.writing() as is_writer:
                if is_writer:
                    await self.write_changes()
                return is_writer

    async def read_changes(self, after: IndexPosition) -> IndexChanges:
        return await read_changes(self.database.reads, after, self.source.find)

    async def known_position(self) -> IndexPosition | None:
        text = await self.index.position()
        return None if text is None else IndexPosition.read(text)

    async def write_changes(self) -> None:
        """Write what has changed since the position, or everything."""
        position = await self.known_position()
        if position is None:
            await self.build()
            return
        changes = await self.read_changes(position)
        if changes.ids is None:
            await self.build()
            return
        documents: list[IndexDocument] = []
        for batch in in_batches(sorted(changes.ids), DOCUMENTS_BATCH):
            async with self.database.reads() as session:
                documents += await self.source.load(session, batch)
        gone = changes.ids - {each.id for each in documents}
        await self.index.write(documents, gone, position=changes.position.write())

    async def build(self) -> None:
        """Build the index anew, of all there is; what is committed meanwhile comes after it."""
        position = await read_position(self.database.reads)
        await self.index.build(self.all_documents(), position=position.write())
        log.info("search.built", index=self.index.layout.name, documents=await self.index.document_count())

    async def all_documents(self) -> AsyncIterator[Sequence[IndexDocument]]:
        async for batch in load_all_documents(self.database.reads, self.source):
            yield batch
