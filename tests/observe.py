"""Looking behind the counter: what the shop still has to do, and what it asked its database."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, select

from domain.audit import audit
from events.relay import Relay
from events.shop import Shop
from events.timers import Timers
from events.timetable import TIMETABLE
from models import Base
from models.database import Database

ROUNDS_LIMIT = 100
PATIENCE_SECONDS = 60.0
"""How long what must happen may take on the busiest machine. Nobody who passes waits so long."""


async def settle(shop: Shop) -> None:
    """Let everything that follows happen: events, reactions, and what is due by the shop's clock."""
    relay, timers = Relay(shop), Timers(shop, TIMETABLE)
    shop.woken.pop()
    for _ in range(ROUNDS_LIMIT):
        if not await relay.once() + await timers.once():
            return
    raise AssertionError("the shop does not come to rest")


async def until(true: Callable[[], object]) -> None:
    """Wait for what goes on beside the test."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():
            await asyncio.sleep(0.01)


async def sound(shop: Shop) -> None:
    """All books agree."""
    assert await disagreements(shop.database) == []


async def disagreements(database: Database) -> list[str]:
    """What `cartwheel audit --all` would print."""
    async with database.snapshot() as session:
        return [str(each) for each in await audit(session)]


@dataclass
class Statements:
    """The statements that went to the database."""

    texts: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.texts)


@contextmanager
def statements(shop: Shop) -> Iterator[Statements]:
    """Count what is asked of the database inside the block; BEGIN, COMMIT and savepoints are not counted."""
    counted = Statements()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
            counted.texts.append(statement)

    engines = {id(engine): engine.sync_engine for engine in (shop.database.readers, shop.database.writers)}
    for engine in engines.values():
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        for engine in engines.values():
            event.remove(engine, "before_cursor_execute", note)


async def everything(shop: Shop) -> dict[str, list[Any]]:
    """Every row of every table: what is equal before and after has not been touched."""
    async with shop.database.reads() as session:
        return {
            table.name: sorted(map(tuple, await session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }
