"""What differs between PostgreSQL and SQLite, and the columns of a table."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Double, String
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapper, class_mapper
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from models.database import Reads


def dialect_of(source: AsyncSession | Reads) -> str:
    """ "postgresql" or "sqlite"."""
    bind = source.kw["bind"] if isinstance(source, async_sessionmaker) else source.get_bind()
    name: str = bind.dialect.name
    return name


def columns_of(model: type[Any]) -> Sequence[Column[Any]]:
    """The columns that its rows are shown with, in their order: all but those read when asked for."""
    return _columns_of_mapper(class_mapper(model))


@cache
def _columns_of_mapper(mapper: Mapper[Any]) -> Sequence[Column[Any]]:
    columns = mapper.class_.__table__.columns
    return tuple(each for each in columns if not mapper.get_property_by_column(each).deferred)


def column_types(model: type[Any], *, without: Iterable[str] = ()) -> dict[str, TypeEngine[Any]]:
    """Name and type of the columns an INSERT fills: all but `id`, computed ones and those in `without`."""
    left_out = {"id", *without}
    return {
        each.name: each.type
        for each in model.__table__.columns
        if each.name not in left_out and each.computed is None
    }


class epoch_seconds(FunctionElement[int]):
    """Whole seconds since 1970 in UTC, of a moment or a date."""

    type = BigInteger()
    inherit_cache = True


@compiles(epoch_seconds, "postgresql")
def _compile_for_postgresql(element: epoch_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)}))"


@compiles(epoch_seconds, "sqlite")
def _compile_for_sqlite(element: epoch_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(STRFTIME('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


class sum_of_array(FunctionElement[float]):
    """The sum of the numbers of a JSON array."""

    type = Double()
    inherit_cache = True


@compiles(sum_of_array, "postgresql")
def _sum_for_postgresql(element: sum_of_array, compiler: SQLCompiler, **options: Any) -> str:
    array = compiler.process(element.clauses, **options)
    return f"(SELECT coalesce(sum(item::float8), 0) FROM jsonb_array_elements_text({array}) AS item)"  # noqa: S608 - a column


@compiles(sum_of_array, "sqlite")
def _sum_for_sqlite(element: sum_of_array, compiler: SQLCompiler, **options: Any) -> str:
    array = compiler.process(element.clauses, **options)
    return f"(SELECT coalesce(sum(value), 0) FROM json_each({array}))"  # noqa: S608 - a column


class count_of_keys(FunctionElement[int]):
    """How many keys a JSON object has."""

    type = BigInteger()
    inherit_cache = True


@compiles(count_of_keys, "postgresql")
def _keys_for_postgresql(element: count_of_keys, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT count(*) FROM jsonb_object_keys({compiler.process(element.clauses, **options)}))"  # noqa: S608 - a column


@compiles(count_of_keys, "sqlite")
def _keys_for_sqlite(element: count_of_keys, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT count(*) FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608 - a column


class text_at_key(FunctionElement[str]):
    """What a JSON object has at a key, as it is written without blanks; NULL where it has no such key."""

    type = String()
    inherit_cache = True


@compiles(text_at_key, "postgresql")
def _text_for_postgresql(element: text_at_key, compiler: SQLCompiler, **options: Any) -> str:
    json, key = (compiler.process(each, **options) for each in element.clauses)
    return f"REPLACE(({json}) ->> ({key}), ' ', '')"


@compiles(text_at_key, "sqlite")
def _text_for_sqlite(element: text_at_key, compiler: SQLCompiler, **options: Any) -> str:
    json, key = (compiler.process(each, **options) for each in element.clauses)
    return f"JSON_EXTRACT({json}, '$.\"' || ({key}) || '\"')"
