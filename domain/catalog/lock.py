from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

CATALOGUE = 20_260_301
"""Any number, the same in every process (PostgreSQL calls it the key of an advisory lock)."""


async def alone(session: AsyncSession) -> None:
    """One transaction at a time changes what the shop sells: slugs, SKUs and places in the tree stay unique.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(CATALOGUE)))
