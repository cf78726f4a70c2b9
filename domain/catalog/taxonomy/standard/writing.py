"""Writing rows in batches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Attribute, AttributeValue, Category
from models.sql.batches import in_batches

Versioned = type[Category] | type[Attribute]
Table = Versioned | type[AttributeValue]

Progress = Callable[[int], None]
"""Called with how many more are done."""

ColumnValues = Mapping[str, object]
"""Values of a row by column."""


@dataclass(frozen=True, slots=True)
class WriteCount:
    """How many rows were created, updated and left unchanged."""

    created: int
    updated: int
    unchanged: int
    obsolete: tuple[str, ...] = ()
    """Ids the shop has and the edition no longer has."""


async def insert_rows(
    session: AsyncSession, model: Versioned, rows: Sequence[ColumnValues], progress: Progress
) -> dict[str, int]:
    """Insert rows and return their ids by the id in the taxonomy."""
    created: dict[str, int] = {}
    for batch in in_batches(rows):
        statement = insert(model).returning(model.taxonomy_id, model.id)
        created |= {row.taxonomy_id: row.id for row in await session.execute(statement, batch)}
        progress(len(batch))
    return created


async def update_rows(session: AsyncSession, model: Table, rows: Sequence[ColumnValues]) -> None:
    """Update rows, each with its `id`."""
    for batch in in_batches(rows):
        await session.execute(update(model), batch)


async def raise_versions(session: AsyncSession, model: Versioned, ids: Iterable[int]) -> None:
    """Raise the versions of rows, so that an edit based on the old ones is refused."""
    for batch in in_batches(sorted(set(ids))):
        await session.execute(
            update(model)
            .where(model.id.in_(batch))
            .values(version=model.version + 1)
            .execution_options(synchronize_session=False)
        )
