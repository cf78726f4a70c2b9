"""A file of products, taken whole or not at all."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.catalog.interchange import Problem, Reading
from domain.catalog.interchange.columns import Column, Family
from domain.catalog.refusals import Refused
from domain.catalog.saving import Outcome, import_products
from domain.catalog.untold import with_untold
from domain.catalog.values import TOLD
from models import Attribute, Category, Warehouse

Made = type[Category] | type[Attribute] | type[Warehouse]

MADE: Mapping[Made, tuple[InstrumentedAttribute[str], str, str]] = {
    Category: (Category.name, Column.CATEGORY, "categories"),
    Attribute: (Attribute.code, Family.ATTRIBUTE, "attributes"),
    Warehouse: (Warehouse.code, Family.QUANTITY, "warehouses"),
}
"""What a file may bring along: its name, the column it stands in, and what many of them are called."""


@dataclass(frozen=True, slots=True)
class Import:
    """What came of a file: either products, or problems and nothing else.

    `notes` tell what was taken in another sense than the file's words, and what the shop did not have before:
    a new place in the tree may be a slip of the pen.
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
    known = await _last(session)
    attempt = await session.begin_nested()
    try:
        products = await with_untold(session, reading.products, reading.told)
        saved = await import_products(session, products, now=now, by=by, progress=progress)
    except Refused as refused:
        await attempt.rollback()
        problems = tuple(
            Problem(file, each.draft.line, each.column, each.reason) for each in refused.refusals
        )
        return Import(file, problems=problems, notes=notes)
    made = [note async for note in _made(session, known, file)]
    await (attempt.rollback() if dry_run else attempt.commit())
    counts = Counter(each.outcome for each in saved)
    return Import(
        file,
        created=counts[Outcome.CREATED],
        updated=counts[Outcome.UPDATED],
        unchanged=counts[Outcome.UNCHANGED],
        notes=(*notes, *made),
    )


async def _last(session: AsyncSession) -> dict[Made, int]:
    return {kind: await session.scalar(select(func.max(kind.id))) or 0 for kind in MADE}


async def _made(session: AsyncSession, known: Mapping[Made, int], file: str) -> AsyncIterator[Problem]:
    """What the products of a file named that the shop did not have; where it had none, all is expected."""
    for kind, (name, column, many) in MADE.items():
        if not known[kind]:
            continue
        names = (await session.scalars(select(name).where(kind.id > known[kind]).order_by(kind.id))).all()
        if names:
            more = f" and {len(names) - TOLD:,} more" if len(names) > TOLD else ""
            yield Problem(file, 1, column, f"{many} the shop did not have: {', '.join(names[:TOLD])}{more}")
