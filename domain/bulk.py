"""Many rows in one statement that is the same text for one row and for a thousand.

Rows travel as one parameter, a JSON array that both databases read as a table: nothing is compiled, prepared
or planned anew when their number changes, and no value is touched one by one in Python.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    FromClause,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql import Executable
from sqlalchemy.types import TypeEngine

Row = Mapping[str, Any]
Columns = Mapping[str, TypeEngine[Any]]
Result = Sequence[Any]

SQLITE_MOMENT = "%Y-%m-%d %H:%M:%S.%f"
"""How a moment is stored where there is no type for it."""


def columns_of(model: type[Any], *, without: Iterable[str] = ()) -> dict[str, TypeEngine[Any]]:
    """The columns a row of this table is made of, apart from those the database fills."""
    left_out = {"id", *without}
    columns: Iterable[Column[Any]] = model.__table__.columns
    return {each.name: each.type for each in columns if each.name not in left_out and each.computed is None}


def table_of(dialect: str, name: str, columns: Columns) -> FromClause:
    """The rows bound as `name`, to select from."""
    given = bindparam(name, type_=String)
    if dialect == "sqlite":
        row = func.json_each(given).table_valued("value")
        return select(
            *(
                func.json_extract(row.c.value, literal_column(f"'$.{key}'"), type_=kind).label(key)
                for key, kind in columns.items()
            )
        ).subquery(name)
    return (
        func.jsonb_to_recordset(cast(given, JSONB))
        .table_valued(*(column(key, kind) for key, kind in columns.items()))
        .render_derived(name=name, with_types=True)
    )


def packed(dialect: str, rows: Sequence[Row]) -> str:
    """Rows as they are bound."""
    if dialect == "sqlite":
        return orjson.dumps(rows, _sqlite, orjson.OPT_PASSTHROUGH_DATETIME).decode()
    return orjson.dumps(rows).decode()


def ids_of(dialect: str, name: str) -> Select[int]:
    """The ids bound as `name`, to look for something among."""
    return select(table_of(dialect, name, {"id": BigInteger()}).c.id)


def packed_ids(session: AsyncSession, ids: Iterable[int]) -> str:
    return packed(dialect_of(session), [{"id": each} for each in ids])


def dialect_of(session: AsyncSession) -> str:
    name: str = session.get_bind().dialect.name
    return name


def _sqlite(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(SQLITE_MOMENT)
    raise TypeError(f"no column holds {value!r}")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as it is sent: its text, the names of its parameters and the values of its constants."""

    text: str
    names: Sequence[str]
    constants: Mapping[str, Any]
    made_by: Sequence[str] = ()
    """What makes what it writes to, where it is not there yet."""

    @classmethod
    def of(cls, statement: Any, dialect: Any) -> "Compiled":
        made = statement.compile(dialect=dialect)
        return cls(str(made), tuple(made.positiontup), made.params)

    @classmethod
    def as_one(cls, name: str, statements: Sequence[Any], dialect: Any) -> "Compiled":
        """Statements that return nothing, sent to SQLite as one: an INSERT whose trigger consists of them."""
        named = type(dialect)(paramstyle="named")
        made = [each.compile(dialect=named) for each in statements]
        constants = {key: value for each in made for key, value in each.params.items()}
        if any(constants[key] != value for each in made for key, value in each.params.items()):
            raise ValueError(f"one name stands for two values in {name}: {constants}")
        names = tuple(constants)
        bound = re.compile(rf":({'|'.join(names)})\b")
        body = "; ".join(bound.sub(r"NEW.\1", str(each)) for each in made)
        columns, places = ", ".join(names), ", ".join("?" * len(names))
        empty = ", ".join(f"NULL AS {each}" for each in names)
        return cls(
            f"INSERT INTO {name} ({columns}) VALUES ({places})",  # noqa: S608 - names of ours
            names,
            constants,
            made_by=(
                f"CREATE TEMP VIEW {name} AS SELECT {empty}",
                f"CREATE TEMP TRIGGER {name}_all INSTEAD OF INSERT ON {name} BEGIN {body}; END",
            ),
        )

    def parameters(self, bound: Mapping[str, str]) -> tuple[Any, ...]:
        return tuple(bound[name] if name in bound else self.constants[name] for name in self.names)

    async def run(self, connection: AsyncConnection, bound: Mapping[str, str]) -> Result:
        parameters = self.parameters(bound)
        try:
            result = await connection.exec_driver_sql(self.text, parameters)
        except OperationalError as error:
            if not (self.made_by and "no such table" in str(error.orig)):
                raise
            for text in self.made_by:  # a new connection, or one whose first transaction was rolled back
                await connection.exec_driver_sql(text)
            result = await connection.exec_driver_sql(self.text, parameters)
        return result.all() if result.returns_rows else ()


class Bulk:
    """A statement over bound rows, compiled once for each database.

    `build` gets the name of the dialect and returns what runs there, one after the other; the last returns
    the result. What comes before it is sent as one, called `name`.
    """

    def __init__(self, name: str, build: Callable[[str], Sequence[Executable]]) -> None:
        self.name = name
        self.build = build
        self.compiled: dict[str, list[Compiled]] = {}

    async def run(self, session: AsyncSession, **rows: Sequence[Row]) -> Result:
        dialect = session.get_bind().dialect
        bound = {name: packed(dialect.name, given) for name, given in rows.items()}
        connection = await session.connection()
        found: Result = ()
        for each in self.statements(dialect):
            found = await each.run(connection, bound)
        return found

    def statements(self, dialect: Any) -> list[Compiled]:
        if dialect.name not in self.compiled:
            self.compiled[dialect.name] = list(self.compile(dialect))
        return self.compiled[dialect.name]

    def compile(self, dialect: Any) -> Iterator[Compiled]:
        *before, last = self.build(dialect.name)
        if len(before) > 1:
            yield Compiled.as_one(self.name, before, dialect)
        else:
            yield from (Compiled.of(each, dialect) for each in before)
        yield Compiled.of(last, dialect)
