"""The lock of the whole catalogue."""

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict
from models.sql.dialects import dialect_of

CATALOGUE = 20_260_301
"""The key of a PostgreSQL advisory lock: any number, the same in every process."""

LOCK_NOT_AVAILABLE = "55P03"
"""The SQLSTATE of PostgreSQL when its lock_timeout has passed."""


class CatalogueBusy(Conflict):
    def __init__(self) -> None:
        super().__init__("The catalogue is being changed on a large scale. Try again in a moment.")


async def lock_catalogue(session: AsyncSession) -> None:
    """Lock the catalogue until the transaction ends; CatalogueBusy when the lock cannot be had in time.

    One transaction at a time changes slugs, SKUs and places in the tree, so that they stay unique. SQLite has
    one writer anyway.
    """
    if dialect_of(session) != "postgresql":
        return
    try:
        await session.execute(select(func.pg_advisory_xact_lock(CATALOGUE)))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise CatalogueBusy from None
        raise
