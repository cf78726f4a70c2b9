"""Statements that are made once and run on the driver's own connection.

A session costs more than what it is asked: 1.05 ms of CPU for the variants of a page on SQLite, 0.22 without
(2026-11-27). It keeps track of entities nobody changes, begins and ends a transaction around one statement,
and looks up the text of the statement each time. What is only shown needs none of it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Dialect, Float, Numeric, String, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, asyncpg
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapper, class_mapper
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

Reads = async_sessionmaker[AsyncSession]
Row = Sequence[Any]

DIALECTS: Mapping[str, Dialect] = {
    "sqlite": aiosqlite.dialect(json_deserializer=orjson.loads),
    "postgresql": asyncpg.dialect(json_deserializer=orjson.loads),
}

NUMERIC, FLOAT = 1700, 701
"""What PostgreSQL calls the types of exact numbers and of others."""


class Prepared:
    """The text of a statement, what it binds, and how its columns are read."""

    __slots__ = ("binds", "given", "names", "readers", "text")

    def __init__(self, statement: SelectBase, dialect: str) -> None:
        spoken = DIALECTS[dialect]
        compiled = statement.compile(dialect=spoken)
        written = compiled.construct_expanded_state()
        self.text = written.statement
        self.names: Sequence[str] = written.positiontup or ()
        self.given = written.parameters
        binds = {
            name: bind.type.dialect_impl(spoken).bind_processor(spoken)
            for bind, name in compiled.bind_names.items()
        }
        self.binds = {name: process for name, process in {**binds, **written.processors}.items() if process}
        readers = [_reader(each.type, spoken) for each in statement.selected_columns]
        self.readers = [(place, read) for place, read in enumerate(readers) if read]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        known = {**self.given, **values}
        return [self.binds[name](known[name]) if name in self.binds else known[name] for name in self.names]

    def read(self, rows: Iterable[Row]) -> Sequence[Row]:
        """The rows of the driver, their values as the models have them."""
        if not self.readers:
            return list(rows)
        found = [list(row) for row in rows]
        for place, read in self.readers:
            for row in found:
                row[place] = read(row[place])
        return found

    async def rows(self, connection: "Connection", **values: Any) -> Sequence[Row]:
        return self.read(await connection.ask(self.text, self.arguments(values)))


class Connection:
    """A connection of the pool, without a session and without a transaction."""

    __slots__ = ("driver", "engine")

    def __init__(self, engine: AsyncEngine, driver: Any) -> None:
        self.engine = engine
        self.driver = driver

    @property
    def dialect(self) -> str:
        name: str = self.engine.dialect.name
        return name

    async def ask(self, text: str, arguments: Sequence[Any]) -> Iterable[Row]:
        for heard in self.engine.sync_engine.dispatch.before_cursor_execute:
            heard(None, None, text, arguments, None, False)
        if self.dialect == "sqlite":
            found: Iterable[Row] = await self.driver.execute_fetchall(text, arguments)
        else:
            found = await self.driver.fetch(text, *arguments)
        return found


@asynccontextmanager
async def connected(reads: Reads) -> AsyncIterator[Connection]:
    engine: AsyncEngine = reads.kw["bind"]
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        try:
            yield Connection(engine, raw.driver_connection)
        except Exception:
            await connection.invalidate()
            raise


async def rows_of(reads: Reads, prepared: Prepared, **values: Any) -> Sequence[Row]:
    async with connected(reads) as connection:
        return await prepared.rows(connection, **values)


def dialect_of(reads: Reads) -> str:
    name: str = reads.kw["bind"].dialect.name
    return name


def columns_of(model: type[Any]) -> Sequence[Any]:
    return tuple(model.__table__.columns)


@cache
def _names_of(mapper: Mapper[Any]) -> Sequence[str]:
    return [mapper.get_property_by_column(each).key for each in columns_of(mapper.class_)]


def entities(model: type[Any], rows: Iterable[Row], *, start: int = 0) -> list[Any]:
    """Rows that have the values of `columns_of(model)` from `start` on, as models that nobody changes."""
    mapper = class_mapper(model)
    names, made_by = _names_of(mapper), mapper.class_manager
    found = []
    for row in rows:
        made = made_by.new_instance()
        made.__dict__.update(zip(names, row[start : start + len(names)], strict=True))
        found.append(made)
    return found


def is_among(column: Any, name: str, dialect: str, values: Any = None) -> ColumnElement[bool]:
    """Whether it is one of the values bound as `name`: one parameter, however many they are."""
    found: ColumnElement[bool]
    if dialect == "sqlite":
        each = func.json_each(bindparam(name, values, String)).table_valued("value")
        found = column.in_(select(each.c.value))
        return found
    listed = ARRAY(column.type)
    found = column == func.any(cast(bindparam(name, values, listed), listed))
    return found


def packed(values: Iterable[Any], dialect: str) -> Any:
    """Values as `is_among` takes them."""
    listed = list(values)
    return orjson.dumps(listed).decode() if dialect == "sqlite" else listed


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    code = FLOAT if isinstance(kind, Float) else NUMERIC if isinstance(kind, Numeric) else None
    return kind.dialect_impl(dialect).result_processor(dialect, code)
