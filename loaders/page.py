"""Keyset pages: a cursor holds the sort key of a row, so pages stay right while rows come and go."""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from loaders.prepared import Reads

PAGE_DEFAULT = 20
PAGE_LIMIT = 100

R = TypeVar("R")


class WrongCursor(ValueError):
    """The cursor is not one of ours, or belongs to another order of rows."""


@dataclass(frozen=True, slots=True)
class Key:
    """One column rows are sorted by; the last one of a sort must be unique."""

    column: InstrumentedAttribute[Any] | ColumnElement[Any]
    descending: bool = False

    @property
    def ordering(self) -> ColumnElement[Any]:
        return self.column.desc() if self.descending else self.column.asc()

    def beyond(self, value: Any) -> ColumnElement[bool]:
        further: ColumnElement[bool] = self.column < value if self.descending else self.column > value
        return further


@dataclass(frozen=True, slots=True)
class Sort:
    """A named order of rows; the name travels in the cursor. No key may be NULL."""

    name: str
    keys: tuple[Key, ...]
    memo: Any = None
    """Plain values that travel along: what the order depends on besides the rows."""

    def after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """Rows beyond `values`: (a, b) > (x, y), spelled out where the directions differ."""
        if len({key.descending for key in self.keys}) == 1:
            row = tuple_(*(key.column for key in self.keys))
            given = tuple_(*(literal(v, k.column.type) for k, v in zip(self.keys, values, strict=True)))
            return row < given if self.keys[0].descending else row > given
        options = []
        for depth, (key, value) in enumerate(zip(self.keys, values, strict=True)):
            same = [k.column == v for k, v in zip(self.keys[:depth], values[:depth], strict=True)]
            options.append(and_(*same, key.beyond(value)))
        return or_(*options)


@dataclass(slots=True)
class Page(Generic[R]):
    """Some rows of a longer list, and how to go on."""

    rows: Sequence[R]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    counting: Callable[[], Awaitable[int]] | None = None
    """How all are counted, where these are not all that could be."""
    extra: dict[str, Any] = field(default_factory=dict)

    async def count(self) -> int:
        """All rows of the list; one statement, run only when somebody asks."""
        return await self.counting() if self.counting else len(self.rows)


async def counted(reads: Reads, statement: Select[Any]) -> int:
    async with reads() as session:
        rows = select(func.count()).select_from(statement.order_by(None).subquery())
        return await session.scalar(rows) or 0


async def as_many(known: int) -> int:
    return known


def itself(row: Any, *others: Any) -> Any:
    return row


async def page(
    reads: Reads,
    statement: Select[Any],
    sort: Sort,
    *,
    first: int,
    after: str | None,
    shape: Callable[..., Any] = itself,
) -> Page[Any]:
    """`first` rows of `statement` in the order of `sort`, after a cursor; `shape` makes one of its columns.

    One statement. Raises WrongCursor. `first` must already be within PAGE_LIMIT.
    """
    columns = [key.column for key in sort.keys]
    wanted = statement.add_columns(*columns).order_by(*(key.ordering for key in sort.keys)).limit(first + 1)
    if after is not None:
        wanted = wanted.where(sort.after(read_cursor(sort, after)))
    async with reads() as session:
        rows = (await session.execute(wanted)).all()
    shown = rows[:first]
    return Page(
        rows=[shape(*row[: -len(columns)]) for row in shown],
        cursors=write_cursors(sort, [row[-len(columns) :] for row in shown]),
        has_next=len(rows) > first,
        has_previous=after is not None,
        counting=partial(counted, reads, statement),
    )


def page_of(
    rows: Sequence[R], sort: Sort, *, of: Callable[[R], tuple[Any, ...]], first: int, after: str | None
) -> Page[R]:
    """The same of a list in memory that is sorted by `of`, the key of each row."""
    start = 0
    if after is not None:
        start = bisect_right(rows, tuple(read_cursor(sort, after)), key=of)
    shown = rows[start : start + first]
    return Page(
        rows=shown,
        cursors=write_cursors(sort, map(of, shown)),
        has_next=start + first < len(rows),
        has_previous=after is not None,
        counting=partial(as_many, len(rows)),
    )


def write_cursor(sort: Sort, values: Sequence[Any]) -> str:
    return write_cursors(sort, [values])[0]


def write_cursors(sort: Sort, rows: Iterable[Sequence[Any]]) -> list[str]:
    """What travels along is the same for all rows of a page: it is written once."""
    head = _written(sort.name if sort.memo is None else [sort.name, sort.memo])
    texts = (f"[{','.join([head, *(_written(_plain(value)) for value in row)])}]" for row in rows)
    return [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts]


def _written(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def memo_of(cursor: str) -> Any:
    """What travels in a cursor besides the sort key; it comes from outside."""
    return _opened(cursor)[1]


def _opened(cursor: str) -> tuple[Any, Any, list[Any]]:
    """The name of the order, what travels along, and the sort key."""
    try:
        head, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name, memo = head if isinstance(head, list) else (head, None)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise WrongCursor("This cursor is not one of ours.") from None
    return name, memo, values


def read_cursor(sort: Sort, cursor: str) -> list[Any]:
    name, memo, values = _opened(cursor)
    if name == sort.name and (memo is None) is not (sort.memo is None):
        raise WrongCursor("This cursor belongs to another search.")
    if name != sort.name or len(values) != len(sort.keys):
        raise WrongCursor(f"This cursor belongs to another order of rows, not to {sort.name}.")
    try:
        return [_typed(key, value) for key, value in zip(sort.keys, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError):
        raise WrongCursor("This cursor is not one of ours.") from None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value.value if isinstance(value, Enum) else value


def _typed(key: Key, value: Any) -> Any:
    kind = key.column.type.python_type
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind is Decimal:
        return Decimal(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(value, bool) or not isinstance(value, (float, int) if kind is float else kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise TypeError(f"{value!r} is beyond any {kind.__name__}")
    return value
