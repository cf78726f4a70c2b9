"""Keyset pagination: a cursor holds the sort key of a row, so pages stay right while rows come and go."""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_

from models.database import Reads
from models.sql.types import AnyColumn, AnyExpression, AnySelect
from text.messages import Message

PAGE_DEFAULT = 20
PAGE_LIMIT = 100

R = TypeVar("R")


class WrongCursor(ValueError):
    """The cursor is not one of ours, or belongs to another sort order; `argument` is the one that has it."""

    def __init__(self, message: Message, *, argument: str = "after") -> None:
        super().__init__(message)
        self.message = message
        self.argument = argument


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is asked for: `first` rows after a cursor, or the `last` ones before one.

    `after` and `before` together are the rows between them, of which `first` or `last` takes one end. Without
    a number they are PAGE_DEFAULT rows: the last ones where only `before` is given, else the first.
    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def is_backward(self) -> bool:
        """Whether rows are taken from the end."""
        return self.last is not None or (
            self.first is None and self.after is None and self.before is not None
        )

    @property
    def size(self) -> int:
        """How many rows at most."""
        number = self.last if self.first is None else self.first
        return PAGE_DEFAULT if number is None else number

    @property
    def cursors(self) -> Sequence[tuple[str, str]]:
        """The cursors that are given, each after the name of its argument."""
        given = (("after", self.after), ("before", self.before))
        return [(name, cursor) for name, cursor in given if cursor is not None]


FIRST_PAGE = PageRequest()


@dataclass(frozen=True, slots=True)
class Key:
    """A column rows are sorted by; the last one of a sort must be unique."""

    column: AnyColumn
    descending: bool = False

    @property
    def ordering(self) -> AnyExpression:
        return self.column.desc() if self.descending else self.column.asc()

    @property
    def reversed(self) -> "Key":
        return Key(self.column, not self.descending)

    def beyond(self, value: Any) -> ColumnElement[bool]:
        follows: ColumnElement[bool] = self.column < value if self.descending else self.column > value
        return follows


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort order; its name is part of the cursor. No key may be NULL."""

    name: str
    keys: tuple[Key, ...]
    memo: Any = None
    """JSON that is part of the cursor: what the order depends on besides the rows."""

    @property
    def reversed(self) -> "Sort":
        """The same order from its end; its cursors are the same."""
        return replace(self, keys=tuple(key.reversed for key in self.keys))

    def after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether a row follows `values`: (a, b) > (x, y), written out where the directions differ."""
        if len({key.descending for key in self.keys}) == 1:
            row = tuple_(*(key.column for key in self.keys))
            limit = tuple_(*(literal(v, k.column.type) for k, v in zip(self.keys, values, strict=True)))
            return row < limit if self.keys[0].descending else row > limit
        options = []
        for depth, (key, value) in enumerate(zip(self.keys, values, strict=True)):
            same = [k.column == v for k, v in zip(self.keys[:depth], values[:depth], strict=True)]
            options.append(and_(*same, key.beyond(value)))
        return or_(*options)


@dataclass(slots=True)
class Page(Generic[R]):
    """Some rows of a longer list, with their cursors."""

    rows: Sequence[R]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    count_all: Callable[[], Awaitable[int]] | None = None
    """Counts the rows of the whole list; None where the page holds them all."""
    extra: dict[str, Any] = field(default_factory=dict)

    async def count(self) -> int:
        """The number of rows in the whole list; one statement, run only when it is asked for."""
        return await self.count_all() if self.count_all else len(self.rows)


AnyPage = Page[Any]


async def count_rows(reads: Reads, statement: AnySelect) -> int:
    async with reads() as session:
        rows = select(func.count()).select_from(statement.order_by(None).subquery())
        return await session.scalar(rows) or 0


async def known_count(count: int) -> int:
    return count


def first_column(row: Any, *others: Any) -> Any:
    return row


async def load_page(
    reads: Reads,
    statement: AnySelect,
    sort: Sort,
    request: PageRequest,
    *,
    shape: Callable[..., Any] = first_column,
) -> AnyPage:
    """The requested rows of `statement` in the order of `sort`; `shape` makes a row of its columns.

    Runs one statement. Raises WrongCursor. The size must already be within PAGE_LIMIT.
    """
    columns, backward = [key.column for key in sort.keys], request.is_backward
    order = sort.reversed if backward else sort
    page = statement.add_columns(*columns).order_by(*(key.ordering for key in order.keys))
    for argument, values in read_bounds(sort, request).items():
        page = page.where((sort if argument == "after" else sort.reversed).after(values))
    async with reads() as session:
        rows = (await session.execute(page.limit(request.size + 1))).all()
    shown = rows[: request.size]
    if backward:
        shown = shown[::-1]
    return build_page(
        [shape(*row[: -len(columns)]) for row in shown],
        write_cursors(sort, [row[-len(columns) :] for row in shown]),
        request,
        has_more=len(rows) > request.size,
        count_all=partial(count_rows, reads, statement),
    )


def page_of_list(
    rows: Sequence[R], sort: Sort, request: PageRequest, *, of: Callable[[R], tuple[Any, ...]]
) -> Page[R]:
    """The same for a list in memory that is sorted by `of`, which returns the sort key of a row."""
    bounds, size = read_bounds(sort, request), request.size
    start = bisect_right(rows, tuple(bounds["after"]), key=of) if "after" in bounds else 0
    end = bisect_left(rows, tuple(bounds["before"]), key=of) if "before" in bounds else len(rows)
    shown = (
        rows[max(start, end - size) : end] if request.is_backward else rows[start : min(start + size, end)]
    )
    return build_page(
        shown,
        write_cursors(sort, map(of, shown)),
        request,
        has_more=end - start > size,
        count_all=partial(known_count, len(rows)),
    )


def build_page(
    rows: Sequence[R],
    cursors: Sequence[str],
    request: PageRequest,
    *,
    has_more: bool,
    count_all: Callable[[], Awaitable[int]] | None = None,
) -> Page[R]:
    """A page with what is on both sides of it; `has_more` says whether the list goes on where it was cut.

    On the other side stands at least the row whose cursor the client has sent.
    """
    return Page(
        rows,
        cursors,
        has_next=request.before is not None or (has_more and not request.is_backward),
        has_previous=request.after is not None or (has_more and request.is_backward),
        count_all=count_all,
    )


def read_bounds(sort: Sort, request: PageRequest) -> dict[str, list[Any]]:
    """The sort keys of the cursors of a request by the argument; raises WrongCursor."""
    bounds: dict[str, list[Any]] = {}
    for argument, cursor in request.cursors:
        try:
            bounds[argument] = read_cursor(sort, cursor)
        except WrongCursor as error:
            raise WrongCursor(error.message, argument=argument) from None
    return bounds


def write_cursors(sort: Sort, rows: Iterable[Sequence[Any]]) -> list[str]:
    """The cursors of rows with these sort keys; the memo, the same for all, is encoded once."""
    head = _to_json(sort.name if sort.memo is None else [sort.name, sort.memo])
    texts = (f"[{','.join([head, *(_to_json(_json_value(value)) for value in row)])}]" for row in rows)
    return [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts]


def _to_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def memo_of(cursor: str) -> Any:
    """The memo in a cursor, which comes from a client; raises WrongCursor."""
    return _decode_cursor(cursor)[1]


def _decode_cursor(cursor: str) -> tuple[Any, Any, list[Any]]:
    """The name of the sort, its memo and the sort key; raises WrongCursor."""
    try:
        head, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name, memo = head if isinstance(head, list) else (head, None)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise WrongCursor(Message("This cursor is not one of ours.")) from None
    return name, memo, values


def read_cursor(sort: Sort, cursor: str) -> list[Any]:
    """The sort key in a cursor of `sort`; raises WrongCursor for any other cursor."""
    name, memo, values = _decode_cursor(cursor)
    if name == sort.name and (memo is None) is not (sort.memo is None):
        raise WrongCursor(Message("This cursor belongs to another search."))
    if name != sort.name or len(values) != len(sort.keys):
        message = Message("This cursor belongs to another order of rows, not to {order}.", order=sort.name)
        raise WrongCursor(message)
    try:
        return [_parse_value(key, value) for key, value in zip(sort.keys, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError):
        raise WrongCursor(Message("This cursor is not one of ours.")) from None


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value.value if isinstance(value, Enum) else value


def _parse_value(key: Key, value: Any) -> Any:
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
