"""Things of the shop that are removed when nothing needs them, and archived else."""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Base


class RemovalOutcome(StrEnum):
    """What became of a thing that was to be removed."""

    REMOVED = "REMOVED"
    """Nothing needed it: it is gone."""
    ARCHIVED = "ARCHIVED"
    """Something needs it: it is neither listed nor offered any more, and what has used it shows it still."""


async def is_referenced(
    session: AsyncSession, row: Base, *, row_id: int, owned: Collection[type[Base]]
) -> bool:
    """Whether a row of any table refers to this one, but for tables of which it owns its rows."""
    table, own = row.__table__, {kind.__table__ for kind in owned}
    references = [
        exists(select(key.parent).where(key.parent == row_id))
        for other in Base.metadata.sorted_tables
        if other not in own
        for key in other.foreign_keys
        if key.column.table is table
    ]
    return bool(await session.scalar(select(or_(*references))))


async def delete_with_owned(
    session: AsyncSession, row: Base, *, row_id: int, owned: Collection[type[Base]]
) -> None:
    """Delete a row and the rows that it owns."""
    for kind in owned:
        for key in kind.__table__.foreign_keys:
            if key.column.table is row.__table__:
                await session.execute(delete(kind).where(key.parent == row_id))
    await session.delete(row)
    await session.flush()
