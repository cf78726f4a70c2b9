"""Several SELECTs as one statement, so that a page with many parts waits for the database once.

Each row comes back as a JSON array, since the parts have different columns; the values are then those that
the driver would have given.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Date, DateTime, Float, Numeric, TypeDecorator, func, literal
from sqlalchemy.orm import class_mapper
from sqlalchemy.types import LargeBinary, TypeEngine

from models.sql.prepared import DriverConnection, DriverRow, PreparedSelect
from models.sql.types import AnySelect

ARGUMENTS_LIMIT = 100
"""Arguments of a function of PostgreSQL; SQLite takes 127."""

PARAMETER = re.compile(r"\$(\d+)")


class PartialSelect(PreparedSelect):
    """A SELECT that can be one of several in a statement."""

    __slots__ = ("bytes", "decoders", "width")

    def __init__(self, statement: AnySelect, dialect_name: str) -> None:
        order_by = statement._order_by_clauses
        place = func.row_number().over(order_by=order_by) if order_by else literal(0)
        placed = statement.add_columns(place.label("place_of_row"))
        super().__init__(placed, dialect_name)
        types = [column.type for column in placed.selected_columns]
        self.width = len(types)
        # JSON holds no bytes: they are written as hexadecimal digits
        self.bytes = [isinstance(each, LargeBinary) for each in types]
        found = enumerate(decoder_of(each, dialect_name) for each in types)
        self.decoders = [(index, decode) for index, decode in found if decode]

    def write(self, number: int, offset: int, dialect_name: str) -> tuple[str, str]:
        """It as a named query, and the SELECT of its rows; its parameters come after `offset` others."""
        names = [f"c{index}" for index in range(self.width)]
        digits = "hex({})" if dialect_name == "sqlite" else "encode({}, 'hex')"
        written = [
            f"CASE WHEN {name} IS NOT NULL THEN {digits.format(name)} END" if is_bytes else name
            for name, is_bytes in zip(names, self.bytes, strict=True)
        ]
        chunks = [written[start : start + ARGUMENTS_LIMIT] for start in range(0, self.width, ARGUMENTS_LIMIT)]
        if dialect_name == "sqlite":
            text = self.text
            values = ", ".join(f"json_array({', '.join(chunk)})" for chunk in chunks)
            row = f"json_array({values})"
        else:
            text = PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", self.text)
            values = ", ".join(f"json_build_array({', '.join(chunk)})" for chunk in chunks)
            row = f"CAST(json_build_array({values}) AS text)"
        query = f"p{number} ({', '.join(names)}) AS ({text})"
        return query, f"SELECT {number}, {row} FROM p{number}"  # noqa: S608 - names and numbers of ours

    def read(self, text: str) -> list[Any]:
        """A row, its place at the end."""
        row = list(chain.from_iterable(orjson.loads(text)))
        for index, decode in self.decoders:
            if row[index] is not None:
                row[index] = decode(row[index])
        return row


def decoder_of(kind: TypeEngine[Any], dialect_name: str) -> Callable[[Any], Any] | None:
    """How the JSON of a value becomes what the driver gives; None where it is the same."""
    plain = kind.impl if isinstance(kind, TypeDecorator) else kind
    if isinstance(plain, LargeBinary):
        return bytes.fromhex
    if dialect_name == "sqlite":
        return None
    if isinstance(plain, DateTime):
        return lambda text: datetime.fromisoformat(text).astimezone(UTC)
    if isinstance(plain, Date):
        return date.fromisoformat
    if isinstance(plain, Numeric) and not isinstance(plain, Float):
        return lambda number: Decimal(str(number))
    return None


PartRequest = tuple[PartialSelect, Mapping[str, Any]]
"""A part of a statement, and the values of its parameters."""


async def fetch_parts(
    connection: DriverConnection, requests: Sequence[PartRequest]
) -> list[Sequence[DriverRow]]:
    """The rows of each part, in its order."""
    dialect, arguments = connection.dialect, list[Any]()
    queries, selects = [], []
    for number, (part, values) in enumerate(requests):
        query, select_rows = part.write(number, len(arguments), dialect)
        queries.append(query)
        selects.append(select_rows)
        arguments += part.arguments(values)
    text = f"WITH {', '.join(queries)} {' UNION ALL '.join(selects)}"
    found: list[list[list[Any]]] = [[] for _ in requests]
    for number, row in await connection.fetch(text, arguments):
        found[number].append(requests[number][0].read(row))
    for rows in found:
        rows.sort(key=lambda row: row[-1])
    return [part.process(rows) for (part, _), rows in zip(requests, found, strict=True)]


class EntitySelect:
    """A SELECT of entities and values as columns, and how its rows are built from them."""

    __slots__ = ("builders", "part")

    def __init__(self, statement: AnySelect, dialect_name: str) -> None:
        columns: list[Any] = []
        self.builders: list[Callable[[DriverRow], Any]] = []
        for each in statement.column_descriptions:
            start = len(columns)
            if each["entity"] is not None and each["expr"] is each["entity"]:
                shown = class_mapper(each["type"]).column_attrs
                attributes = [attribute.key for attribute in shown if not attribute.deferred]
                columns += [getattr(each["expr"], name) for name in attributes]
                self.builders.append(build_from(each["type"], attributes, start))
            else:
                columns.append(each["expr"])
                self.builders.append(itemgetter(start))
        self.part = PartialSelect(
            statement.with_only_columns(*columns, maintain_column_froms=True), dialect_name
        )

    def build(self, row: DriverRow) -> tuple[Any, ...]:
        return tuple(build(row) for build in self.builders)


def build_from(model: type[Any], names: Sequence[str], start: int) -> Callable[[DriverRow], Any]:
    manager = class_mapper(model).class_manager

    def build(row: DriverRow) -> Any:
        if all(value is None for value in row[start : start + len(names)]):
            return None  # an outer join found none
        entity = manager.new_instance()
        entity.__dict__.update(zip(names, row[start : start + len(names)], strict=True))
        return entity

    return build
