"""Alembic's environment: our models, and one transaction for each migration."""

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.operations.ops import AddColumnOp, MigrationScript, ModifyTableOps
from sqlalchemy import Connection, Engine, event, pool
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

import models
from migrations.compared import is_compared

url: str = context.config.attributes["url"]

LOCK_TIMEOUT = "5s"
"""How long a migration waits for a table: whoever comes after it waits, too. It is then rolled back whole."""

lock_timeout: str = context.config.attributes.get("lock_timeout", LOCK_TIMEOUT)


def render_type(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """How a column type of ours is written in a migration (Alembic's render_item); enums are strings."""
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    if kind == "type" and "sqlite" in item._variant_mapping:
        return "base.BigId"
    if kind == "type" and isinstance(item, sa.JSON):
        return "base.Json"
    return False


def fill_new_texts(context: object, revision: object, directives: list[MigrationScript]) -> None:
    """Rows that are there get an empty text in a new text column that must not be NULL."""
    for script in directives:
        for change in script.upgrade_ops.ops if script.upgrade_ops else ():
            for each in change.ops if isinstance(change, ModifyTableOps) else ():
                if isinstance(each, AddColumnOp) and isinstance(each.column.type, sa.String):
                    column = each.column
                    if not column.nullable and column.server_default is None:
                        column.server_default = sa.DefaultClause(sa.text("''"))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        include_object=is_compared,
        render_item=render_type,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        transactional_ddl=True,
        user_module_prefix="base.",
        process_revision_directives=fill_new_texts,
    )
    with context.begin_transaction():
        context.run_migrations()


def begin_before_tables_change(engine: Engine) -> None:
    """Put CREATE and ALTER TABLE into the transaction, too: the driver begins none for them by itself.

    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#pysqlite-serializable
    """

    @event.listens_for(engine, "connect")
    def take_over_transactions(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def connect_and_migrate() -> None:
    session_settings = {"application_name": "cartwheel migrate", "lock_timeout": lock_timeout}
    is_sqlite = url.startswith("sqlite")
    engine = create_async_engine(
        url,
        poolclass=pool.NullPool,
        hide_parameters=True,
        connect_args={} if is_sqlite else {"server_settings": session_settings},
    )
    if is_sqlite:
        begin_before_tables_change(engine.sync_engine)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(connect_and_migrate())
