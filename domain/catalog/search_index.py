"""What search indexes are told beyond what the triggers of the tables note."""

from sqlalchemy import BigInteger, Text, cast, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import IndexChange, IndexSubject
from models.sql.dialects import dialect_of

CHANGES_KEPT = 200_000
"""Changes that are kept for machines that have not read them; one that missed more builds its index anew."""


async def request_rebuild(session: AsyncSession) -> None:
    """Let every machine build its indexes anew."""
    change = IndexChange(subject=IndexSubject.EVERYTHING, subject_id=0)
    if dialect_of(session) == "postgresql":
        change.transaction_id = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
    session.add(change)
    await session.flush()


async def forget_old_changes(session: AsyncSession) -> None:
    """Delete all but the last CHANGES_KEPT."""
    newest = select(func.max(IndexChange.id)).scalar_subquery()
    await session.execute(delete(IndexChange).where(IndexChange.id <= newest - CHANGES_KEPT))
