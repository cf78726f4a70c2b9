"""How rows are read for showing: declared, batched, each batch in a short session of its own."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from aiodataloader import DataLoader
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from loaders.prepared import (
    Prepared,
    Reads,
    Row,
    columns_of,
    dialect_of,
    entities,
    is_among,
    packed,
    rows_of,
)

if TYPE_CHECKING:
    from loaders import Loaders

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
V = TypeVar("V")

BATCH = 1_000
"""Keys per statement: PostgreSQL and SQLite both take more, plans get worse."""


class Loader(DataLoader[K, V]):
    """A batch of keys in, one answer per key out, in the order asked."""

    max_batch_size = BATCH

    def __init__(self, loaders: "Loaders") -> None:
        super().__init__()
        self.loaders = loaders
        self.reads: Reads = loaders.reads

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        return await self.answer(keys)

    async def answer(self, keys: list[K]) -> list[V]:
        raise NotImplementedError


class Selecting(Loader[K, V]):
    """What a statement selects for many keys at once: made once, whatever is asked."""

    key: ClassVar[Any]
    order_by: ClassVar[Any] = ()
    brings: ClassVar[Mapping[str, tuple[Any, Any]]] = {}

    def statement(self) -> Select[Any]:
        return select(entity(type(self).key))

    async def selected(self, keys: list[K]) -> Sequence[Row]:
        dialect = dialect_of(self.reads)
        made = PREPARED.get((type(self), dialect))
        if made is None:
            made = PREPARED[type(self), dialect] = Prepared(self._whole(dialect), dialect)
        return await rows_of(self.reads, made, keys=packed(keys, dialect))

    def _whole(self, dialect: str) -> Select[Any]:
        key = type(self).key
        statement = self.statement().with_only_columns(*columns_of(entity(key)), maintain_column_froms=True)
        for parent, child in self.brings.values():
            statement = statement.outerjoin(entity(child), child == parent)
            statement = statement.add_columns(*columns_of(entity(child)))
        return statement.where(is_among(key, "keys", dialect)).order_by(*as_tuple(type(self).order_by))


PREPARED: dict[tuple[type[Any], str], Prepared] = {}
"""The statement of each loader, by dialect."""


class ByKey(Selecting[K, R | None], Generic[K, R]):
    """The one row per key, or None: `key` is a unique column."""

    async def answer(self, keys: list[K]) -> list[R | None]:
        rows = entities(entity(type(self).key), await self.selected(keys))
        by_key = {getattr(row, type(self).key.key): row for row in rows}
        return [by_key.get(key) for key in keys]


class ManyByKey(Selecting[K, Sequence[R]], Generic[K, R]):
    """All rows per key, in a fixed order.

    `primes` names the by-id loader of the same rows: it need not ask again. `brings` names loaders of
    children that are fetched in the same statement, each with the parent's column and the children's own:
    one statement less for what is nearly always asked for together.
    """

    primes: ClassVar[str | None] = None

    async def answer(self, keys: list[K]) -> list[Sequence[R]]:
        rows = await self.selected(keys)
        model = entity(type(self).key)
        start = len(columns_of(model))
        for name, (parent, child) in self.brings.items():
            self._bring(name, rows, start, parent=parent, child=child)
            start += len(columns_of(entity(child)))
        if self.brings:
            identity = [place for place, each in enumerate(columns_of(model)) if each.primary_key]
            rows = list({tuple(row[place] for place in identity): row for row in rows}.values())
        found: defaultdict[Any, list[R]] = defaultdict(list)
        for row in entities(model, rows):
            found[getattr(row, type(self).key.key)].append(row)
            if self.primes:
                getattr(self.loaders, self.primes).prime(row.id, row)
        return [found[key] for key in keys]

    def _bring(self, name: str, rows: Sequence[Row], start: int, *, parent: Any, child: Any) -> None:
        """The children that begin at the column `start`, for the loader of this name."""
        of = columns_of(entity(type(self).key)).index(parent.property.columns[0])
        by = columns_of(entity(child)).index(child.property.columns[0])
        there = [row for row in rows if row[start + by] is not None]
        found: dict[Any, list[Any]] = {row[of]: [] for row in rows}
        for row, made in zip(there, entities(entity(child), there, start=start), strict=True):
            found[row[of]].append(made)
        for key, children in found.items():
            getattr(self.loaders, name).prime(key, children)


class Grouped(Loader[K, V]):
    """Anything computed for many keys by one statement of its own: override `group` only."""

    async def answer(self, keys: list[K]) -> list[V]:
        async with self.reads() as session:
            found = await self.group(session, keys)
        return [found[key] if key in found else self.nothing() for key in keys]

    async def group(self, session: AsyncSession, keys: list[K]) -> Mapping[K, V]:
        raise NotImplementedError

    def nothing(self) -> V:
        raise NotImplementedError


L = TypeVar("L", bound="DataLoader[Any, Any]")


class loader(Generic[L]):
    """`order = loader(OrderById)`: made when first asked for, then kept for the request."""

    def __init__(self, make: "Callable[[Loaders], L]") -> None:
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
        made = self.make(loaders)  # type: ignore[arg-type]
        loaders.__dict__[self.name] = made
        return made


def entity(column: InstrumentedAttribute[Any]) -> Any:
    return column.class_


def as_tuple(order_by: Any) -> tuple[Any, ...]:
    return order_by if isinstance(order_by, tuple) else (order_by,)
