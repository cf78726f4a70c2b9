"""How rows are read for showing: declared, batched, each batch in a short session of its own."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from aiodataloader import DataLoader
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import InstrumentedAttribute

if TYPE_CHECKING:
    from loaders import Loaders

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
V = TypeVar("V")
Reads = async_sessionmaker[AsyncSession]

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


class ByKey(Loader[K, R | None], Generic[K, R]):
    """The one row per key, or None: `key` is a unique column."""

    key: ClassVar[Any]

    def statement(self) -> Select[tuple[R]]:
        return select(entity(type(self).key))

    async def answer(self, keys: list[K]) -> list[R | None]:
        async with self.reads() as session:
            rows: Sequence[Any] = (
                await session.scalars(self.statement().where(type(self).key.in_(keys)))
            ).all()
        by_key = {getattr(row, type(self).key.key): row for row in rows}
        return [by_key.get(key) for key in keys]


class ManyByKey(Loader[K, Sequence[R]], Generic[K, R]):
    """All rows per key, in a fixed order.

    `primes` names the by-id loader of the same rows: it need not ask again. `brings` names loaders of
    children that are fetched in the same statement, each with the parent's column and the children's own:
    one statement less for what is nearly always asked for together.
    """

    key: ClassVar[Any]
    order_by: ClassVar[Any]
    primes: ClassVar[str | None] = None
    brings: ClassVar[Mapping[str, tuple[Any, Any]]] = {}

    def statement(self) -> Select[Any]:
        return select(entity(type(self).key))

    async def answer(self, keys: list[K]) -> list[Sequence[R]]:
        statement = self.statement().where(type(self).key.in_(keys)).order_by(*as_tuple(type(self).order_by))
        for parent, child in self.brings.values():
            statement = statement.outerjoin(entity(child), child == parent).add_columns(entity(child))
        async with self.reads() as session:
            rows = (await session.execute(statement)).all()
        found: defaultdict[Any, dict[Any, R]] = defaultdict(dict)
        children: list[defaultdict[Any, list[Any]]] = [defaultdict(list) for _ in self.brings]
        for row, *brought in rows:
            found[getattr(row, type(self).key.key)][id(row)] = row
            for (parent, _), bucket, child_row in zip(self.brings.values(), children, brought, strict=True):
                bucket[getattr(row, parent.key)] += [] if child_row is None else [child_row]
        for name, bucket in zip(self.brings, children, strict=True):
            for key, child_rows in bucket.items():
                getattr(self.loaders, name).prime(key, child_rows)
        if self.primes:
            for rows_of_key in found.values():
                for row in rows_of_key.values():
                    getattr(self.loaders, self.primes).prime(row.id, row)  # type: ignore[attr-defined]
        return [list(found[key].values()) for key in keys]


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
