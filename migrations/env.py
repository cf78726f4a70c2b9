"""Alembic's environment: our models, and one transaction for each migration."""

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

import models
from migrations.compared import is_compared

url: str = context.config.attributes["url"]


def render_type(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """How a column type of ours is written in a migration (Alembic's render_item); enums are strings."""
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    if kind == "type" and "sqlite" in item._variant_mapping:
        return "base.BigId"
    if kind == "type" and isinstance(item, sa.JSON):
        return "base.Json"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        include_object=is_compared,
        render_item=render_type,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        user_module_prefix="base.",
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate() -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_migrate())
