"""Kinds of loaders, from which those of the areas are declared."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar, overload

from aiodataloader import DataLoader
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from loaders.combined import CombinedReads
from models.database import Reads
from models.sql.batches import BATCH_SIZE
from models.sql.combined import PartialSelect
from models.sql.dialects import columns_of, dialect_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import DriverRow, PreparedSelect, build_entities, fetch_rows
from models.sql.types import AnySelect

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
V = TypeVar("V")
P = TypeVar("P", bound=PreparedSelect)


class BatchTasks:
    """The tasks that load batches for one request.

    aiodataloader starts them, and nobody waits for them but by the futures of their keys: whoever cancels a
    request cancels them here.
    """

    def __init__(self) -> None:
        self.running: set[asyncio.Task[Any]] = set()
        self.cancelled = False

    @contextmanager
    def register(self) -> Iterator[None]:
        """Let `cancel` reach the present task until the block ends; CancelledError after it was called."""
        if self.cancelled:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        if task is None or task in self.running:
            yield
            return
        self.running.add(task)
        try:
            yield
        finally:
            self.running.discard(task)

    def cancel(self) -> set[asyncio.Task[Any]]:
        """Cancel what runs and whatever begins later; returns the tasks that are ending."""
        self.cancelled = True
        for task in self.running:
            task.cancel()
        return set(self.running)


class LoaderSet:
    """The loaders of one request; the areas add theirs (see `loader`)."""

    def __init__(self, reads: Reads, batches: BatchTasks | None = None) -> None:
        self.reads = reads
        self.batches = batches or BatchTasks()
        self.combined: CombinedReads | None = None

    def combine_statements(self) -> CombinedReads:
        """From here on, what is asked for in the same turn is one statement.

        Worth it for a page with many parts about one thing: otherwise small statements run side by side.
        """
        if self.combined is None:
            self.combined = CombinedReads(self.reads, self.batches.register)
        return self.combined

    def prime(self, name: str, key: Hashable, value: object) -> None:
        """Give the loader of this name a value that it then need not load."""
        getattr(self, name).prime(key, value)


class Loader(DataLoader[K, V]):
    """Loads a batch of keys: override `answer`, which returns one value per key in the order of the keys."""

    max_batch_size = BATCH_SIZE

    def __init__(self, loaders: LoaderSet) -> None:
        super().__init__()
        self.loaders = loaders
        self.reads = loaders.reads

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        with self.loaders.batches.register():
            return await self.answer(keys)

    async def answer(self, keys: list[K]) -> list[V]:
        raise NotImplementedError


class SelectLoader(Loader[K, V]):
    """Loads with one SELECT for all keys, compiled once for each dialect (`models.sql.prepared`)."""

    key: ClassVar[Any]
    order_by: ClassVar[Any] = ()
    brings: ClassVar[Mapping[str, tuple[Any, ...]]] = {}

    def statement(self) -> AnySelect:
        return select(model_of(type(self).key))

    async def select_rows(self, keys: list[K]) -> Sequence[DriverRow]:
        dialect = dialect_of(self.reads)
        if self.loaders.combined is not None:
            part = self._prepare(PARTS, PartialSelect, dialect)
            return await self.loaders.combined.fetch(part, keys=encode_values(keys, dialect))
        prepared = self._prepare(PREPARED, PreparedSelect, dialect)
        return await fetch_rows(self.reads, prepared, keys=encode_values(keys, dialect))

    def _prepare(
        self, known: "dict[tuple[type[Any], str], P]", kind: Callable[[AnySelect, str], P], dialect: str
    ) -> P:
        prepared = known.get((type(self), dialect))
        if prepared is None:
            prepared = known[type(self), dialect] = kind(self._build(dialect), dialect)
        return prepared

    def _build(self, dialect: str) -> AnySelect:
        key = type(self).key
        statement = self.statement().with_only_columns(*columns_of(model_of(key)), maintain_column_froms=True)
        for parent, child, *only in self.brings.values():
            statement = statement.outerjoin(model_of(child), and_(child == parent, *only))
            statement = statement.add_columns(*columns_of(model_of(child)))
        return statement.where(is_among(key, "keys", dialect)).order_by(*as_tuple(type(self).order_by))


PREPARED: dict[tuple[type[Any], str], PreparedSelect] = {}
PARTS: dict[tuple[type[Any], str], PartialSelect] = {}
"""The compiled SELECT of each loader, by dialect: alone, and as a part of a statement."""


class ByKey(SelectLoader[K, R | None], Generic[K, R]):
    """The row for each key, or None; `key` is a unique column."""

    async def answer(self, keys: list[K]) -> list[R | None]:
        rows = build_entities(model_of(type(self).key), await self.select_rows(keys))
        by_key = {getattr(row, type(self).key.key): row for row in rows}
        return [by_key.get(key) for key in keys]


class ManyByKey(SelectLoader[K, Sequence[R]], Generic[K, R]):
    """All rows for each key, in the order `order_by`.

    `primes` names the by-id loader of the same rows, which is filled with them. `brings` names loaders of
    children that are read in the same statement, each with the parent's column and the child's, and which
    of them: one statement less for what is nearly always asked for together.
    """

    primes: ClassVar[str | None] = None

    async def answer(self, keys: list[K]) -> list[Sequence[R]]:
        rows = await self.select_rows(keys)
        model = model_of(type(self).key)
        start = len(columns_of(model))
        for name, (parent, child, *_) in self.brings.items():
            self._prime_children(name, rows, start, parent=parent, child=child)
            start += len(columns_of(model_of(child)))
        if self.brings:
            identity = [place for place, each in enumerate(columns_of(model)) if each.primary_key]
            rows = list({tuple(row[place] for place in identity): row for row in rows}.values())
        by_key: defaultdict[Any, list[R]] = defaultdict(list)
        for row in build_entities(model, rows):
            by_key[getattr(row, type(self).key.key)].append(row)
            if self.primes:
                self.loaders.prime(self.primes, row.id, row)
        return [by_key[key] for key in keys]

    def _prime_children(
        self, name: str, rows: Sequence[DriverRow], start: int, *, parent: Any, child: Any
    ) -> None:
        """Fill the loader of this name with the children, whose columns begin at `start`."""
        parent_place = columns_of(model_of(type(self).key)).index(parent.property.columns[0])
        child_place = start + columns_of(model_of(child)).index(child.property.columns[0])
        with_child = [row for row in rows if row[child_place] is not None]
        by_parent: dict[Any, list[Any]] = {row[parent_place]: [] for row in rows}
        entities = build_entities(model_of(child), with_child, start=start)
        for row, entity in zip(with_child, entities, strict=True):
            by_parent[row[parent_place]].append(entity)
        for key, children in by_parent.items():
            self.loaders.prime(name, key, children)


class Grouped(Loader[K, V]):
    """Anything computed for many keys: override `group`, and `default` for the keys it leaves out."""

    async def answer(self, keys: list[K]) -> list[V]:
        if self.loaders.combined is not None:
            values = await self.group(self.loaders.combined.session, keys)
        else:
            async with self.reads() as session:
                values = await self.group(session, keys)
        return [values[key] if key in values else self.default() for key in keys]

    async def group(self, session: AsyncSession, keys: list[K]) -> Mapping[K, V]:
        raise NotImplementedError

    def default(self) -> V:
        raise NotImplementedError


L = TypeVar("L", bound="DataLoader[Any, Any]")


class loader(Generic[L]):
    """`order = loader(OrderById)`: created on first use, then kept for the request."""

    def __init__(self, make: Callable[[LoaderSet], L]) -> None:
        self.make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, loaders: None, owner: type) -> "loader[L]": ...
    @overload
    def __get__(self, loaders: object, owner: type) -> L: ...
    def __get__(self, loaders: object | None, owner: type) -> "loader[L] | L":
        if loaders is None:
            return self
        created = self.make(loaders)  # type: ignore[arg-type]
        loaders.__dict__[self.name] = created
        return created


def model_of(column: InstrumentedAttribute[Any]) -> Any:
    return column.class_


def as_tuple(order_by: Any) -> tuple[Any, ...]:
    return order_by if isinstance(order_by, tuple) else (order_by,)
