"""Any number of rows or values as one parameter, so that the text of a statement is always the same."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from models.sql.dialects import dialect_of
from models.sql.types import ColumnTypes, RowValues

SQLITE_DATETIME = "%Y-%m-%d %H:%M:%S.%f"
"""How SQLAlchemy stores a moment in SQLite, which has no type for it."""


def bound_table(name: str, columns: ColumnTypes, dialect: str, rows: str | None = None) -> FromClause:
    """A table of the rows bound as `name` (see `encode_rows`), or of `rows` where none are bound."""
    parameter = bindparam(name, type_=String) if rows is None else bindparam(name, rows, String)
    if dialect == "sqlite":
        row = func.json_each(parameter).table_valued("value")
        return select(
            *(
                func.json_extract(row.c.value, literal_column(f"'$.{key}'"), type_=kind).label(key)
                for key, kind in columns.items()
            )
        ).subquery(name)
    return (
        func.jsonb_to_recordset(cast(parameter, JSONB))
        .table_valued(*(column(key, kind) for key, kind in columns.items()))
        .render_derived(name=name, with_types=True)
    )


def encode_rows(rows: Sequence[RowValues], dialect: str) -> str:
    """Rows as `bound_table` reads them: a JSON array of objects."""
    if dialect == "sqlite":
        return orjson.dumps(rows, _sqlite_json, orjson.OPT_PASSTHROUGH_DATETIME).decode()
    return orjson.dumps(rows).decode()


def is_among(column: Any, name: str, dialect: str, values: Any = None) -> ColumnElement[bool]:
    """Whether the column equals one of the values bound as `name` (see `encode_values`)."""
    found: ColumnElement[bool]
    if dialect == "sqlite":
        each = func.json_each(bindparam(name, values, String)).table_valued("value")
        found = column.in_(select(each.c.value))
        return found
    array = ARRAY(column.type)
    found = column == func.any(cast(bindparam(name, values, array), array))
    return found


def is_any_of(session: AsyncSession, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether the column equals one of these values, whose number does not change the text of the statement.

    With `in_`, PostgreSQL plans each number of values anew.
    """
    dialect = dialect_of(session)
    return is_among(column, f"any_{column.key}", dialect, encode_values(values, dialect))


def encode_values(values: Iterable[Any], dialect: str) -> Any:
    """Values as `is_among` compares with: a JSON array for SQLite, a list for PostgreSQL."""
    listed = list(values)
    return orjson.dumps(listed).decode() if dialect == "sqlite" else listed


def contains_value(column: Any, value: str, dialect: str) -> ColumnElement[bool]:
    """Whether a JSON column holds an array with this value."""
    if dialect == "sqlite":
        each = func.json_each(column).table_valued("value")
        return exists(select(literal(1)).select_from(each).where(each.c.value == value))
    return type_coerce(column, JSONB).contains([value])


def _sqlite_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(SQLITE_DATETIME)
    raise TypeError(f"no column holds {value!r}")
