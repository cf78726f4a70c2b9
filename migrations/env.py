"""What Alembic runs: our models, our databases, one transaction per upgrade."""

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

import models
from migrations.compared import ours

url: str = context.config.attributes["url"]


def rendered(kind: str, thing: Any, autogenerate: Any) -> str | Literal[False]:
    """Our own kinds of columns by their names; an enum is text whose values the models know."""
    if kind == "type" and isinstance(thing, sa.Enum):
        return f"sa.String({thing.length})"
    if kind == "type" and "sqlite" in thing._variant_mapping:
        return "base.BigId"
    if kind == "type" and isinstance(thing, sa.JSON):
        return "base.Json"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        include_object=ours,
        render_item=rendered,
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
