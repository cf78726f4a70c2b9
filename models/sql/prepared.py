"""Reading with statements that are compiled once and run on the driver's own connection.

A session costs more than what it is asked: 1.05 ms of CPU for the variants of a page on SQLite, 0.22 without
(2026-11-27). It keeps track of entities nobody changes, begins and ends a transaction around one statement,
and looks up the text of the statement each time. What is only shown needs none of it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Dialect, Float, Numeric
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapper, class_mapper
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from models.database import Reads
from models.sql.dialects import columns_of

DriverRow = Sequence[Any]

DIALECTS: Mapping[str, Dialect] = {
    "sqlite": aiosqlite.dialect(json_deserializer=orjson.loads),
    "postgresql": asyncpg.dialect(json_deserializer=orjson.loads),
}

NUMERIC, FLOAT = 1700, 701
"""PostgreSQL's object ids of the types `numeric` and `float8` (catalogue pg_type)."""


class PreparedSelect:
    """A compiled SELECT: its text, how its parameters are bound and how its columns are read."""

    __slots__ = ("bind_processors", "constants", "names", "result_processors", "text")

    def __init__(self, statement: SelectBase, dialect_name: str) -> None:
        dialect = DIALECTS[dialect_name]
        compiled = statement.compile(dialect=dialect)
        expanded = compiled.construct_expanded_state()
        self.text = expanded.statement
        self.names: Sequence[str] = expanded.positiontup or ()
        self.constants = expanded.parameters
        processors = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for bind, name in compiled.bind_names.items()
        }
        self.bind_processors = {
            name: process for name, process in {**processors, **expanded.processors}.items() if process
        }
        readers = [_result_processor(each.type, dialect) for each in statement.selected_columns]
        self.result_processors = [(place, read) for place, read in enumerate(readers) if read]

    async def fetch(self, connection: "DriverConnection", **values: Any) -> Sequence[DriverRow]:
        """The rows for these values of the parameters, with the Python values the models have."""
        return self.process(await connection.fetch(self.text, self.arguments(values)))

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        known, processors = {**self.constants, **values}, self.bind_processors
        return [processors[name](known[name]) if name in processors else known[name] for name in self.names]

    def process(self, rows: Iterable[DriverRow]) -> Sequence[DriverRow]:
        if not self.result_processors:
            return list(rows)
        processed = [list(row) for row in rows]
        for place, read in self.result_processors:
            for row in processed:
                row[place] = read(row[place])
        return processed


class DirectExecution:
    """One statement on the driver's connection, in place of SQLAlchemy's execution context."""

    __slots__ = ("__weakref__", "error")

    def __init__(self) -> None:
        self.error: BaseException | None = None


class DriverConnection:
    """A connection of the pool, without a session and without a transaction."""

    __slots__ = ("driver", "engine")

    def __init__(self, engine: AsyncEngine, driver: Any) -> None:
        self.engine = engine
        self.driver = driver

    @property
    def dialect(self) -> str:
        name: str = self.engine.dialect.name
        return name

    async def fetch(self, text: str, arguments: Sequence[Any]) -> Iterable[DriverRow]:
        # those who count, time or log statements listen to the engine, which the driver's connection bypasses
        listeners, execution = self.engine.sync_engine.dispatch, DirectExecution()
        for listener in listeners.before_cursor_execute:
            listener(None, None, text, arguments, execution, False)
        rows: Iterable[DriverRow]
        try:
            if self.dialect == "sqlite":
                rows = await self.driver.execute_fetchall(text, arguments)
            else:
                rows = await self.driver.fetch(text, *arguments)
        except BaseException as error:
            execution.error = error
            raise
        finally:
            for listener in listeners.after_cursor_execute:
                listener(None, None, text, arguments, execution, False)
        return rows


@asynccontextmanager
async def driver_connection(reads: Reads) -> AsyncIterator[DriverConnection]:
    """A connection until the block ends; it is thrown away where the block fails."""
    engine: AsyncEngine = reads.kw["bind"]
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        try:
            yield DriverConnection(engine, raw.driver_connection)
        except Exception:
            await connection.invalidate()
            raise


async def fetch_rows(reads: Reads, prepared: PreparedSelect, **values: Any) -> Sequence[DriverRow]:
    """The rows of one statement, on a connection of its own."""
    async with driver_connection(reads) as connection:
        return await prepared.fetch(connection, **values)


def build_entities(model: type[Any], rows: Iterable[DriverRow], *, start: int = 0) -> list[Any]:
    """Instances of `model` outside any session, from rows that hold `columns_of(model)` from `start` on."""
    mapper = class_mapper(model)
    names, manager = _attribute_names(mapper), mapper.class_manager
    entities = []
    for row in rows:
        entity = manager.new_instance()
        entity.__dict__.update(zip(names, row[start : start + len(names)], strict=True))
        entities.append(entity)
    return entities


@cache
def _attribute_names(mapper: Mapper[Any]) -> Sequence[str]:
    return [mapper.get_property_by_column(each).key for each in columns_of(mapper.class_)]


def _result_processor(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    code = FLOAT if isinstance(kind, Float) else NUMERIC if isinstance(kind, Numeric) else None
    return kind.dialect_impl(dialect).result_processor(dialect, code)
