from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict

CATALOGUE = 20_260_301
"""Any number, the same in every process (PostgreSQL calls it the key of an advisory lock)."""

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL has waited as long as it was told to."""


class CatalogueBusy(Conflict):
    def __init__(self) -> None:
        super().__init__("The catalogue is being changed on a large scale. Try again in a moment.")


async def alone(session: AsyncSession) -> None:
    """One transaction at a time changes what the shop sells: slugs, SKUs and places in the tree stay unique.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    try:
        await session.execute(select(func.pg_advisory_xact_lock(CATALOGUE)))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise CatalogueBusy from None
        raise
