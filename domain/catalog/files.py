"""A file of products, taken whole or not at all."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.interchange import Problem, Reading
from domain.catalog.refusals import Refused
from domain.catalog.saving import Outcome, import_products


@dataclass(frozen=True, slots=True)
class Import:
    """What came of a file: either products, or problems and nothing else.

    `notes` tell what was taken in another sense than the file's words.
    """

    file: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()


async def import_file(
    session: AsyncSession,
    reading: Reading,
    *,
    now: datetime,
    by: int | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda saved: None,
) -> Import:
    """Save what a file says.

    A dry run finds every problem and changes nothing. `progress` hears how many more products are done.
    """
    file, notes = reading.file, reading.notes
    if reading.problems:
        return Import(file, problems=reading.problems, notes=notes)
    attempt = await session.begin_nested()
    try:
        saved = await import_products(session, reading.products, now=now, by=by, progress=progress)
    except Refused as refused:
        await attempt.rollback()
        problems = tuple(
            Problem(file, each.draft.line, each.column, each.reason) for each in refused.refusals
        )
        return Import(file, problems=problems, notes=notes)
    await (attempt.rollback() if dry_run else attempt.commit())
    counts = Counter(each.outcome for each in saved)
    return Import(
        file,
        created=counts[Outcome.CREATED],
        updated=counts[Outcome.UPDATED],
        unchanged=counts[Outcome.UNCHANGED],
        notes=notes,
    )
