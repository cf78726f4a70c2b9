"""Rows of an edition, written many at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches

Progress = Callable[[int], None]
"""Hears how many more are done."""

Values = Mapping[str, object]
"""Columns of a row."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What loading came to; `gone` are the ids that the shop has and the edition has no longer."""

    created: int
    updated: int
    unchanged: int
    gone: tuple[str, ...] = ()


async def make(
    session: AsyncSession, model: type[Any], rows: Sequence[Values], progress: Progress
) -> dict[str, int]:
    """Insert rows; their ids by their ids in the taxonomy."""
    made: dict[str, int] = {}
    for batch in batches(rows):
        statement = insert(model).returning(model.taxonomy_id, model.id)
        made |= {row.taxonomy_id: row.id for row in await session.execute(statement, batch)}
        progress(len(batch))
    return made


async def correct(session: AsyncSession, model: type[Any], rows: Sequence[Values]) -> None:
    """Update rows, each with its `id`."""
    for batch in batches(rows):
        await session.execute(update(model), batch)


async def outdate(session: AsyncSession, model: type[Any], ids: Iterable[int]) -> None:
    """Whoever has read these rows to edit them reads them again."""
    for batch in batches(sorted(set(ids))):
        await session.execute(
            update(model)
            .where(model.id.in_(batch))
            .values(version=model.version + 1)
            .execution_options(synchronize_session=False)
        )
