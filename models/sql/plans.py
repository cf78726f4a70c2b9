"""How the database would execute a statement whatever its parameters are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database

EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
PLAN_LIMIT = 200
"""Lines of a plan."""

PREPARE = "PREPARE cartwheel_plan AS"
COUNT_PARAMETERS = (
    "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'cartwheel_plan'"
)
EXPLAIN = "EXPLAIN EXECUTE cartwheel_plan"


async def explain_statement(database: Database, text: str, *, parameters: int) -> Sequence[str]:
    """The lines of the plan; none for statements that have no plan. Nothing is executed."""
    if not text.lstrip().upper().startswith(EXPLAINED):
        return []
    async with database.readers.connect() as connection:
        if database.dialect == "sqlite":
            return await explain_on_sqlite(connection, text, parameters)
        return await explain_on_postgresql(connection, text)


async def explain_on_sqlite(connection: AsyncConnection, text: str, parameters: int) -> Sequence[str]:
    """The column `detail` of each row says what is done (https://sqlite.org/eqp.html)."""
    rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (None,) * parameters)
    return [str(row.detail) for row in rows.fetchmany(PLAN_LIMIT)]


async def explain_on_postgresql(connection: AsyncConnection, text: str) -> Sequence[str]:
    """A generic plan: the statement is prepared, and explained with a NULL for each parameter.

    `EXPLAIN (GENERIC_PLAN)` would need PostgreSQL 16 and a protocol that asyncpg does not speak
    (https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-PLAN-CACHE-MODE).
    """
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    try:
        await driver.execute(
            "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan;"
            " SET LOCAL statement_timeout = 5000"
        )
        await driver.execute(f"{PREPARE} {text}")
        count = await driver.fetchval(COUNT_PARAMETERS)
        nulls = f"({', '.join(['NULL'] * count)})" if count else ""
        rows = await driver.fetch(EXPLAIN + nulls)
    finally:
        # which ends the transaction and the prepared statement, however it went
        await connection.invalidate()
    return [str(row[0]) for row in rows[:PLAN_LIMIT]]
