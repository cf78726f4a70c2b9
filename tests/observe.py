"""What tests observe of a shop: pending work, disagreements of its books, SQL statements and rows."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Table, TextClause, event, literal, select, text, union_all

from domain.audit import RULES, audit_books
from events.jobs.carrier_queues import scheduler_of
from events.jobs.schedule import PARTNERS, SCHEDULE
from events.jobs.scheduler import Scheduler
from events.relay import Relay
from events.shipment.folding import PushFolder
from events.shipment.queues import list_called_carriers
from events.shop import Shop
from events.types import Timer
from models import Base
from models.database import Database

ROUNDS_LIMIT = 100
TIMEOUT_SECONDS = 60.0
"""Time-out of everything a test waits for: generous, since a passing test never uses it up."""


async def run_until_idle(shop: Shop) -> None:
    """Relay all events, run their reactions and everything due by the shop's clock, until nothing is left."""
    relay = Relay(shop)
    shop.on_commit.pop()
    folder = PushFolder(shop, shop.push_inbox.has_stored)
    carriers = [scheduler_of(shop, code) for code in await list_called_carriers(shop)]
    for _ in range(ROUNDS_LIMIT):
        timers = await find_due_timers(shop)
        schedulers = [Scheduler(shop, timers, partner) for partner in [None, *PARTNERS] if timers]
        due = await folder.run_once() + sum([await each.run_once() for each in (*schedulers, *carriers)])
        if not await relay.run_once() + due:
            return
    raise AssertionError(f"after {ROUNDS_LIMIT} rounds there was still work to do")


async def find_due_timers(shop: Shop) -> list[Timer]:
    """The timers that have something to do now, by one statement: 59 took a third of a test."""
    now = shop.clock()
    first = [timer.due(now - timer.age(shop.settings)).limit(1).subquery() for timer in SCHEDULE]
    due = union_all(*(select(literal(place)).select_from(each) for place, each in enumerate(first)))
    async with shop.database.reads() as session:
        return [SCHEDULE[place] for place in sorted(await session.scalars(due))]


async def wait_until(condition: Callable[[], object]) -> None:
    """Wait until `condition()` is true; TimeoutError after TIMEOUT_SECONDS."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def assert_books_agree(shop: Shop) -> None:
    """Fail with the disagreements of the books, if there are any."""
    async with shop.database.reads() as session:
        broken = (await session.scalars(select_broken_rules())).all()
    assert not broken, await find_disagreements(shop.database)


@cache
def select_broken_rules() -> CompoundSelect[str]:
    """The rules of the audit in one statement: 23 took a fifth of a test."""
    return union_all(
        *(
            select(literal(rule).label("rule")).select_from(find_wrong_rows().subquery())
            for rule, find_wrong_rows in RULES.items()
        )
    )


async def find_disagreements(database: Database) -> list[str]:
    """Return the lines that `cartwheel audit --all` would print."""
    async with database.snapshot() as session:
        return [str(disagreement) for disagreement in await audit_books(session)]


@dataclass
class Statements:
    """SQL statements that were sent to the database."""

    texts: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.texts)


NOT_COUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "EXPLAIN QUERY PLAN")


@contextmanager
def count_statements(shop: Shop) -> Iterator[Statements]:
    """Collect the statements sent inside the block, without BEGIN, COMMIT and savepoints.

    Nor those by which the log of slow operations asks SQLite for a plan: on a busy machine any is slow.
    """
    statements = Statements()

    def collect(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(NOT_COUNTED):
            statements.texts.append(statement)

    engines = {id(engine): engine.sync_engine for engine in (shop.database.readers, shop.database.writers)}
    for engine in engines.values():
        event.listen(engine, "before_cursor_execute", collect)
    try:
        yield statements
    finally:
        for engine in engines.values():
            event.remove(engine, "before_cursor_execute", collect)


async def read_all_rows(shop: Shop, without: Collection[type[Base]] = ()) -> list[str]:
    """Return the rows of every table as text, sorted, so that two states can be compared.

    `without` are tables that may change.
    """
    names = tuple(f"{model.__tablename__} " for model in without)
    async with shop.database.reads() as session:
        rows = await session.scalars(select_all_rows(shop.database.dialect))
        return sorted(row for row in rows if not row.startswith(names))


@cache
def select_all_rows(dialect: str) -> TextClause:
    """The statement of `read_all_rows`: one, since 60 of them took as long as the rest of a test."""
    tables = Base.metadata.sorted_tables
    return text(
        " UNION ALL ".join(f"SELECT {row_as_text(table, dialect)} FROM {table.name}" for table in tables)
    )


def row_as_text(table: Table, dialect: str) -> str:
    if dialect == "postgresql":
        return f"'{table.name} ' || {table.name}::text"
    values = " || ', ' || ".join(f'quote("{column.name}")' for column in table.columns)
    return f"'{table.name} ' || {values}"
