"""Writing many rows with statements that are compiled once.

The rows of a statement travel as one JSON parameter, so that nothing is compiled, prepared or planned anew
when their number changes, and no value is converted one by one in Python.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql import Executable

from models.sql.parameters import encode_rows
from models.sql.types import RowValues

ResultRows = Sequence[Any]


class BulkStatement:
    """One or more statements over bound rows, compiled once for each dialect.

    `build` gets the name of a dialect and returns the statements to run there one after the other; the last
    one gives the result. On SQLite those before it are sent as one, called `name`.
    """

    def __init__(self, name: str, build: Callable[[str], Sequence[Executable]]) -> None:
        self.name = name
        self.build = build
        self.compiled: dict[str, list[CompiledStatement]] = {}

    async def execute(self, session: AsyncSession, **rows: Sequence[RowValues]) -> ResultRows:
        """Run with the rows bound by name, in the transaction of the session; the rows of the result."""
        dialect = session.get_bind().dialect
        bound = {name: encode_rows(bound_rows, dialect.name) for name, bound_rows in rows.items()}
        connection = await session.connection()
        result: ResultRows = ()
        for statement in self.statements_for(dialect):
            result = await statement.execute(connection, bound)
        return result

    def statements_for(self, dialect: Any) -> list["CompiledStatement"]:
        if dialect.name not in self.compiled:
            self.compiled[dialect.name] = list(self._compile(dialect))
        return self.compiled[dialect.name]

    def _compile(self, dialect: Any) -> Iterator["CompiledStatement"]:
        *before, last = self.build(dialect.name)
        if len(before) > 1:
            yield CompiledStatement.combine(self.name, before, dialect)
        else:
            yield from (CompiledStatement.compile(each, dialect) for each in before)
        yield CompiledStatement.compile(last, dialect)


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """The text sent to the driver, the names of its parameters in order, and the values of its constants."""

    text: str
    names: Sequence[str]
    constants: Mapping[str, Any]
    setup: Sequence[str] = ()
    """What creates the view and trigger that `text` inserts into, once for each connection."""

    @classmethod
    def compile(cls, statement: Any, dialect: Any) -> "CompiledStatement":
        compiled = statement.compile(dialect=dialect)
        return cls(str(compiled), tuple(compiled.positiontup), compiled.params)

    @classmethod
    def combine(cls, name: str, statements: Sequence[Any], dialect: Any) -> "CompiledStatement":
        """Statements without a result as one for SQLite: an INSERT into a view whose trigger runs them.

        Raises ValueError where two constants share a name.
        """
        named = type(dialect)(paramstyle="named")
        compiled = [each.compile(dialect=named) for each in statements]
        constants = {key: value for each in compiled for key, value in each.params.items()}
        if any(constants[key] != value for each in compiled for key, value in each.params.items()):
            raise ValueError(f"one name stands for two values in {name}: {constants}")
        names = tuple(constants)
        parameter = re.compile(rf":({'|'.join(names)})\b")
        body = "; ".join(parameter.sub(r"NEW.\1", str(each)) for each in compiled)
        columns, places = ", ".join(names), ", ".join("?" * len(names))
        empty = ", ".join(f"NULL AS {each}" for each in names)
        return cls(
            f"INSERT INTO {name} ({columns}) VALUES ({places})",  # noqa: S608 - names of ours
            names,
            constants,
            setup=(
                f"CREATE TEMP VIEW {name} AS SELECT {empty}",
                f"CREATE TEMP TRIGGER {name}_all INSTEAD OF INSERT ON {name} BEGIN {body}; END",
            ),
        )

    async def execute(self, connection: AsyncConnection, bound: Mapping[str, str]) -> ResultRows:
        parameters = tuple(bound[name] if name in bound else self.constants[name] for name in self.names)
        try:
            result = await connection.exec_driver_sql(self.text, parameters)
        except OperationalError as error:
            if not (self.setup and "no such table" in str(error.orig)):
                raise
            for text in self.setup:  # a new connection, or one whose first transaction was rolled back
                await connection.exec_driver_sql(text)
            result = await connection.exec_driver_sql(self.text, parameters)
        return result.all() if result.returns_rows else ()
