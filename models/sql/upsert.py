"""INSERT ... ON CONFLICT, written the same way for both databases."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from models.sql.dialects import dialect_of


def upsert_into(session: AsyncSession, model: type[Any]) -> Any:
    """The dialect's own INSERT, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return upsert_statement(model, dialect_of(session))


def upsert_statement(model: type[Any], dialect: str) -> Any:
    """The same where there is no session yet."""
    return sqlite.insert(model) if dialect == "sqlite" else postgresql.insert(model)
