"""INSERT ... ON CONFLICT, spelled the same for both databases."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

Insert = postgresql.Insert | sqlite.Insert


def insert(session: AsyncSession, model: type[Any]) -> Any:
    """The dialect's own insert, which knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return upsert(session.get_bind().dialect.name, model)


def upsert(dialect: str, model: type[Any]) -> Any:
    """As `insert`, where there is no session yet."""
    return sqlite.insert(model) if dialect == "sqlite" else postgresql.insert(model)
